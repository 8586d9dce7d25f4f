/**
 * A program and somebody far away: input, output, the terminal's size, and how it ended, whatever carries them.
 * Source: k8s.io/apimachinery/pkg/util/remotecommand (v4 and v5 of channel.k8s.io)
 */
import type { Program, Wish } from "../runtime.ts";

/** The far end. */
export interface Remote {
  /** Undefined when it sends none. */
  readonly stdin: AsyncIterable<Uint8Array> | undefined;
  /** JSON texts `{"Width":80,"Height":24}`. */
  readonly resizes: AsyncIterable<Uint8Array> | undefined;
  /** Aborts when it is gone. */
  readonly gone: AbortSignal;
  /** Resolves when there is room for more. */
  write(source: "output" | "errors", bytes: Uint8Array): Promise<void>;
  /** Writes what means nothing: if it is gone, that shows. */
  ping(): void;
  /** Tells how it ended, and closes. */
  finish(status: object): Promise<void>;
}

/** The Status of an end. Source: k8s.io/apimachinery/pkg/util/remotecommand NonZeroExitCodeReason */
function statusOf(exitCode: number): object {
  if (exitCode === 0) return { metadata: {}, status: "Success" };
  return {
    metadata: {},
    status: "Failure",
    message: `command terminated with non-zero exit code: error executing command, exit code ${exitCode}`,
    reason: "NonZeroExitCode",
    details: { causes: [{ reason: "ExitCode", message: String(exitCode) }] },
  };
}

/** The Status of a failure to run at all. */
export function failureOf(error: unknown): object {
  const message = error instanceof Error ? error.message : String(error);
  return { metadata: {}, status: "Failure", reason: "InternalError", message, code: 500 };
}

/** Joins the two until the program ends or the far end is gone. */
export async function join(program: Program, remote: Remote, wish: Wish): Promise<void> {
  const leave = () => program.close();
  remote.gone.addEventListener("abort", leave, { once: true });
  if (remote.gone.aborted) leave();
  void feed(program, remote, wish).catch(() => undefined);
  void follow(program, remote).catch(() => undefined);
  try {
    for await (const { source, bytes } of program.output) {
      if (source === "output" ? wish.stdout : wish.stderr) await remote.write(source, bytes);
    }
    if (!remote.gone.aborted) await remote.finish(statusOf(await program.exited));
  } catch (error) {
    if (!remote.gone.aborted) await remote.finish(failureOf(error));
  } finally {
    remote.gone.removeEventListener("abort", leave);
    program.close();
  }
}

async function feed(program: Program, { stdin }: Remote, wish: Wish): Promise<void> {
  if (stdin === undefined || !wish.stdin) return;
  for await (const bytes of stdin) await program.write(bytes);
  program.endInput();
}

const largestSide = 10_000;

async function follow(program: Program, { resizes }: Remote): Promise<void> {
  for await (const bytes of resizes ?? []) {
    // Some clients send several in one message.
    for (const text of Buffer.from(bytes).toString().split("\n")) {
      const size = readSize(text);
      if (size !== undefined) program.resize(size);
    }
  }
}

function readSize(text: string): { columns: number; rows: number } | undefined {
  try {
    const { Width: columns, Height: rows } = JSON.parse(text) as { Width?: unknown; Height?: unknown };
    return isSide(columns) && isSide(rows) ? { columns, rows } : undefined;
  } catch {
    return undefined;
  }
}

function isSide(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) > 0 && Number(value) < largestSide;
}

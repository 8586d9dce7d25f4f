/** Runs the programs that builds are made of: argument arrays, no shell, output passed on as it comes. */
import { spawn } from "node:child_process";
import { ImageBuildFailed } from "../errors.ts";

/** How to run a program. */
export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** What to call it when it fails; program and first argument when left out. */
  readonly what?: string;
  readonly onOutput?: ((text: string) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

const keptCharacters = 8_000;
// What the tools need of the caller's environment; no more, so that a build does not depend on the rest.
const passedOn = ["PATH", "HOME", "http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"];

function environment(extra: Readonly<Record<string, string>>): Record<string, string> {
  const kept = passedOn.flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return { ...Object.fromEntries(kept), LC_ALL: "C.UTF-8", ...extra };
}

/**
 * Runs a program to its end and returns what it printed on standard output.
 * @throws {ImageBuildFailed} it could not be started, or failed; with the end of what it printed
 */
export async function run(program: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const { env = {}, cwd, onOutput, signal, what = `${program} ${args[0] ?? ""}` } = options;
  signal?.throwIfAborted();
  const place = cwd === undefined ? {} : { cwd };
  const child = spawn(program, [...args], { stdio: ["ignore", "pipe", "pipe"], env: environment(env), ...place });
  // A build's own children go with it on SIGTERM; it also takes its mounts down then.
  const stop = () => void child.kill("SIGTERM");
  signal?.addEventListener("abort", stop, { once: true });
  let output = "";
  let shown = "";
  const show = (text: string) => {
    shown = (shown + text).slice(-keptCharacters);
    onOutput?.(text);
  };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
    show(text);
  });
  child.stderr.setEncoding("utf8").on("data", show);
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once("error", (cause) => reject(startFailure(program, cause)));
      child.once("close", resolve);
    });
    signal?.throwIfAborted();
    if (code !== 0) throw new ImageBuildFailed(`${what}: failed with code ${code}`, shown, { code: code ?? undefined });
    return output;
  } finally {
    signal?.removeEventListener("abort", stop);
  }
}

function startFailure(program: string, cause: NodeJS.ErrnoException): ImageBuildFailed {
  const text = cause.code === "ENOENT" ? `${program} is not installed` : `${program}: ${cause.message}`;
  return new ImageBuildFailed(text, "", { cause });
}

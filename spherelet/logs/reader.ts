/**
 * Reads what was kept of a run's output, and goes on as more comes.
 * Source: k8s.io/kubernetes/pkg/kubelet/kuberuntime/logs (ReadLogs)
 */
import { type FileHandle, open } from "node:fs/promises";
import { parseTime } from "@atoll/machinery/clock";
import { defaultLogLimits, logPath } from "./keeper.ts";
import { type LogLine, parseLine } from "./lines.ts";

/** Which part of a log, and how to show it. */
export interface LogWish {
  /** Goes on until the run has ended. */
  readonly follow?: boolean;
  /** Only so many lines from the end. */
  readonly tailLines?: number;
  /** Nothing before, ms since the epoch. */
  readonly sinceMs?: number;
  /** Puts the time before each line. */
  readonly timestamps?: boolean;
  /** Ends after so many bytes. */
  readonly limitBytes?: number;
  readonly stream?: "stdout" | "stderr";
  readonly signal?: AbortSignal;
}

/** Tells when there is more to read. */
export interface LogProgress {
  readonly ended: boolean;
  onWrite(listener: () => void): () => void;
}

const blockBytes = 64 << 10;
const newline = 0x0a;

/**
 * The lines of a run's log, as they are shown.
 * @param progress of the run, while it is written; without it there is nothing to follow
 */
export async function* readLog(
  place: { readonly folder: string; readonly run: number },
  wish: LogWish,
  progress?: LogProgress,
): AsyncGenerator<Buffer> {
  const path = logPath(place.folder, place.run);
  let room = wish.limitBytes ?? Number.POSITIVE_INFINITY;
  for await (const line of linesOf(path, wish, progress)) {
    const shown = show(line, wish);
    if (shown === undefined) continue;
    if (shown.length >= room) {
      yield shown.subarray(0, room);
      return;
    }
    room -= shown.length;
    yield shown;
  }
}

function show({ time, stream, whole, text }: LogLine, wish: LogWish): Buffer | undefined {
  if (wish.stream !== undefined && stream !== wish.stream) return undefined;
  // To the millisecond, as far as a Date goes; that is what sinceTime can say, too.
  if (wish.sinceMs !== undefined && parseTime(time) < wish.sinceMs) return undefined;
  const head = wish.timestamps === true ? Buffer.from(`${time} `) : Buffer.alloc(0);
  return Buffer.concat(whole ? [head, text, Buffer.from([newline])] : [head, text]);
}

async function* linesOf(path: string, wish: LogWish, progress: LogProgress | undefined): AsyncGenerator<LogLine> {
  const older = await olderFiles(path);
  const skips = await toSkip([...older, path], wish);
  for (const file of older) yield* fileLines(file, skips.get(file) ?? 0);
  yield* fileLines(path, skips.get(path) ?? 0, wish.follow === true ? { progress, signal: wish.signal } : undefined);
}

/** Older parts that are there, the oldest first. */
async function olderFiles(path: string): Promise<readonly string[]> {
  const names = Array.from({ length: defaultLogLimits.files }, (_, age) => `${path}.${age + 1}`).reverse();
  const there = await Promise.all(
    names.map(async (name) => {
      const file = await open(name, "r").catch(() => undefined);
      await file?.close();
      return file === undefined ? [] : [name];
    }),
  );
  return there.flat();
}

/** How many bytes of each file lie before the last lines that are wanted. */
async function toSkip(files: readonly string[], { tailLines }: LogWish): Promise<ReadonlyMap<string, number>> {
  const skips = new Map<string, number>();
  if (tailLines === undefined) return skips;
  let missing = tailLines;
  for (const name of files.toReversed()) {
    const file = await open(name, "r").catch(() => undefined);
    if (file === undefined) continue;
    try {
      const { size } = await file.stat();
      const { at, found } = missing === 0 ? { at: size, found: 0 } : await lastLines(file, size, missing);
      skips.set(name, at);
      missing -= found;
    } finally {
      await file.close();
    }
  }
  return skips;
}

/** Where the last so many lines begin, reading backwards. */
async function lastLines(file: FileHandle, size: number, wanted: number): Promise<{ at: number; found: number }> {
  let found = 0;
  let end = size;
  while (end > 0) {
    const from = Math.max(end - blockBytes, 0);
    const block = Buffer.alloc(end - from);
    await file.read(block, 0, block.length, from);
    for (let at = block.lastIndexOf(newline); at >= 0; at = at === 0 ? -1 : block.lastIndexOf(newline, at - 1)) {
      // The very last newline ends the last line; each one before begins a line.
      if (from + at === size - 1) continue;
      found += 1;
      if (found === wanted) return { at: from + at + 1, found };
    }
    end = from;
  }
  return { at: 0, found: size === 0 ? 0 : found + 1 };
}

interface Following {
  readonly progress: LogProgress | undefined;
  readonly signal: AbortSignal | undefined;
}

async function* fileLines(path: string, from: number, following?: Following): AsyncGenerator<LogLine> {
  let file = await open(path, "r").catch(() => undefined);
  if (file === undefined) return;
  let at = from;
  let rest: Buffer = Buffer.alloc(0);
  const bell = new Bell(following);
  try {
    for (;;) {
      // Asked before reading: what is written in between rings.
      const isOver = bell.listen();
      const block = Buffer.alloc(blockBytes);
      const { bytesRead } = await file.read(block, 0, blockBytes, at);
      at += bytesRead;
      rest = Buffer.concat([rest, block.subarray(0, bytesRead)]);
      const end = rest.lastIndexOf(newline) + 1;
      yield* parsedLines(rest.subarray(0, end));
      rest = rest.subarray(end);
      if (bytesRead > 0) continue;
      if (isOver) return;
      await bell.rung();
      const next = await replacement(file, path);
      if (next !== undefined) [file, at] = [next, 0];
    }
  } finally {
    bell.end();
    await file.close();
  }
}

function* parsedLines(block: Buffer): Generator<LogLine> {
  for (let from = 0; from < block.length; ) {
    const end = block.indexOf(newline, from);
    const line = parseLine(block.subarray(from, end));
    if (line !== undefined) yield line;
    from = end + 1;
  }
}

/** Rings when something was written since it was last listened to. */
class Bell {
  readonly #following: Following | undefined;
  readonly #stop: (() => void) | undefined;
  readonly #ring = () => {
    this.#rang = true;
    this.#wake?.();
  };
  #rang = false;
  #wake: (() => void) | undefined;

  constructor(following: Following | undefined) {
    this.#following = following;
    this.#stop = following?.progress?.onWrite(this.#ring);
    following?.signal?.addEventListener("abort", this.#ring, { once: true });
  }

  /** @returns whether it will not ring any more */
  listen(): boolean {
    this.#rang = false;
    const { progress, signal } = this.#following ?? {};
    return progress === undefined || progress.ended || signal?.aborted === true;
  }

  async rung(): Promise<void> {
    if (this.#rang) return;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    this.#wake = undefined;
  }

  end(): void {
    this.#stop?.();
    this.#following?.signal?.removeEventListener("abort", this.#ring);
  }
}

/** The file that has taken the place of a rotated one, once that is read to its end. */
async function replacement(file: FileHandle, path: string): Promise<FileHandle | undefined> {
  const next = await open(path, "r").catch(() => undefined);
  if (next === undefined) return undefined;
  const [mine, other] = [await file.stat(), await next.stat()];
  if (mine.ino === other.ino) {
    await next.close();
    return undefined;
  }
  await file.close();
  return next;
}

/**
 * The audit log: a file of lines that is put aside when it is large, with old ones deleted. Lines are written behind
 * the requests, so that a slow disk slows nobody; what comes while one write is under way goes into the next.
 * Source: kube-apiserver's --audit-log-*; CIS Kubernetes Benchmark 1.2.16–1.2.19
 */
import { chmod, type FileHandle, mkdir, open, readdir, rename, stat, unlink } from "node:fs/promises";
import { basename, dirname, extname, join } from "node:path";
import { type Clock, parseDate, formatTime } from "@atoll/machinery/clock";

/** How much is kept. */
export interface AuditFileOptions {
  readonly path: string;
  /** Put aside at this size, bytes. */
  readonly maxBytes: number;
  /** Files put aside, at most; 0: all. */
  readonly maxBackups: number;
  /** Deleted at this age, ms; 0: never. */
  readonly maxAgeMs: number;
  readonly clock: Clock;
  /** Told of lines that are lost, and why. */
  readonly onLoss: (lines: number, error: Error) => void;
}

/** More than this waits for the disk in no reasonable place; what comes then is lost, and counted. */
const mostWaitingBytes = 64 * 1024 * 1024;

/** One log. */
export class AuditFile {
  readonly #options: AuditFileOptions;
  #file: FileHandle;
  #size: number;
  #waiting: string[] = [];
  #waitingBytes = 0;
  #writing: Promise<void> | undefined;

  private constructor(options: AuditFileOptions, file: FileHandle, size: number) {
    this.#options = options;
    this.#file = file;
    this.#size = size;
  }

  /** Goes on with the file there is. @throws the folder or the file cannot be made */
  static async open(options: AuditFileOptions): Promise<AuditFile> {
    await mkdir(dirname(options.path), { recursive: true, mode: 0o700 });
    const file = await openForOwner(options.path);
    return new AuditFile(options, file, (await file.stat()).size);
  }

  /** Takes a line without its end; returns at once. */
  write(line: string): void {
    if (this.#waitingBytes + line.length > mostWaitingBytes) {
      this.#options.onLoss(1, new Error("the disk does not keep up"));
      return;
    }
    this.#waiting.push(line);
    this.#waitingBytes += line.length + 1;
    this.#writing ??= this.#drain();
  }

  /** Writes what waits. */
  async close(): Promise<void> {
    await this.#writing;
    await this.#file.close();
  }

  async #drain(): Promise<void> {
    // What the same turn of the event loop still says goes along.
    await new Promise(setImmediate);
    while (this.#waiting.length > 0) {
      const lines = this.#waiting;
      this.#waiting = [];
      this.#waitingBytes = 0;
      try {
        await this.#append(lines);
      } catch (error) {
        this.#options.onLoss(lines.length, error as Error);
      }
    }
    this.#writing = undefined;
  }

  async #append(lines: readonly string[]): Promise<void> {
    const bytes = Buffer.from(`${lines.join("\n")}\n`);
    if (this.#size > 0 && this.#size + bytes.length > this.#options.maxBytes) await this.#putAside();
    await this.#file.appendFile(bytes);
    this.#size += bytes.length;
  }

  async #putAside(): Promise<void> {
    const { path, clock } = this.#options;
    await rename(path, await freeName(path, clock.nowMs()));
    const before = this.#file;
    this.#file = await openForOwner(path);
    this.#size = 0;
    await before.close();
    await this.#deleteOld();
  }

  async #deleteOld(): Promise<void> {
    const { path, clock, maxBackups, maxAgeMs } = this.#options;
    const aside = (await readdir(dirname(path))).flatMap((name) => {
      const atMs = asideMs(path, name);
      return atMs === undefined ? [] : [{ name, atMs }];
    });
    aside.sort((a, b) => b.atMs - a.atMs || (a.name < b.name ? 1 : -1));
    const oldestMs = maxAgeMs === 0 ? Number.NEGATIVE_INFINITY : clock.nowMs() - maxAgeMs;
    const kept = maxBackups === 0 ? aside.length : maxBackups;
    const old = aside.filter(({ atMs }, i) => i >= kept || atMs < oldestMs);
    await Promise.all(old.map(({ name }) => unlink(join(dirname(path), name))));
  }
}

async function openForOwner(path: string): Promise<FileHandle> {
  const file = await open(path, "a", 0o600);
  await chmod(path, 0o600);
  return file;
}

/** `audit-2026-01-02T03-04-05Z.log`, or with a number where a second sees several. */
async function freeName(path: string, nowMs: number): Promise<string> {
  const stamp = formatTime(nowMs).replaceAll(":", "-");
  const extension = extname(path);
  const base = `${path.slice(0, path.length - extension.length)}-${stamp}`;
  for (let i = 0; ; i++) {
    const name = i === 0 ? `${base}${extension}` : `${base}.${String(i).padStart(4, "0")}${extension}`;
    const taken = await stat(name).then(
      () => true,
      () => false,
    );
    if (!taken) return name;
  }
}

/** When a file was put aside; undefined when it is none of this log's. */
function asideMs(path: string, name: string): number | undefined {
  const extension = extname(path);
  const base = `${basename(path, extension)}-`;
  if (!name.startsWith(base) || !name.endsWith(extension)) return undefined;
  const [, day, time] = /^(\d{4}-\d\d-\d\d)T(\d\d-\d\d-\d\d)Z/.exec(name.slice(base.length)) ?? [];
  return time === undefined ? undefined : parseDate(`${day}T${time.replaceAll("-", ":")}Z`);
}

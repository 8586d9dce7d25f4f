/**
 * Writes a container's output down. The guest keeps what is not acknowledged, and it is acknowledged only once it is in
 * the file and the mark beside it tells where the rest begins: a spherelet that is killed loses no line and doubles none.
 *
 * Files of a run: `N.log`, older parts `N.log.1` … `N.log.4`, and `N.mark`.
 */
import { type FileHandle, open, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { LogRecord } from "@atoll/crx/channel/stream";
import { LineMaker } from "./lines.ts";
import { type Mark, MarkFile } from "./mark.ts";

/** How much of a run's output is kept. Source: the kubelet's containerLogMaxSize and containerLogMaxFiles */
export interface LogLimits {
  readonly fileBytes: number;
  readonly files: number;
}

/** The kubelet's. */
export const defaultLogLimits: LogLimits = { fileBytes: 10 << 20, files: 5 };

/** Records are read ahead of the disk by so much. */
const mostUnwritten = 1 << 20;

/** Where a run's output is. */
export const logPath = (folder: string, run: number): string => join(folder, `${run}.log`);

const markPath = (folder: string, run: number): string => join(folder, `${run}.mark`);

/** What a keeper reads, and tells what is safe. */
export interface LogSource extends AsyncIterable<LogRecord> {
  acknowledge(offset: bigint): void;
}

/** The log file of one run of a container. */
export class LogKeeper {
  readonly #folder: string;
  readonly #run: number;
  readonly #limits: LogLimits;
  readonly #output = new LineMaker("stdout");
  readonly #errors = new LineMaker("stderr");
  readonly #listeners = new Set<() => void>();
  #file: FileHandle;
  readonly #marks: MarkFile;
  /** As it was written last. */
  #mark: Mark;
  #ended = false;

  private constructor(place: { folder: string; run: number; limits: LogLimits }, state: KeeperState) {
    this.#folder = place.folder;
    this.#run = place.run;
    this.#limits = place.limits;
    this.#file = state.file;
    this.#marks = state.marks;
    this.#mark = { ...state.mark, size: Math.min(state.size, state.mark.size) };
    this.#output.restore(state.mark.output);
    this.#errors.restore(state.mark.errors);
  }

  /** Opens a run's file, new or as another keeper left it. */
  static async open(folder: string, run: number, limits: LogLimits = defaultLogLimits): Promise<LogKeeper> {
    const file = await open(logPath(folder, run), "a+", 0o640);
    const { marks, mark } = await MarkFile.open(markPath(folder, run));
    // What was written without its mark comes again.
    const { size } = await file.stat();
    if (size > mark.size) await file.truncate(mark.size);
    return new LogKeeper({ folder, run, limits }, { file, marks, size, mark });
  }

  /** Where to go on in the guest's log. */
  get offset(): bigint {
    return this.#mark.offset;
  }

  /** Whether everything is written that there will be. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Tells each time something was written, and once at the end. @returns ends it */
  onWrite(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Writes everything that comes, to the end, and lets go of the files.
   * @throws when the channel was cut; what was written stays
   */
  async keep(source: LogSource): Promise<void> {
    try {
      await this.#keepAll(source);
    } finally {
      this.#ended = true;
      await this.#close();
      for (const listener of this.#listeners) listener();
    }
  }

  async #keepAll(source: LogSource): Promise<void> {
    let batch: Buffer[] = [];
    let bytes = 0;
    let end = this.#mark.offset;
    let lastNs = 0n;
    let failure: { error: unknown } | undefined;
    let writing: Promise<void> | undefined;
    const write = () => {
      const taken = batch;
      const mark = this.#markAt(end);
      batch = [];
      bytes = 0;
      const safe = this.#append(taken, mark).then(() => source.acknowledge(mark.offset));
      writing = safe.then(
        () => {
          writing = undefined;
          if (end > mark.offset) write();
        },
        (error: unknown) => {
          failure = { error };
        },
      );
    };
    for await (const record of source) {
      if (failure !== undefined) throw failure.error;
      bytes += record.bytes.length;
      lastNs = record.timeNs;
      end = record.end;
      (record.source === "output" ? this.#output : this.#errors).take(record.bytes, record.timeNs, batch);
      if (writing === undefined) write();
      if (bytes > mostUnwritten) await writing;
    }
    while (writing !== undefined && failure === undefined) await writing;
    if (failure !== undefined) throw failure.error;
    this.#output.flush(lastNs, batch);
    this.#errors.flush(lastNs, batch);
    await this.#append(batch, this.#markAt(end));
  }

  async #close(): Promise<void> {
    await this.#file.close();
    await this.#marks.close();
  }

  #markAt(offset: bigint): Omit<Mark, "size"> {
    return { offset, output: this.#output.pending, errors: this.#errors.pending };
  }

  async #append(parts: readonly Buffer[], mark: Omit<Mark, "size">): Promise<void> {
    const bytes = Buffer.concat(parts);
    if (bytes.length > 0 && this.#mark.size > 0 && this.#mark.size + bytes.length > this.#limits.fileBytes)
      await this.#rotate();
    if (bytes.length > 0) await this.#file.appendFile(bytes);
    this.#mark = { ...mark, size: this.#mark.size + bytes.length };
    await this.#marks.write(this.#mark);
    for (const listener of this.#listeners) listener();
  }

  async #rotate(): Promise<void> {
    const path = logPath(this.#folder, this.#run);
    await rm(`${path}.${this.#limits.files - 1}`, { force: true });
    for (let age = this.#limits.files - 2; age >= 1; age--) {
      await rename(`${path}.${age}`, `${path}.${age + 1}`).catch(() => undefined);
    }
    await this.#file.close();
    await rename(path, `${path}.1`);
    this.#file = await open(path, "a+", 0o640);
    this.#mark = { ...this.#mark, size: 0 };
    await this.#marks.write(this.#mark);
  }
}

interface KeeperState {
  readonly file: FileHandle;
  readonly marks: MarkFile;
  readonly size: number;
  readonly mark: Mark;
}

/** Removes the files of a run. */
export async function removeLog(folder: string, run: number, limits: LogLimits = defaultLogLimits): Promise<void> {
  const path = logPath(folder, run);
  const older = Array.from({ length: limits.files }, (_, age) => `${path}.${age + 1}`);
  for (const each of [path, ...older, markPath(folder, run)]) await rm(each, { force: true });
}

/** Whether there is a log of a run. */
export async function hasLog(folder: string, run: number): Promise<boolean> {
  return await stat(logPath(folder, run)).then(
    () => true,
    () => false,
  );
}

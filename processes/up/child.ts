/** A child process of `atoll up`: started, watched, started again when it dies. */
import { type ChildProcess, spawn } from "node:child_process";
import { createWriteStream, type WriteStream } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Clock } from "@atoll/machinery/clock";
import type { Part } from "./parts.ts";

const main = join(import.meta.dirname, "..", "main.ts");
const startDeadlineMs = 60_000;
const stopDeadlineMs = 10_000;
const firstRestartMs = 500;
const longestRestartMs = 30_000;

export interface ChildOptions {
  readonly part: Part;
  readonly clock: Clock;
  /** Standard error of the process is kept here. */
  readonly logFile: string;
  readonly onRestart: (part: Part, code: string) => void;
  /** It serves, for the first time or again. */
  readonly onStart: () => void;
}

export class Child {
  readonly #options: ChildOptions;
  readonly #log: WriteStream;
  #process: ChildProcess | undefined;
  #stopping = false;
  #restarts = 0;
  readyText = "";

  constructor(options: ChildOptions) {
    this.#options = options;
    this.#log = createWriteStream(options.logFile, { flags: "a", mode: 0o600 });
  }

  get name(): string {
    return this.#options.part.name;
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /**
   * Starts it and waits until it says that it serves.
   * @throws {Error} when it ends before, with the last it said
   */
  async start(): Promise<void> {
    const { part, clock } = this.#options;
    const child = spawn(process.execPath, [...process.execArgv, main, ...part.args], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#process = child;
    const said: string[] = [];
    child.stderr.on("data", (chunk: Buffer) => said.push(chunk.toString()) > 20 && said.shift());
    child.stderr.pipe(this.#log, { end: false });
    const lines = createInterface({ input: child.stdout });
    await new Promise<void>((resolve, reject) => {
      const late = clock.after(startDeadlineMs, () =>
        reject(new Error(`${part.does} did not get ready: ${said.join("")}`)),
      );
      child.once("error", reject);
      child.once("exit", (code, signal) => {
        late.cancel();
        reject(new Error(`${part.does} ended (${code ?? signal}): ${said.join("").trim()}`));
      });
      const settle = () => {
        late.cancel();
        resolve();
      };
      if (part.readyLine === undefined) child.once("spawn", settle);
      lines.on("line", (line) => {
        if (part.readyLine === undefined || !line.startsWith(part.readyLine)) return;
        this.readyText = line.slice(part.readyLine.length);
        settle();
      });
    });
    this.#options.onStart();
    child.removeAllListeners("exit");
    child.once("exit", (code, signal) => this.#ended(String(code ?? signal)));
  }

  /** A part that dies is started again, a little later each time. */
  #ended(how: string): void {
    if (this.#stopping) return;
    const { clock, part, onRestart } = this.#options;
    onRestart(part, how);
    const delay = Math.min(firstRestartMs * 2 ** this.#restarts++, longestRestartMs);
    clock.after(delay, () => {
      if (!this.#stopping) this.start().catch((error: unknown) => this.#ended(String(error)));
    });
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    const child = this.#process;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
    child.kill("SIGTERM");
    const late = this.#options.clock.after(stopDeadlineMs, () => child.kill("SIGKILL"));
    await ended;
    late.cancel();
    this.#log.end();
  }
}

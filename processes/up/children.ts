/** The processes of a data directory, on record for `status`, `down`, and the next start should this one be killed. */
import { join } from "node:path";
import { systemClock } from "@atoll/machinery/clock";
import { startOf } from "@atoll/runtime/identity";
import { Child } from "./child.ts";
import type { Part } from "./parts.ts";
import { removeRecord, type Running, writeRecord } from "./running.ts";
import { untilStopped } from "../signals.ts";
import { step } from "./steps.ts";
import { sweep } from "./sweep.ts";

/** Starts parts, keeps them running, and ends them in order. */
export class Children {
  readonly #data: string;
  readonly #children: Child[] = [];
  readonly #stopping = new AbortController();

  constructor(data: string) {
    this.#data = data;
  }

  /** Starts what `start` does and runs until a signal or a failure, then ends everything. */
  async run(start: (stopping: AbortSignal) => Promise<undefined>): Promise<void> {
    const stopped = untilStopped();
    // Whoever listened may go away.
    for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);
    try {
      await this.#record();
      const ready = start(this.#stopping.signal);
      const signal = await Promise.race([stopped, ready]);
      if (signal === undefined) await stopped;
      else ready.catch(() => undefined);
    } finally {
      await this.#stop();
    }
  }

  /** Starts a part, shown as a step. */
  async start(part: Part): Promise<Child> {
    this.#stopping.signal.throwIfAborted();
    const child = new Child({
      part,
      clock: systemClock,
      logFile: join(this.#data, "log", `${part.name}.log`),
      onRestart: ({ does }, how) => process.stderr.write(`${does} ended (${how}); starting it again\n`),
      onStart: () => void this.#record(),
    });
    this.#children.push(child);
    await step(part.does, async () => await child.start());
    return child;
  }

  async #record(): Promise<void> {
    const describe = async (name: string, pid: number): Promise<Running> => ({
      name,
      pid,
      started: (await startOf(pid)) ?? "",
    });
    const up = await describe("up", process.pid);
    const parts = await Promise.all(this.#children.map((child) => describe(child.name, child.pid ?? 0)));
    const server = this.#children.find(({ name }) => name === "server");
    await writeRecord(this.#data, { up, parts, url: server?.readyText ?? "" });
  }

  /** The spherelet first, so that nothing starts machines while they are ended. */
  async #stop(): Promise<void> {
    this.#stopping.abort(new Error("it is being stopped"));
    const spherelet = this.#children.find(({ name }) => name === "spherelet");
    const others = this.#children.filter((child) => child !== spherelet).toReversed();
    await spherelet?.stop();
    // What cannot be swept away now is when the next `down` or `up` comes; the others end all the same.
    const problem = await sweep(this.#data).then(() => undefined, toError);
    for (const child of others) await child.stop();
    await removeRecord(this.#data);
    if (problem !== undefined) throw problem;
  }
}

const toError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));

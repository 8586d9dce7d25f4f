/** Changes to nftables: each atomic, those that are asked for while one is under way go together in the next. */
import { run } from "./run.ts";

interface Change {
  readonly lines: readonly string[];
  done(): void;
  failed(error: unknown): void;
}

/** Hands changes to nft(8), one process at a time. */
export class Transactions {
  #waiting: Change[] = [];
  #busy = false;

  /**
   * Makes a change, wholly or not at all.
   * @param lines statements of nft(8), in order
   * @throws {ProgramFailed} nothing changed
   */
  async commit(lines: readonly string[]): Promise<void> {
    await new Promise<void>((done, failed) => {
      this.#waiting.push({ lines, done, failed });
      if (!this.#busy) void this.#drain();
    });
  }

  async #drain(): Promise<void> {
    this.#busy = true;
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      await apply(batch);
    }
    this.#busy = false;
  }
}

/** One bad change among several keeps only itself from happening. */
async function apply(batch: readonly Change[]): Promise<void> {
  try {
    await commitText(batch.flatMap(({ lines }) => lines));
    for (const change of batch) change.done();
  } catch (error) {
    const [only, ...others] = batch;
    if (others.length === 0) return only?.failed(error);
    for (const change of batch) await apply([change]);
  }
}

async function commitText(lines: readonly string[]): Promise<void> {
  await run("nft", ["-f", "-"], `${lines.join("\n")}\n`);
}

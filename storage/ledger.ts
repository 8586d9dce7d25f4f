/**
 * What a program claims to have written (ledger-writer.ts), held against what a store shows after the program is gone.
 */
import assert from "node:assert/strict";
import { record } from "./recorder.ts";
import type { Entry, Store } from "./store.ts";

/** How ledger-writer.ts writes. */
export interface LedgerOptions {
  /** Keys written at once. */
  readonly keys: number;
  /** Writes of each key before the program ends by itself; 0: never. */
  readonly writes: number;
}

/** The bytes that a ledger's value stands for; a delete has "-" in the place of a value. */
export function ledgerValue(key: string, text: string): Buffer {
  return Buffer.from(`${key} ${text} ${"x".repeat(1200)}`);
}

interface Held {
  /** Undefined: no such key. */
  readonly text: string | undefined;
  readonly revision: number;
}

/** What a store must hold, over any number of runs of the program. */
export class Ledger {
  readonly #held = new Map<string, Held>();
  readonly #trying = new Map<string, string>();
  #acknowledged = new Map<number, string>();
  #opened = 0;
  #highest = 0;
  /** Writes acknowledged in all runs. */
  total = 0;
  /** Writes that failed in all runs. */
  refused = 0;

  /** Takes what one run wrote to its stdout. A last line cut short never happened. */
  read(output: string): void {
    this.#acknowledged = new Map();
    this.#trying.clear();
    for (const line of output.split("\n").slice(0, -1)) {
      const [word, key = "", text = ""] = line.split(" ");
      if (word === "open") this.#open(Number(key));
      else if (word === "try") this.#trying.set(key, text);
      else if (word === "ok") this.#ok(key, Number(text));
      else if (word === "no") this.#no(key);
      else assert.fail(`what is ${line}?`);
    }
  }

  /**
   * Checks that every acknowledged write is there, that one without an answer is there whole or not at all, and that
   * no revision was used twice. What is found is what the next run starts from.
   * @param history also check that a watch since the run began tells each acknowledged write once
   */
  async check(store: Store, { history }: { history: boolean }): Promise<void> {
    for (const [key, { text, revision }] of this.#held) {
      const found = await store.get(key);
      const trying = this.#trying.get(key);
      if (holds(found, key, text) && (found === undefined || found.modRevision === revision)) continue;
      assert.ok(trying !== undefined, `${key}: acknowledged ${text} at ${revision}, found ${describe(found)}`);
      assert.ok(
        holds(found, key, trying === "-" ? undefined : trying),
        `${key}: tried ${trying}, found ${describe(found)}`,
      );
      this.#held.set(key, { text: trying === "-" ? undefined : trying, revision: found?.modRevision ?? revision });
      if (found !== undefined) assert.ok(found.modRevision > revision && !this.#acknowledged.has(found.modRevision));
    }
    if (history) await this.#checkHistory(store);
    this.#highest = Math.max(this.#highest, await store.revision());
  }

  async #checkHistory(store: Store): Promise<void> {
    const watch = await record(store, "/ledger/", this.#opened).caughtUp(store);
    const told = new Map(watch.told.map(({ key, revision }) => [revision, key]));
    for (const [revision, key] of this.#acknowledged)
      assert.equal(told.get(revision), key, `revision ${revision} untold`);
    const unanswered = watch.told.filter(({ revision }) => !this.#acknowledged.has(revision));
    for (const { key } of unanswered) assert.ok(this.#trying.has(key), `nobody tried ${key}`);
    watch.watch.close();
  }

  #open(revision: number): void {
    assert.ok(revision >= this.#highest, `opened at revision ${revision}, but ${this.#highest} was used`);
    this.#opened = revision;
  }

  #ok(key: string, revision: number): void {
    const text = this.#trying.get(key);
    assert.ok(revision > this.#opened, `revision ${revision} was used before`);
    assert.ok(!this.#acknowledged.has(revision), `revision ${revision} was used twice`);
    this.#acknowledged.set(revision, key);
    this.#highest = Math.max(this.#highest, revision);
    this.#held.set(key, { text: text === "-" ? undefined : text, revision });
    this.#trying.delete(key);
    this.total++;
  }

  #no(key: string): void {
    this.#trying.delete(key);
    this.refused++;
  }
}

function holds(found: Entry | undefined, key: string, text: string | undefined): boolean {
  if (found === undefined || text === undefined) return found === undefined && text === undefined;
  return found.value.equals(ledgerValue(key, text));
}

function describe(found: Entry | undefined): string {
  return found === undefined ? "nothing" : `${found.value.toString("utf8", 0, 60)} at ${found.modRevision}`;
}

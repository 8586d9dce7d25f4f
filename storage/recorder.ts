/** A sink for tests that remembers what a watch told, and checks that the telling keeps its promises. */
import assert from "node:assert/strict";
import { systemClock } from "@atoll/machinery/clock";
import type { Change, Store, Watch, WatchSink } from "./store.ts";

// Far above what any kind needs, so that only a lost event fails.
const patienceMs = 20_000;

/** Remembers changes in the order told. */
export class Recorder implements WatchSink {
  readonly told: Change[] = [];
  progressed = 0;
  /** The argument of ended(), in an array: an undefined one counts. */
  end: [Error | undefined] | undefined;
  #inside = false;
  #at = 0;

  changes(changes: readonly Change[]): void {
    assert.equal(this.#inside, false, "calls overlap");
    assert.equal(this.end, undefined, "told after the end");
    this.#inside = true;
    assert.ok(changes.length > 0, "an empty call");
    for (const change of changes) {
      assert.ok(change.revision > this.#at, `revision ${change.revision} told after ${this.#at}`);
      this.#at = change.revision;
      this.told.push(change);
    }
    this.onChanges(changes);
    this.#inside = false;
  }

  /** For tests that act from inside the sink. */
  onChanges(_changes: readonly Change[]): void {}

  progress(revision: number): void {
    assert.equal(this.#inside, false, "calls overlap");
    assert.ok(revision >= this.#at, `progress ${revision} below ${this.#at}`);
    this.#at = revision;
    this.progressed = Math.max(this.progressed, revision);
  }

  ended(error: Error | undefined): void {
    assert.equal(this.end, undefined, "ended twice");
    this.end = [error];
  }

  /** Keys and values told, as text: `+key=value`, `-key`. */
  get texts(): string[] {
    return this.told.map(({ key, entry }) => (entry === undefined ? `-${key}` : `+${key}=${entry.value.toString()}`));
  }

  /** Waits for everything that is committed by now; gives this. */
  async caughtUp(store: Store): Promise<this> {
    const revision = await store.revision();
    store.progress();
    await until(() => this.progressed >= revision || this.end !== undefined, `progress to ${revision}`);
    return this;
  }

  /** Waits for the end; gives its error. */
  async over(): Promise<Error | undefined> {
    await until(() => this.end !== undefined, "the end of the watch");
    return this.end?.[0];
  }
}

/** Starts a recorded watch. */
export function record(store: Store, prefix: string, after: number): Recorder & { watch: Watch } {
  const recorder = new Recorder();
  return Object.assign(recorder, { watch: store.watch(prefix, after, recorder) });
}

/** Waits for a condition. */
export async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const deadline = systemClock.monotonicMs() + patienceMs;
  while (!(await condition())) {
    if (systemClock.monotonicMs() > deadline) assert.fail(`waited ${patienceMs} ms for ${what}`);
    await systemClock.sleep(2);
  }
}

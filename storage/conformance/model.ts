/**
 * Random histories against a model: a Map of the present and an array of changes. After every step what the store
 * tells must be what the model tells.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { bytes, type Declare } from "./parts.ts";
import { Recorder } from "../recorder.ts";
import { type Change, Compacted, type Entry, KeyExists, RevisionMismatch, type Store, type Watch } from "../store.ts";

type Step =
  | { readonly do: "put" | "remove" | "putStale" | "get"; readonly key: string; readonly value: string }
  | {
      readonly do: "list";
      readonly prefix: string;
      readonly back: number;
      readonly limit: number;
      readonly after: string;
    }
  | { readonly do: "watch"; readonly prefix: string; readonly back: number }
  | { readonly do: "unwatch" | "compact"; readonly back: number };

// Prefixes that end inside one another's names, and keys above U+FFFF, where orders differ.
const keys = ["/a/1", "/a/10", "/a/2", "/a", "/ab/1", "/b/\uffff", "/b/😀", "/b/c/d"];
const prefixes = ["", "/a", "/a/", "/a/1", "/b/", "/c"];

const back = fc.nat({ max: 12 });
const keyed = { key: fc.constantFrom(...keys), value: fc.string({ maxLength: 4 }) };
const write = { ...keyed, do: fc.constantFrom("put" as const, "put" as const, "remove" as const) };
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record(write) },
  { weight: 2, arbitrary: fc.record({ ...keyed, do: fc.constantFrom("putStale" as const, "get" as const) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("list" as const),
      prefix: fc.constantFrom(...prefixes),
      back,
      limit: fc.integer({ min: 1, max: 9 }),
      after: fc.constantFrom("", ...keys),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant("watch" as const), prefix: fc.constantFrom(...prefixes), back }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom("unwatch" as const, "compact" as const), back }) },
);

/** Declares the model test. */
export function testModel(declare: Declare, histories: number): void {
  declare("random histories agree with a model", async ({ store }) => {
    let run = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 60 }), async (steps) => {
        const model = new Model(store, `/run${run++}`);
        await model.begin();
        for (const one of steps) await model.take(one);
        await model.finish();
      }),
      { numRuns: histories, endOnFailure: true },
    );
  });
}

interface Watched {
  readonly prefix: string;
  readonly after: number;
  readonly recorder: Recorder;
  readonly watch: Watch;
  readonly compacted: boolean;
}

class Model {
  readonly #store: Store;
  readonly #root: string;
  readonly #present = new Map<string, Entry>();
  readonly #changes: Change[] = [];
  readonly #watches: Watched[] = [];
  // Revisions of this run: its start and each of its writes.
  readonly #marks: number[] = [];
  #oldest = 0;

  constructor(store: Store, root: string) {
    this.#store = store;
    this.#root = root;
  }

  async begin(): Promise<void> {
    this.#marks.push(await this.#store.revision());
    this.#oldest = await this.#store.oldest();
  }

  async take(step: Step): Promise<void> {
    switch (step.do) {
      case "put":
        return this.#put(this.#root + step.key, bytes(step.value));
      case "remove":
        return this.#remove(this.#root + step.key);
      case "putStale":
        return this.#putStale(this.#root + step.key, bytes(step.value));
      case "get":
        return assert.deepEqual(await this.#store.get(this.#root + step.key), this.#present.get(this.#root + step.key));
      case "list":
        return this.#list(step);
      case "watch":
        return this.#watch(this.#root + step.prefix, this.#mark(step.back));
      case "unwatch":
        return this.#unwatch(step.back);
      case "compact":
        return this.#compact(this.#mark(step.back));
    }
  }

  async finish(): Promise<void> {
    while (this.#watches.length > 0) await this.#unwatch(0);
  }

  async #put(key: string, value: Buffer): Promise<void> {
    const previous = this.#present.get(key);
    const entry =
      previous === undefined
        ? await this.#store.create(key, value)
        : await this.#store.update(key, previous.modRevision, value);
    const createRevision = previous?.createRevision ?? entry.modRevision;
    assert.deepEqual(entry, { key, value, createRevision, modRevision: entry.modRevision });
    this.#committed({ key, revision: entry.modRevision, entry, previous });
  }

  async #remove(key: string): Promise<void> {
    const previous = this.#present.get(key);
    if (previous === undefined) return assert.rejects(this.#store.delete(key, this.#mark(0)), RevisionMismatch);
    const revision = await this.#store.delete(key, previous.modRevision);
    this.#committed({ key, revision, entry: undefined, previous });
  }

  async #putStale(key: string, value: Buffer): Promise<void> {
    const found = this.#present.get(key);
    if (found !== undefined) await assert.rejects(this.#store.create(key, value), KeyExists);
    const stale = (found?.modRevision ?? this.#mark(0)) - 1;
    await assert.rejects(this.#store.update(key, stale, value), RevisionMismatch);
    await assert.rejects(this.#store.delete(key, stale), RevisionMismatch);
  }

  async #list(step: Extract<Step, { do: "list" }>): Promise<void> {
    const revision = this.#mark(step.back);
    const prefix = this.#root + step.prefix;
    const after = this.#root + step.after;
    const listing = this.#store.list(prefix, { revision, after, limit: step.limit });
    if (revision < this.#oldest) return assert.rejects(listing, Compacted);
    const all = this.#at(revision).filter(({ key }) => key.startsWith(prefix));
    const left = all.filter(({ key }) => Buffer.compare(bytes(key), bytes(after)) > 0);
    const page = await listing;
    assert.deepEqual(page.entries, left.slice(0, step.limit));
    assert.equal(page.more, left.length > step.limit);
    assert.equal(page.revision, revision);
    assert.equal(page.total ?? all.length, all.length);
  }

  async #watch(prefix: string, after: number): Promise<void> {
    const recorder = new Recorder();
    const compacted = after < this.#oldest;
    this.#watches.push({ prefix, after, recorder, watch: this.#store.watch(prefix, after, recorder), compacted });
    // Replay reads history after watch() returned: a later compaction may overtake it, which a test must not depend on.
    if (!compacted) await recorder.caughtUp(this.#store);
  }

  async #unwatch(nth: number): Promise<void> {
    const [watched] = this.#watches.splice(nth % Math.max(1, this.#watches.length), 1);
    if (watched === undefined) return;
    const { prefix, after, recorder, watch, compacted } = watched;
    if (compacted) {
      assert.ok((await recorder.over()) instanceof Compacted);
      return assert.deepEqual(recorder.told, []);
    }
    await recorder.caughtUp(this.#store);
    watch.close();
    assert.equal(await recorder.over(), undefined);
    const expected = this.#changes.filter(({ key, revision }) => key.startsWith(prefix) && revision > after);
    assert.deepEqual(recorder.told, expected);
  }

  async #compact(revision: number): Promise<void> {
    await this.#store.compact(revision);
    this.#oldest = Math.max(this.#oldest, revision);
    assert.equal(await this.#store.oldest(), this.#oldest);
  }

  #committed(change: Change): void {
    assert.ok(change.revision > this.#mark(0));
    this.#marks.push(change.revision);
    this.#changes.push(change);
    if (change.entry === undefined) this.#present.delete(change.key);
    else this.#present.set(change.key, change.entry);
  }

  // The revision `back` writes ago.
  #mark(back: number): number {
    return this.#marks[Math.max(0, this.#marks.length - 1 - back)] ?? 1;
  }

  #at(revision: number): Entry[] {
    const then = new Map<string, Entry>();
    for (const { key, entry, revision: at } of this.#changes) {
      if (at > revision) break;
      if (entry === undefined) then.delete(key);
      else then.set(key, entry);
    }
    return [...then.values()].sort((a, b) => Buffer.compare(bytes(a.key), bytes(b.key)));
  }
}

/**
 * What every Store promises (store.ts), as tests. Each implementation's own test calls runConformance with a way to
 * open it.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { testConcurrency } from "./conformance/concurrency.ts";
import { testModel } from "./conformance/model.ts";
import { bytes, type Declare, type Opened, texts } from "./conformance/parts.ts";
import { testWatch } from "./conformance/watch.ts";
import { Compacted, FutureRevision, KeyExists, RevisionMismatch, StoreUnavailable } from "./store.ts";

/** How thorough to be. */
export interface Thoroughness {
  /** Histories that the model test makes. Default 60. */
  readonly histories?: number;
}

/** Declares the whole suite for one kind of store. */
export function runConformance(name: string, open: () => Promise<Opened>, options: Thoroughness = {}): void {
  const declare: Declare = (subject, body) => {
    test(`${name}: ${subject}`, async (t) => {
      const opened = await open();
      try {
        await body(opened, t);
      } finally {
        await opened.dispose();
      }
    });
  };
  testWrites(declare);
  testLists(declare);
  testHistory(declare);
  testEnds(declare);
  testWatch(declare);
  testConcurrency(declare);
  testModel(declare, options.histories ?? 60);
}

function testWrites(declare: Declare): void {
  declare("create() makes a key that get() then shows", async ({ store }) => {
    const before = await store.revision();
    assert.ok(before > 0);
    const made = await store.create("/a/1", bytes("one"));
    assert.ok(made.modRevision > before);
    assert.equal(made.createRevision, made.modRevision);
    assert.deepEqual(await store.get("/a/1"), made);
    assert.equal(await store.revision(), made.modRevision);
    assert.equal(await store.get("/a"), undefined);
    assert.equal(await store.get("/a/11"), undefined);
  });
  declare("create() of a key that exists throws KeyExists with it and writes nothing", async ({ store }) => {
    const made = await store.create("/a/1", bytes("one"));
    await assert.rejects(store.create("/a/1", bytes("two")), (error) => {
      assert.ok(error instanceof KeyExists);
      assert.deepEqual(error.found, made);
      return true;
    });
    assert.equal(await store.revision(), made.modRevision);
  });
  declare("update() replaces a value at the expected revision only", async ({ store }) => {
    const made = await store.create("/a/1", bytes("one"));
    const updated = await store.update("/a/1", made.modRevision, bytes("two"));
    assert.ok(updated.modRevision > made.modRevision);
    assert.equal(updated.createRevision, made.createRevision);
    assert.deepEqual(await store.get("/a/1"), updated);
    await assert.rejects(store.update("/a/1", made.modRevision, bytes("three")), mismatch(updated));
    await assert.rejects(store.update("/a/2", made.modRevision, bytes("three")), mismatch(undefined));
    assert.equal(await store.revision(), updated.modRevision);
  });
  declare("delete() removes a key at the expected revision only", async ({ store }) => {
    const made = await store.create("/a/1", bytes("one"));
    await assert.rejects(store.delete("/a/1", made.modRevision + 1), mismatch(made));
    await assert.rejects(store.delete("/a/2", made.modRevision), mismatch(undefined));
    const gone = await store.delete("/a/1", made.modRevision);
    assert.ok(gone > made.modRevision);
    assert.equal(await store.get("/a/1"), undefined);
    assert.equal(await store.revision(), gone);
    const again = await store.create("/a/1", bytes("two"));
    assert.ok(again.modRevision > gone);
    assert.equal(again.createRevision, again.modRevision);
  });
  declare("any bytes come back as they were, and so does any key", async ({ store }) => {
    const values = [Buffer.alloc(0), Buffer.from([0, 255, 0]), Buffer.alloc(1 << 20, 7)];
    const keys = ["/a/😀/\uffff", "/a/%2f'\"\\", "/a/ä b"];
    for (const key of keys) {
      const { createRevision: created } = await store.create(key, bytes("x"));
      let at = created;
      for (const value of values) {
        at = (await store.update(key, at, value)).modRevision;
        assert.deepEqual(await store.get(key), { key, value, createRevision: created, modRevision: at });
      }
    }
  });
}

function testLists(declare: Declare): void {
  declare("list() gives the entries of a prefix in the order of the keys' bytes", async ({ store }) => {
    const keys = ["/a/b/1", "/a/b", "/a/bc/1", "/a/b/\uffff", "/a/b/😀", "/b/1", "/a/B/1", "/a/b/10", "/a/b/2"];
    for (const key of keys) await store.create(key, bytes("v"));
    const ordered = (prefix: string): string[] =>
      keys.filter((key) => key.startsWith(prefix)).sort((x, y) => Buffer.compare(bytes(x), bytes(y)));
    for (const prefix of ["", "/a/b/", "/a/b", "/a/", "/c/", "/a/b/1"]) {
      const page = await store.list(prefix);
      assert.deepEqual(
        page.entries.map(({ key }) => key),
        ordered(prefix),
      );
      assert.equal(page.more, false);
      assert.equal(page.revision, await store.revision());
      if (page.total !== undefined) assert.equal(page.total, page.entries.length);
    }
  });
  declare("list() pages by limit and after, each key once", async ({ store }) => {
    for (let i = 0; i < 25; i++) await store.create(`/a/${String(i).padStart(2, "0")}`, bytes(String(i)));
    await store.create("/b/0", bytes("b"));
    for (const limit of [1, 7, 25, 26]) {
      const seen: string[] = [];
      for (let page = await store.list("/a/", { limit }); ; ) {
        assert.ok(page.entries.length <= limit);
        seen.push(...page.entries.map(({ value }) => String(value)));
        if (!page.more) break;
        page = await store.list("/a/", { limit, after: page.entries.at(-1)?.key ?? "", revision: page.revision });
      }
      assert.deepEqual(
        seen,
        Array.from({ length: 25 }, (_, i) => String(i)),
      );
    }
    assert.deepEqual(texts(await store.list("/a/", { after: "/a/23x" })), ["/a/24=24"]);
    assert.deepEqual(texts(await store.list("/a/", { after: "/", limit: 1 })), ["/a/00=0"]);
    assert.deepEqual(texts(await store.list("/a/", { after: "/b" })), []);
  });
  declare("list() at a revision shows that moment, page by page", async ({ store }) => {
    const one = await store.create("/a/1", bytes("one"));
    const two = await store.create("/a/2", bytes("two"));
    const then = await store.create("/a/4", bytes("four"));
    await store.update("/a/1", one.modRevision, bytes("changed"));
    await store.delete("/a/2", two.modRevision);
    await store.create("/a/3", bytes("three"));
    const recreated = await store.create("/a/2", bytes("again"));
    const at = { revision: then.modRevision };
    const whole = await store.list("/a/", at);
    assert.deepEqual(whole.entries, [one, two, then]);
    assert.equal(whole.revision, then.modRevision);
    assert.equal(whole.total ?? 3, 3);
    const first = await store.list("/a/", { ...at, limit: 2 });
    assert.deepEqual([first.entries, first.more], [[one, two], true]);
    const second = await store.list("/a/", { ...at, limit: 2, after: "/a/2" });
    assert.deepEqual([second.entries, second.more], [[then], false]);
    assert.deepEqual(texts(await store.list("/a/", { revision: recreated.modRevision })), [
      "/a/1=changed",
      "/a/2=again",
      "/a/3=three",
      "/a/4=four",
    ]);
    await assert.rejects(store.list("/a/", { revision: recreated.modRevision + 1 }), FutureRevision);
  });
}

function testHistory(declare: Declare): void {
  declare("compact() forgets the past and keeps the present", async ({ store }) => {
    const one = await store.create("/a/1", bytes("one"));
    const two = await store.create("/a/2", bytes("two"));
    const changed = await store.update("/a/1", one.modRevision, bytes("changed"));
    const gone = await store.delete("/a/2", two.modRevision);
    const last = await store.create("/a/3", bytes("three"));
    assert.ok((await store.oldest()) <= one.modRevision);
    await store.compact(changed.modRevision);
    assert.equal(await store.oldest(), changed.modRevision);
    await assert.rejects(store.list("/a/", { revision: two.modRevision }), Compacted);
    assert.deepEqual((await store.list("/a/", { revision: changed.modRevision })).entries, [changed, two]);
    assert.deepEqual((await store.list("/a/", { revision: gone })).entries, [changed]);
    await store.compact(two.modRevision);
    assert.equal(await store.oldest(), changed.modRevision);
    await assert.rejects(store.compact(last.modRevision + 1), FutureRevision);
    await store.compact(last.modRevision);
    assert.deepEqual((await store.list("")).entries, [changed, last]);
    assert.equal(await store.revision(), last.modRevision);
  });
  declare("reopening keeps entries, revisions and history", async (opened, t) => {
    if (opened.reopen === undefined) return t.skip("this kind keeps nothing");
    const one = await opened.store.create("/a/1", bytes("one"));
    const two = await opened.store.create("/a/2", Buffer.alloc(0));
    const changed = await opened.store.update("/a/1", one.modRevision, bytes("changed"));
    const gone = await opened.store.delete("/a/2", two.modRevision);
    const store = await opened.reopen();
    assert.equal(await store.revision(), gone);
    assert.deepEqual((await store.list("")).entries, [changed]);
    assert.deepEqual((await store.list("", { revision: two.modRevision })).entries, [one, two]);
    await store.compact(gone);
    const again = await opened.reopen();
    assert.equal(await again.oldest(), gone);
    assert.ok((await again.create("/a/2", bytes("new"))).modRevision > gone);
  });
}

function testEnds(declare: Declare): void {
  declare("a closed store refuses everything", async ({ store }) => {
    const made = await store.create("/a/1", bytes("one"));
    await store.healthy();
    await store.close();
    await assert.rejects(store.healthy(), StoreUnavailable);
    await assert.rejects(store.revision(), StoreUnavailable);
    await assert.rejects(store.get("/a/1"), StoreUnavailable);
    await assert.rejects(store.list(""), StoreUnavailable);
    await assert.rejects(store.create("/a/2", bytes("two")), StoreUnavailable);
    await assert.rejects(store.update("/a/1", made.modRevision, bytes("two")), StoreUnavailable);
    await assert.rejects(store.delete("/a/1", made.modRevision), StoreUnavailable);
    await assert.rejects(store.compact(made.modRevision), StoreUnavailable);
    await store.close();
  });
}

function mismatch(found: unknown): (error: unknown) => true {
  return (error) => {
    assert.ok(error instanceof RevisionMismatch, String(error));
    assert.deepEqual(error.found, found);
    return true;
  };
}

/** What every Store promises when many callers act at once. */
import assert from "node:assert/strict";
import { bytes, type Declare, texts } from "./parts.ts";
import { record } from "../recorder.ts";
import { type Entry, KeyExists, RevisionMismatch, type Store } from "../store.ts";

/** Declares the tests of concurrent use. */
export function testConcurrency(declare: Declare): void {
  declare("of many creates of one key at once exactly one succeeds", async ({ store }) => {
    const tries = await Promise.allSettled(Array.from({ length: 30 }, (_, i) => store.create("/a/1", bytes(`${i}`))));
    const made = tries.flatMap((tried) => (tried.status === "fulfilled" ? [tried.value] : []));
    assert.equal(made.length, 1);
    for (const tried of tries) {
      if (tried.status === "fulfilled") continue;
      assert.ok(tried.reason instanceof KeyExists, String(tried.reason));
      assert.deepEqual(tried.reason.found, made[0]);
    }
  });
  declare("concurrent compare-and-set loses no update, and a watch tells each", async ({ store }) => {
    await countUp([store], { keys: 3, callers: 12, rounds: 8 });
  });
  declare("two servers on the same data lose no update either", async (opened, t) => {
    if (opened.peer === undefined) return t.skip("this kind belongs to one process");
    await countUp([opened.store, await opened.peer()], { keys: 3, callers: 12, rounds: 8 });
  });
  declare("one server's write is what the other reads next", async (opened, t) => {
    if (opened.peer === undefined) return t.skip("this kind belongs to one process");
    const peer = await opened.peer();
    for (let i = 0; i < 20; i++) {
      const made = await opened.store.create(`/a/${i}`, bytes("v"));
      assert.deepEqual(await peer.get(`/a/${i}`), made);
      assert.ok((await peer.revision()) >= made.modRevision);
      assert.equal((await peer.list("/a/")).entries.length, i + 1);
    }
  });
  declare("writes in flight together get revisions of their own", async ({ store }) => {
    const start = await store.revision();
    const watch = record(store, "/a/", start);
    const made = await Promise.all(Array.from({ length: 300 }, (_, i) => store.create(`/a/${i}`, bytes(`${i}`))));
    assert.equal(new Set(made.map(({ modRevision }) => modRevision)).size, 300);
    await watch.caughtUp(store);
    const byRevision = made.toSorted((a, b) => a.modRevision - b.modRevision);
    assert.deepEqual(
      watch.told.map(({ entry }) => entry),
      byRevision,
    );
    assert.equal((await store.list("/a/")).entries.length, 300);
  });
  declare("of competing writes to one key one wins, and the others are told what it left", async ({ store }) => {
    for (let round = 0; round < 5; round++) {
      const key = `/a/${round}`;
      const { modRevision } = await store.create(key, bytes("0"));
      const tries = await Promise.allSettled([
        store.update(key, modRevision, bytes("1")),
        store.update(key, modRevision, bytes("2")),
        store.delete(key, modRevision),
      ]);
      assert.equal(tries.filter(({ status }) => status === "fulfilled").length, 1);
      const left = await store.get(key);
      for (const tried of tries) {
        if (tried.status === "fulfilled") continue;
        assert.ok(tried.reason instanceof RevisionMismatch, String(tried.reason));
        assert.deepEqual(tried.reason.found, left);
      }
    }
  });
}

interface Load {
  readonly keys: number;
  readonly callers: number;
  readonly rounds: number;
}

// Callers increment shared counters; at the end each counter must show every increment.
async function countUp(stores: readonly Store[], { keys, callers, rounds }: Load): Promise<void> {
  const [first] = stores;
  assert.ok(first !== undefined);
  const start = await first.revision();
  for (let i = 0; i < keys; i++) await first.create(`/count/${i}`, bytes("0"));
  const watches = stores.map((store) => record(store, "/count/", start));
  await Promise.all(
    Array.from({ length: callers }, async (_, caller) => {
      const store = stores[caller % stores.length] ?? first;
      for (let round = 0; round < rounds; round++) await increment(store, `/count/${(caller + round) % keys}`);
    }),
  );
  const sum = texts(await first.list("/count/")).reduce((total, text) => total + Number(text.split("=")[1]), 0);
  assert.equal(sum, callers * rounds);
  for (const [index, watch] of watches.entries()) {
    await watch.caughtUp(stores[index] ?? first);
    assert.equal(watch.told.length, keys + callers * rounds);
    for (const { previous, entry } of watch.told) {
      if (previous !== undefined) assert.equal(Number(String(entry?.value)), Number(String(previous.value)) + 1);
    }
  }
}

async function increment(store: Store, key: string): Promise<Entry> {
  let found = await store.get(key);
  for (;;) {
    assert.ok(found !== undefined);
    try {
      return await store.update(key, found.modRevision, bytes(String(Number(String(found.value)) + 1)));
    } catch (error) {
      if (!(error instanceof RevisionMismatch)) throw error;
      found = error.found;
    }
  }
}

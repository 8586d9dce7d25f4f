/** What every Store promises about watches. */
import assert from "node:assert/strict";
import { bytes, type Declare } from "./parts.ts";
import { record, Recorder, until } from "../recorder.ts";
import { Compacted, StoreUnavailable } from "../store.ts";

/** Declares the tests of watches. */
export function testWatch(declare: Declare): void {
  testTelling(declare);
  testReplay(declare);
  testEnd(declare);
}

function testTelling(declare: Declare): void {
  declare("watch() tells each change under its prefix with what was there before", async ({ store }) => {
    const start = await store.revision();
    const watch = record(store, "/a/", start);
    const other = record(store, "/b/", start);
    const made = await store.create("/a/1", bytes("one"));
    await store.create("/ab", bytes("not under the prefix"));
    const updated = await store.update("/a/1", made.modRevision, bytes("two"));
    const gone = await store.delete("/a/1", updated.modRevision);
    await watch.caughtUp(store);
    assert.deepEqual(watch.told, [
      { key: "/a/1", revision: made.modRevision, entry: made, previous: undefined },
      { key: "/a/1", revision: updated.modRevision, entry: updated, previous: made },
      { key: "/a/1", revision: gone, entry: undefined, previous: updated },
    ]);
    assert.deepEqual((await other.caughtUp(store)).told, []);
    assert.equal(watch.end, undefined);
  });
  declare("progress() reaches the current revision on every watch, an idle one too", async ({ store }) => {
    const idle = record(store, "/idle/", await store.revision());
    const busy = record(store, "/a/", await store.revision());
    for (let round = 0; round < 3; round++) {
      const { modRevision } = await store.create(`/a/${round}`, bytes("v"));
      store.progress();
      await until(() => idle.progressed >= modRevision && busy.progressed >= modRevision, "progress");
      assert.equal(busy.told.length, round + 1);
    }
  });
  declare("a write from inside a sink is told after the one being told", async ({ store }) => {
    const start = await store.revision();
    const second = new Recorder();
    const first = new Recorder();
    const writes: Promise<unknown>[] = [];
    first.onChanges = ([change]) => {
      if (change?.key === "/a/1") writes.push(store.create("/a/2", bytes("two")));
    };
    store.watch("/a/", start, first);
    store.watch("/a/", start, second);
    await store.create("/a/1", bytes("one"));
    await until(() => writes.length > 0, "the write from the sink");
    await Promise.all(writes);
    for (const watch of [first, second]) {
      assert.deepEqual((await watch.caughtUp(store)).texts, ["+/a/1=one", "+/a/2=two"]);
    }
  });
}

function testReplay(declare: Declare): void {
  declare("watch() replays from any revision, then goes on, with no gap and no repeat", async ({ store }) => {
    const start = await store.revision();
    const marks = [start];
    const all: string[] = [];
    const write = async (i: number): Promise<void> => {
      const key = `/a/${i % 3}`;
      const found = await store.get(key);
      if (found === undefined) marks.push((await store.create(key, bytes(String(i)))).modRevision);
      else if (i % 5 === 0) marks.push(await store.delete(key, found.modRevision));
      else marks.push((await store.update(key, found.modRevision, bytes(String(i)))).modRevision);
      all.push(found !== undefined && i % 5 === 0 ? `-${key}` : `+${key}=${i}`);
    };
    for (let i = 0; i < 20; i++) await write(i);
    const watches = marks.map((after, index) => ({ index, watch: record(store, "/a/", after) }));
    for (let i = 20; i < 40; i++) await write(i);
    const late = marks.map((after, index) => ({ index, watch: record(store, "/a/", after) }));
    for (const { index, watch } of [...watches, ...late]) {
      await watch.caughtUp(store);
      assert.deepEqual(watch.texts, all.slice(index));
      watch.watch.close();
    }
    const whole = await record(store, "/a/", start).caughtUp(store);
    let held = new Map<string, unknown>();
    for (const { key, entry, previous } of whole.told) {
      assert.deepEqual(previous, held.get(key));
      held = held.set(key, entry);
    }
  });
  declare("watch() from a revision still to come waits for it", async ({ store }) => {
    const future = (await store.revision()) + 1;
    const watch = record(store, "/a/", future);
    const skipped = await store.create("/a/1", bytes("one"));
    assert.equal(skipped.modRevision, future);
    await store.create("/a/2", bytes("two"));
    assert.deepEqual((await watch.caughtUp(store)).texts, ["+/a/2=two"]);
  });
  declare("watch() resumes after a reopening", async (opened, t) => {
    if (opened.reopen === undefined) return t.skip("this kind keeps nothing");
    const start = await opened.store.revision();
    const made = await opened.store.create("/a/1", bytes("one"));
    const updated = await opened.store.update("/a/1", made.modRevision, bytes("two"));
    const store = await opened.reopen();
    const watch = record(store, "/a/", made.modRevision);
    const gone = await store.delete("/a/1", updated.modRevision);
    await watch.caughtUp(store);
    assert.deepEqual(watch.told, [
      { key: "/a/1", revision: updated.modRevision, entry: updated, previous: made },
      { key: "/a/1", revision: gone, entry: undefined, previous: updated },
    ]);
    assert.equal((await record(store, "/a/", start).caughtUp(store)).told.length, 3);
  });
}

function testEnd(declare: Declare): void {
  declare("watch() from before the oldest revision ends with Compacted", async ({ store }) => {
    const start = await store.revision();
    const made = await store.create("/a/1", bytes("one"));
    const updated = await store.update("/a/1", made.modRevision, bytes("two"));
    await store.compact(updated.modRevision);
    const watch = record(store, "/a/", start);
    const error = await watch.over();
    assert.ok(error instanceof Compacted, String(error));
    assert.equal(error.oldest, updated.modRevision);
    assert.deepEqual(watch.told, []);
    assert.deepEqual((await record(store, "/a/", updated.modRevision).caughtUp(store)).told, []);
  });
  declare("a closed watch is told nothing more", async ({ store }) => {
    const watch = record(store, "/a/", await store.revision());
    const replaying = record(store, "/a/", await store.revision());
    replaying.watch.close();
    await store.create("/a/1", bytes("one"));
    await watch.caughtUp(store);
    watch.watch.close();
    watch.watch.close();
    assert.equal(await watch.over(), undefined);
    assert.equal(await replaying.over(), undefined);
    await store.create("/a/2", bytes("two"));
    assert.deepEqual((await record(store, "/a/", await store.revision()).caughtUp(store)).told, []);
    assert.deepEqual(watch.texts, ["+/a/1=one"]);
    assert.deepEqual(replaying.texts, []);
  });
  declare("a sink that throws loses its watch and nobody else's", async ({ store }) => {
    const start = await store.revision();
    const broken = new Recorder();
    let calls = 0;
    broken.onChanges = () => {
      calls++;
      throw new RangeError("broken sink");
    };
    store.watch("/a/", start, broken);
    const sound = record(store, "/a/", start);
    await store.create("/a/1", bytes("one"));
    await store.create("/a/2", bytes("two"));
    assert.ok((await broken.over()) instanceof RangeError);
    assert.deepEqual((await sound.caughtUp(store)).texts, ["+/a/1=one", "+/a/2=two"]);
    assert.equal(calls, 1);
  });
  declare("closing the store ends its watches", async ({ store }) => {
    const watch = record(store, "/a/", await store.revision());
    await store.close();
    assert.equal(await watch.over(), undefined);
    const late = record(store, "/a/", 1);
    assert.ok((await late.over()) instanceof StoreUnavailable);
  });
}

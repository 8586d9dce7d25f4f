import assert from "node:assert/strict";
import { test } from "node:test";
import { Feed, type Past } from "./feed.ts";
import { Recorder, until } from "./recorder.ts";
import type { Change } from "./store.ts";

test("Feed drops what waits for a watch that is far behind, and reads it from history instead", async () => {
  const history: Change[] = [];
  const held: (() => void)[] = [];
  const asked: number[] = [];
  const feed = new Feed(1, async (prefix, after, upTo): Promise<Past> => {
    asked.push(after);
    await new Promise<void>((resolve) => held.push(resolve));
    return {
      changes: history.filter(({ key, revision }) => key.startsWith(prefix) && revision > after && revision <= upTo),
      reached: upTo,
    };
  });
  const commit = (count: number): void => {
    for (let i = 0; i < count; i++) {
      const change = { key: `/${i % 2}`, revision: feed.revision + 1, entry: undefined, previous: undefined };
      history.push(change);
      feed.publish([change]);
    }
  };
  commit(10);
  const recorder = new Recorder();
  feed.watch("/", 1, recorder);
  for (const waiting of [15_000, 15_000, 50]) {
    await until(() => held.length > 0, "history to be asked for");
    commit(waiting);
    held.shift()?.();
  }
  await until(() => recorder.told.length === history.length, "everything");
  assert.deepEqual(recorder.told, history);
  assert.equal(asked.length, 3);
  commit(1);
  assert.equal(recorder.told.length, history.length);
});

test("Feed ends a watch whose history cannot be read with the reason", async () => {
  const feed = new Feed(5, () => Promise.reject(new RangeError("no disk")));
  const recorder = new Recorder();
  feed.watch("/", 1, recorder);
  assert.ok((await recorder.over()) instanceof RangeError);
});

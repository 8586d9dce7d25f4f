import assert from "node:assert/strict";
import test from "node:test";
import { ConfigMap } from "@atoll/client/builtin";
import type { Resource } from "@atoll/client/resource";
import { toKey } from "@atoll/client/resource";
import { clientOf } from "@atoll/harness/client";
import { ManualClock } from "@atoll/harness/clock";
import { startHarness } from "@atoll/harness/server";
import type { ApiObject } from "@atoll/machinery/object";
import { OwnWrites, patienceMs } from "./ownwrites.ts";

const key = toKey("n", "for");

function informer(revision: string, objects: Record<string, ApiObject> = {}) {
  return { revision, get: (name: string) => objects[name] };
}

test("OwnWrites waits until the informer has reached a write's revision", () => {
  const writes = new OwnWrites(new ManualClock());
  const seen = informer("99");
  writes.written(key, seen, "100");
  assert.equal(writes.isSeen(key), false);
  assert.equal(writes.isSeen(toKey("n", "other")), true);
  seen.revision = "100";
  assert.equal(writes.isSeen(key), true);
});

test("OwnWrites waits until a deleted object is gone, going, or another", () => {
  const writes = new OwnWrites(new ManualClock());
  const there = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a", uid: "1" } };
  const objects: Record<string, ApiObject> = { "n/a": there };
  const deleted = () => writes.deleted(key, informer("1", objects), { object: toKey("n", "a"), uid: "1" });
  deleted();
  assert.equal(writes.isSeen(key), false);
  objects["n/a"] = { ...there, metadata: { ...there.metadata, deletionTimestamp: "2026-01-01T00:00:00Z" } };
  assert.equal(writes.isSeen(key), true);
  objects["n/a"] = there;
  deleted();
  objects["n/a"] = { ...there, metadata: { name: "a", uid: "2" } };
  assert.equal(writes.isSeen(key), true);
});

test("OwnWrites does not wait for ever", () => {
  const clock = new ManualClock();
  const writes = new OwnWrites(clock);
  writes.written(key, informer("1"), "2");
  clock.advanceNow(patienceMs - 1);
  assert.equal(writes.isSeen(key), false);
  clock.advanceNow(1);
  assert.equal(writes.isSeen(key), true);
});

test("OwnWrites asks the API about a create whose answer never came", async (t) => {
  const harness = await startHarness();
  t.after(() => harness.close());
  const client = clientOf(harness);
  const made = await client.create(ConfigMap, { metadata: { name: "made", namespace: "default" } });
  const writes = new OwnWrites(new ManualClock());
  const resource = ConfigMap as unknown as Resource;
  writes.doubted(key, { resource, key: toKey("default", "made") });
  writes.doubted(key, { resource, key: toKey("default", "never") });
  const seen = informer("1");
  await writes.resolve(key, client, () => seen);
  assert.equal(writes.isSeen(key), false);
  seen.revision = made.metadata.resourceVersion ?? "";
  assert.equal(writes.isSeen(key), true);
});

import assert from "node:assert/strict";
import test from "node:test";
import { container, podOf } from "../lifecycle/testing.ts";
import { evictionFailure, firstToEvict, shortageOf } from "./eviction.ts";

const gibi = 1 << 30;
const candidate = (name: string, usedBytes: number, facts: { priority?: number; memory?: string } = {}) => {
  const resources = facts.memory === undefined ? {} : { requests: { memory: facts.memory } };
  const spec = { containers: [container("main", { resources })], priority: facts.priority ?? 0 };
  return { pod: podOf(spec, { metadata: { name, namespace: "shop", uid: name } }), usedBytes };
};

test("shortageOf() tells memory before disk, and neither while there is enough", () => {
  const plenty = { memoryBytes: gibi, diskBytes: 50, diskTotalBytes: 100 };
  assert.equal(shortageOf(plenty), undefined);
  assert.equal(shortageOf({ ...plenty, memoryBytes: 1 << 20, diskBytes: 1 }), "memory");
  assert.equal(shortageOf({ ...plenty, diskBytes: 9 }), "ephemeral-storage");
});

test("firstToEvict() takes who exceeds its request, then low priority, then the greatest excess", () => {
  const modest = candidate("modest", 10 << 20, { memory: "64Mi", priority: -10 });
  const greedy = candidate("greedy", 90 << 20, { memory: "64Mi" });
  const greedier = candidate("greedier", 200 << 20, { memory: "64Mi" });
  const dear = candidate("dear", 900 << 20, { memory: "64Mi", priority: 1000 });
  assert.equal(firstToEvict([modest, greedy, greedier, dear], "memory"), greedier);
  assert.equal(firstToEvict([modest, dear], "memory"), dear);
  assert.equal(firstToEvict([], "memory"), undefined);
  assert.equal(
    evictionFailure(greedy, "memory").message,
    "The node was low on resource: memory. Its machine was using 92160Ki, request is 65536Ki. ",
  );
});

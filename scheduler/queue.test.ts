import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { SchedulingQueue } from "./queue.ts";
import { podOf } from "./testing.ts";
import type { Wake } from "./world.ts";

const some = { matters: true, nowMs: 0 };
const on = (...wakes: Wake[]): ReadonlySet<Wake> => new Set(wakes);
const nameOf = (queue: SchedulingQueue, nowMs: number) => queue.next(nowMs)?.metadata.name;

test("the queue gives the most important Pod, and among equals the first", () => {
  const queue = new SchedulingQueue();
  for (const [name, priority] of [
    ["a", 0],
    ["b", 5],
    ["c", 0],
    ["d", 5],
  ] as const)
    queue.put(podOf(name, { priority }), some);
  assert.deepEqual(
    [1, 2, 3, 4, 5].map(() => nameOf(queue, 0)),
    ["b", "d", "a", "c", undefined],
  );
});

test("a parked Pod comes back when something happens that may help it, and only then", () => {
  const queue = new SchedulingQueue();
  queue.put(podOf("a"), some);
  assert.equal(nameOf(queue, 0), "a");
  queue.park("a", on("node"), 0);
  assert.ok(queue.isIdle);
  queue.wake("pod gone", 5_000);
  assert.equal(nameOf(queue, 5_000), undefined);
  queue.wake("node", 5_000);
  assert.equal(nameOf(queue, 5_000), "a");
});

test("a Pod that was refused need not wait for its back-off while nothing else is to be done; one that failed must", () => {
  const queue = new SchedulingQueue();
  for (const name of ["refused", "failed", "other"]) queue.put(podOf(name), some);
  assert.equal(nameOf(queue, 0), "refused");
  queue.park("refused", on("node"), 0);
  assert.equal(nameOf(queue, 0), "failed");
  assert.equal(queue.retry("failed", 0), 1_000);
  queue.wake("node", 10);
  assert.deepEqual([nameOf(queue, 10), nameOf(queue, 10), nameOf(queue, 10)], ["other", "refused", undefined]);
  assert.equal(queue.readyMs, 1_000);
  assert.equal(nameOf(queue, 1_000), "failed");
  assert.equal(queue.retry("failed", 1_000), 2_000);
  for (let n = 0; n < 5; n++) {
    assert.equal(nameOf(queue, 100_000 * (n + 1)), "failed");
    assert.ok(queue.retry("failed", 100_000 * (n + 1)) <= 10_000);
  }
});

test("a Pod that has been parked for five minutes is judged anew", () => {
  const queue = new SchedulingQueue();
  queue.put(podOf("a"), some);
  queue.next(0);
  queue.park("a", on("node"), 0);
  queue.flush(299_999);
  assert.equal(nameOf(queue, 299_999), undefined);
  queue.flush(300_000);
  assert.equal(nameOf(queue, 300_000), "a");
});

test("a Pod that changes is judged anew if what changed matters, and one that is gone is not", () => {
  const queue = new SchedulingQueue();
  queue.put(podOf("a"), some);
  queue.next(0);
  queue.park("a", on("node"), 0);
  queue.put(podOf("a"), { matters: false, nowMs: 9_000 });
  assert.equal(nameOf(queue, 9_000), undefined);
  queue.put(podOf("a", { priority: 3 }), { matters: true, nowMs: 9_000 });
  queue.drop("a");
  assert.equal(nameOf(queue, 9_000), undefined);
  assert.ok(queue.isIdle);
});

test("the queue gives every Pod that is due once, in the order of a sorted list", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -3, max: 3 }), { maxLength: 40 }), (priorities) => {
      const queue = new SchedulingQueue();
      const pods = priorities.map((priority, index) => podOf(String(index), { priority }));
      for (const pod of pods) queue.put(pod, some);
      const wanted = pods.toSorted((a, b) => (b.spec.priority ?? 0) - (a.spec.priority ?? 0));
      assert.deepEqual(
        pods.map(() => queue.next(0)),
        wanted,
      );
      assert.equal(queue.next(0), undefined);
    }),
  );
});

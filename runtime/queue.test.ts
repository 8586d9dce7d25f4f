import assert from "node:assert/strict";
import test from "node:test";
import { ManualClock } from "@atoll/harness/clock";
import fc from "fast-check";
import { Queue } from "./queue.ts";

const limits = { firstDelayMs: 5, longestDelayMs: 1000, retriesPerSecond: 10, burst: 100 };

function fresh(overrides: Partial<typeof limits> = {}) {
  const clock = new ManualClock();
  return { clock, queue: new Queue({ clock, limits: { ...limits, ...overrides } }) };
}

test("Queue gives a key once however often it was added", async () => {
  const { queue } = fresh();
  queue.add("a");
  queue.add("a");
  queue.add("b");
  assert.equal(await queue.take(), "a");
  assert.equal(await queue.take(), "b");
  assert.equal(queue.depth, 0);
});

test("Queue gives a key added while at work again, and only after done()", async () => {
  const { queue } = fresh();
  queue.add("a");
  await queue.take();
  queue.add("a");
  assert.equal(queue.depth, 0);
  queue.done("a");
  assert.equal(queue.depth, 1);
});

test("Queue doubles a failing key's delay up to the longest, and forget() begins anew", () => {
  const { queue } = fresh();
  const delays = Array.from({ length: 10 }, () => queue.retry("a"));
  assert.deepEqual(delays, [5, 10, 20, 40, 80, 160, 320, 640, 1000, 1000]);
  queue.forget("a");
  assert.equal(queue.retry("a"), 5);
});

test("Queue slows all retries together once the burst is spent", () => {
  const { queue, clock } = fresh({ burst: 2 });
  const delays = ["a", "b", "c", "d"].map((key) => queue.retry(key));
  assert.deepEqual(delays, [5, 5, 100, 200]);
  clock.advanceNow(10_000);
  assert.equal(queue.retry("e"), 5);
});

test("Queue keeps the earliest of a key's delays", async () => {
  const { queue, clock } = fresh();
  queue.addAfter("a", 100);
  queue.addAfter("a", 50);
  queue.addAfter("a", 70);
  clock.advanceNow(49);
  assert.equal(queue.depth, 0);
  clock.advanceNow(1);
  assert.equal(await queue.take(), "a");
  queue.done("a");
  clock.advanceNow(1000);
  assert.equal(queue.depth, 0);
});

test("Queue hands nothing out once closed, and lets takers go", async () => {
  const { queue } = fresh();
  const taken = queue.take();
  queue.close();
  assert.equal(await taken, undefined);
  queue.add("a");
  assert.equal(await queue.take(), undefined);
});

/** What the queue must do, written as plainly as can be. */
class Model {
  waiting: string[] = [];
  readonly working = new Map<string, boolean>();
  readonly delayed = new Map<string, number>();
  nowMs = 0;

  add(key: string): void {
    this.delayed.delete(key);
    if (this.working.has(key)) this.working.set(key, true);
    else if (!this.waiting.includes(key)) this.waiting.push(key);
  }

  addAfter(key: string, afterMs: number): void {
    if (afterMs <= 0) return this.add(key);
    const atMs = this.nowMs + afterMs;
    this.delayed.set(key, Math.min(atMs, this.delayed.get(key) ?? atMs));
  }

  advance(byMs: number): void {
    const endMs = this.nowMs + byMs;
    const due = [...this.delayed].filter(([, atMs]) => atMs <= endMs).sort(([, a], [, b]) => a - b);
    for (const [key] of due) this.add(key);
    this.nowMs = endMs;
  }

  take(): string | undefined {
    const key = this.waiting.shift();
    if (key !== undefined) this.working.set(key, false);
    return key;
  }

  done(key: string): void {
    const again = this.working.get(key);
    this.working.delete(key);
    if (again === true) this.waiting.push(key);
  }
}

const key = fc.constantFrom("a", "b", "c", "d");
const step = fc.oneof(
  fc.record({ do: fc.constant("add" as const), key }),
  fc.record({ do: fc.constant("addAfter" as const), key, afterMs: fc.integer({ min: 0, max: 50 }) }),
  fc.record({ do: fc.constant("advance" as const), byMs: fc.integer({ min: 0, max: 60 }) }),
  fc.record({ do: fc.constant("take" as const) }),
  fc.record({ do: fc.constant("done" as const), pick: fc.nat() }),
);

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

async function apply(
  each: Step,
  { queue, clock, model }: { queue: Queue; clock: ManualClock; model: Model },
): Promise<void> {
  if (each.do === "add") {
    queue.add(each.key);
    model.add(each.key);
  } else if (each.do === "addAfter") {
    queue.addAfter(each.key, each.afterMs);
    model.addAfter(each.key, each.afterMs);
  } else if (each.do === "advance") {
    clock.advanceNow(each.byMs);
    model.advance(each.byMs);
  } else if (each.do === "take" && queue.depth > 0) {
    assert.equal(await queue.take(), model.take());
  } else if (each.do === "done" && model.working.size > 0) {
    const busy = [...model.working.keys()][each.pick % model.working.size] ?? "";
    queue.done(busy);
    model.done(busy);
  }
}

test("Queue behaves as its model under any sequence of steps", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 200 }), async (steps) => {
      const { queue, clock } = fresh();
      const model = new Model();
      for (const each of steps) {
        await apply(each, { queue, clock, model });
        assert.equal(queue.depth, model.waiting.length);
        assert.equal(queue.idle, model.waiting.length + model.working.size === 0);
      }
    }),
    { numRuns: 500 },
  );
});

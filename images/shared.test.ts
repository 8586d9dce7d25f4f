import assert from "node:assert/strict";
import { test } from "node:test";
import { SharedWork, Slots } from "./shared.ts";

const tick = () => new Promise<void>((resolve) => setImmediate(resolve));

test("Slots.run() runs so many at once, in order, and goes on after a failure", async () => {
  const slots = new Slots(2);
  const started: number[] = [];
  const gates = Array.from({ length: 5 }, () => Promise.withResolvers<void>());
  const runs = gates.map((gate, index) =>
    slots.run(() => {
      started.push(index);
      return gate.promise;
    }),
  );
  const outcomes = Promise.allSettled(runs);
  await tick();
  assert.deepEqual(started, [0, 1]);
  gates[1]?.reject(new Error("failed"));
  await tick();
  assert.deepEqual(started, [0, 1, 2]);
  for (const gate of gates) gate.resolve();
  assert.deepEqual(
    (await outcomes).map(({ status }) => status),
    ["fulfilled", "rejected", "fulfilled", "fulfilled", "fulfilled"],
  );
  assert.deepEqual(started, [0, 1, 2, 3, 4]);
});

test("SharedWork.run() shares work under way and begins anew after it", async () => {
  const shared = new SharedWork<number>();
  let runs = 0;
  const work = async () => {
    runs += 1;
    await tick();
    return runs;
  };
  assert.deepEqual(await Promise.all([shared.run("k", undefined, work), shared.run("k", undefined, work)]), [1, 1]);
  assert.equal(await shared.run("k", undefined, work), 2);
});

test("SharedWork.run() calls work off when the last who waits goes, and not before", async () => {
  const shared = new SharedWork<void>();
  const stops = [new AbortController(), new AbortController()];
  let calledOff = false;
  const work = (signal: AbortSignal) =>
    new Promise<void>((_, reject) => {
      signal.addEventListener("abort", () => {
        calledOff = true;
        reject(new Error("called off"));
      });
    });
  const runs = stops.map((stop) => assert.rejects(shared.run("k", stop.signal, work), /gone/));
  await tick();
  stops[0]?.abort(new Error("gone"));
  await tick();
  assert.equal(calledOff, false);
  stops[1]?.abort(new Error("gone"));
  await Promise.all(runs);
  assert.equal(calledOff, true);
});

test("SharedWork.run() does not let anyone join work that was called off", async () => {
  const shared = new SharedWork<string>();
  const stop = new AbortController();
  const first = shared.run("k", stop.signal, () => new Promise(() => {}));
  await tick();
  stop.abort(new Error("gone"));
  const second = shared.run("k", undefined, async () => "fresh");
  await assert.rejects(first, /gone/);
  assert.equal(await second, "fresh");
});

import assert from "node:assert/strict";
import test from "node:test";
import { ManualClock } from "@atoll/harness/clock";
import { endsWithin } from "./clock.ts";

test("endsWithin() tells work that ended in time from work that did not, and leaves no timer behind", async () => {
  const clock = new ManualClock();
  assert.equal(await endsWithin(clock, 100, Promise.resolve("done")), true);
  const late = endsWithin(clock, 100, new Promise(() => undefined));
  await clock.advance(99);
  assert.equal(clock.pending, 1);
  await clock.advance(1);
  assert.equal(await late, false);
  assert.equal(clock.pending, 0);
});

test("endsWithin() throws what work fails with, and not what it fails with later", async () => {
  const clock = new ManualClock();
  await assert.rejects(endsWithin(clock, 100, Promise.reject(new Error("no"))), /no/);
  const work = Promise.withResolvers<void>();
  const waited = endsWithin(clock, 100, work.promise);
  await clock.advance(100);
  assert.equal(await waited, false);
  work.reject(new Error("nobody waits any more"));
  await clock.advance(1);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock } from "@atoll/harness/clock";
import { Allowance } from "./allowance.ts";

test("an address has its first refusals told, then one a second, and what was not told is counted", () => {
  const clock = new ManualClock();
  const allowance = new Allowance(clock);
  const told = Array.from({ length: 1_000 }, () => allowance.take("192.0.2.1")).filter((each) => each !== undefined);
  assert.deepEqual(told, Array(20).fill(0));
  assert.equal(allowance.take("192.0.2.2"), 980, "another's is told, and what was left out with it");
  clock.advanceNow(1_000);
  assert.equal(allowance.take("192.0.2.1"), 0);
  assert.equal(allowance.take("192.0.2.1"), undefined);
});

test("any number of addresses has no more told than all may have", () => {
  const clock = new ManualClock();
  const allowance = new Allowance(clock);
  let told = 0;
  for (let i = 0; i < 10_000; i++) if (allowance.take(`2001:db8::${i.toString(16)}`) !== undefined) told++;
  assert.equal(told, 200);
});

import assert from "node:assert/strict";
import test, { after } from "node:test";
import { Lease } from "@atoll/client/builtin";
import { toKey } from "@atoll/client/resource";
import { clientOf, eventually, transportTo } from "@atoll/harness/client";
import { Faults } from "@atoll/harness/faults";
import { startHarness } from "@atoll/harness/server";
import type { Clock } from "@atoll/machinery/clock";
import { formatMicroTime, systemClock } from "@atoll/machinery/clock";
import { hasEnded, processIdentity } from "./identity.ts";
import { Leadership } from "./lease.ts";
import { silent } from "./log.ts";

const harness = await startHarness();
after(() => harness.close());
const direct = clientOf(harness);

const times = { durationMs: 1_000, renewDeadlineMs: 600, retryMs: 50 };

/** A candidate whose wall clock is off by `skewMs`. */
function candidate(name: string, identity: string, skewMs = 0) {
  const faults = new Faults(transportTo(harness));
  const clock: Clock = { ...systemClock, nowMs: () => systemClock.nowMs() + skewMs };
  const client = clientOf(harness, faults);
  const options = { client, clock, log: silent, random: () => 0, namespace: "kube-system", name, identity, times };
  const stopping = new AbortController();
  const state = { leading: false, led: 0 };
  const work = async (signal: AbortSignal) => {
    state.leading = true;
    state.led++;
    await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
    state.leading = false;
  };
  const ended = new Leadership(options).lead(work, stopping.signal);
  const stop = async () => {
    stopping.abort();
    await ended;
    faults.close();
  };
  return { faults, state, ended, stop };
}

const holder = async (name: string) => (await direct.get(Lease, toKey("kube-system", name))).spec;

test("Leadership goes to one of two, and at once to the other when the first stops", async () => {
  const first = candidate("handover", "first");
  await eventually("the first leads", () => first.state.leading);
  const second = candidate("handover", "second");
  await systemClock.sleep(300);
  assert.equal(second.state.leading, false);
  assert.equal((await holder("handover")).holderIdentity, "first");
  await first.stop();
  await eventually("the second leads", () => second.state.leading);
  const spec = await holder("handover");
  assert.equal(spec.holderIdentity, "second");
  assert.equal(spec.leaseTransitions, 1);
  await second.stop();
  assert.equal((await holder("handover")).holderIdentity ?? "", "");
});

test("Leadership is lost before another can have it, when the API is out of reach", async () => {
  const first = candidate("cutoff", "first");
  await eventually("the first leads", () => first.state.leading);
  const second = candidate("cutoff", "second");
  first.faults.crash();
  let both = false;
  await eventually("the second leads", () => {
    both ||= first.state.leading && second.state.leading;
    return second.state.leading;
  });
  assert.equal(both, false);
  await first.ended;
  await second.stop();
});

test("Leadership is not taken from a leader whose clock is an hour behind or ahead", async () => {
  for (const skewMs of [-3_600_000, 3_600_000]) {
    const name = skewMs < 0 ? "behind" : "ahead";
    const first = candidate(name, "first", skewMs);
    await eventually("the first leads", () => first.state.leading);
    const second = candidate(name, "second");
    await systemClock.sleep(times.durationMs * 1.5);
    assert.deepEqual([first.state.leading, second.state.leading], [true, false]);
    await second.stop();
    await first.stop();
  }
});

test("Leadership is lost when somebody else holds the lease after all", async () => {
  const first = candidate("stolen", "first");
  await eventually("the first leads", () => first.state.leading);
  await direct.patch(Lease, {
    key: toKey("kube-system", "stolen"),
    patch: { type: "merge", body: { spec: { holderIdentity: "thief" } } },
  });
  assert.equal(await first.ended, true);
  assert.equal(first.state.leading, false);
  assert.equal((await holder("stolen")).holderIdentity, "thief");
  await first.stop();
});

test("the lease of a process that was killed on the same host is taken at once; nobody else's is", async () => {
  const own = await processIdentity();
  assert.equal(await hasEnded(own), false);
  assert.equal(await hasEnded(own.replace(/-\d+_/, "-1_")), true);
  assert.equal(await hasEnded(own.replace(/_[0-9a-f]{16}-/, "_0123456789abcdef-")), false);
  assert.equal(await hasEnded("elsewhere_42_abcdef"), false);
  const slow = { durationMs: 3_600_000, renewDeadlineMs: 600, retryMs: 50 };
  const around = { client: direct, clock: systemClock, log: silent, random: () => 0, namespace: "kube-system" };
  const gone = own.replace(/-\d+_/, "-1_");
  const now = formatMicroTime(systemClock.nowMs());
  const spec = { holderIdentity: gone, leaseDurationSeconds: 3600, renewTime: now, acquireTime: now };
  await direct.create(Lease, { metadata: { namespace: "kube-system", name: "orphan" }, spec });
  const stopping = new AbortController();
  const options = { ...around, name: "orphan", identity: own, times: slow, hasEnded };
  const led = new Leadership(options).lead(async () => stopping.abort(), stopping.signal);
  assert.equal(await led, true);
});

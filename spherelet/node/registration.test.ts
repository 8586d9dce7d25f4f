import assert from "node:assert/strict";
import test from "node:test";
import type { NodeStatus } from "@atoll/api/builtin/core/v1.types";
import { Lease, Namespace, Node } from "@atoll/client/builtin";
import { Client } from "@atoll/client/client";
import { isAlreadyExists } from "@atoll/client/errors";
import { toKey } from "@atoll/client/resource";
import type { Transport } from "@atoll/client/transport";
import { TransportFailed } from "@atoll/client/transport";
import { clientOf, eventually, transportTo } from "@atoll/harness/client";
import { ManualClock } from "@atoll/harness/clock";
import { startHarness } from "@atoll/harness/server";
import { systemClock } from "@atoll/machinery/clock";
import { logTo, silent } from "@atoll/runtime/log";
import { LeaseTerm } from "./leaseterm.ts";
import { Registration } from "./registration.ts";

test("after a silence in which it was given up, and before which its term was over, a node tells anew that it is well", async (t) => {
  const harness = await startHarness();
  const client = clientOf(harness);
  const clock = new ManualClock(systemClock.nowMs());
  const inner = transportTo(harness);
  let cut = false;
  const transport: Transport = {
    async request(request) {
      if (cut) throw new TransportFailed("cut off", { uncertain: false });
      return inner.request(request);
    },
    close: () => inner.close(),
  };
  await client.create(Namespace, { metadata: { name: "kube-node-lease" } }).catch((error: unknown) => {
    if (!isAlreadyExists(error)) throw error;
  });
  const ready = { type: "Ready", status: "True", lastHeartbeatTime: null, lastTransitionTime: null };
  const term = new LeaseTerm(clock);
  const registration = new Registration({
    term,
    client: new Client({ transport, clock, userAgent: "test" }),
    clock,
    log: silent,
    name: "n",
    labels: {},
    status: async () => ({ conditions: [ready] }) as unknown as NodeStatus,
  });
  t.after(async () => {
    await registration.stop();
    transport.close();
    await harness.close();
  });
  const pass = async (ms: number) => {
    for (let i = 0; i < ms; i += 5_000) {
      await systemClock.sleep(40);
      await clock.advance(5_000);
    }
  };
  const key = toKey(undefined, "n");
  const readiness = async () => (await client.get(Node, key)).status?.conditions?.[0]?.status;
  await registration.start();
  assert.equal(await readiness(), "True");
  await pass(30_000);
  assert.ok(term.leftMs >= 30_000);
  cut = true;
  const cutMs = clock.monotonicMs();
  while (term.leftMs > 0) await pass(5_000);
  // The grace of the controller that gives nodes up.
  assert.ok(clock.monotonicMs() - cutMs < 50_000);
  await pass(30_000);
  assert.equal(term.leftMs, 0);
  const given = { status: { conditions: [{ ...ready, status: "Unknown" }] } };
  await client.patch(Node, { key, patch: { type: "strategic", body: given }, subresource: "status" });
  cut = false;
  await pass(30_000);
  await eventually("it says that it is well", async () => (await readiness()) === "True");
  assert.ok(term.leftMs > 0);
});

test("a Node that is deleted under its host stays deleted", async (t) => {
  const harness = await startHarness();
  const client = clientOf(harness);
  const clock = new ManualClock(systemClock.nowMs());
  await client.create(Namespace, { metadata: { name: "kube-node-lease" } }).catch(() => undefined);
  const told: string[] = [];
  const registration = new Registration({
    term: new LeaseTerm(clock),
    client: new Client({ transport: transportTo(harness), clock, userAgent: "test" }),
    clock,
    log: logTo((_, message) => told.push(message)),
    name: "n",
    labels: {},
    status: async () => ({ conditions: [] }) as unknown as NodeStatus,
  });
  t.after(async () => {
    await registration.stop();
    await harness.close();
  });
  await registration.start();
  const lease = toKey("kube-node-lease", "n");
  await eventually("it has a lease", async () => (await client.list(Lease)).items.length === 1);
  await client.delete(Node, toKey(undefined, "n"));
  await client.delete(Lease, lease);
  for (let i = 0; i < 12; i++) {
    await systemClock.sleep(40);
    await clock.advance(5_000);
  }
  assert.deepEqual([(await client.list(Node)).items, (await client.list(Lease)).items], [[], []]);
  assert.ok(
    told.some((message) => message.includes("was deleted")),
    told.join(),
  );
});

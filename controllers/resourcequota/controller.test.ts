import assert from "node:assert/strict";
import test, { type TestContext } from "node:test";
import { ConfigMap, Pod, ResourceQuota, Service } from "@atoll/client/builtin";
import { toKey } from "@atoll/client/resource";
import { clientOf, eventually, makeNamespace } from "@atoll/harness/client";
import { ManualClock } from "@atoll/harness/clock";
import { startControllers } from "@atoll/harness/controllers";
import { startHarness } from "@atoll/harness/server";
import { systemClock } from "@atoll/machinery/clock";
import { resourceQuotaController } from "./controller.ts";
import { driftMs } from "./plan.ts";

const namespace = "q";

async function start(t: TestContext, hard: Record<string, string>) {
  const harness = await startHarness();
  const client = clientOf(harness);
  const clock = new ManualClock(systemClock.nowMs());
  const workshop = startControllers(harness, [resourceQuotaController()], { clock });
  t.after(async () => {
    await workshop.stop();
    await harness.close();
  });
  await makeNamespace(client, namespace);
  await client.create(ResourceQuota, { metadata: { name: "quota", namespace }, spec: { hard } });
  const quota = () => client.get(ResourceQuota, toKey(namespace, "quota"));
  const used = async (wanted: Record<string, string>) => {
    let last: unknown;
    const isThere = async () => {
      await clock.advance(250);
      last = (await quota()).status.used;
      return JSON.stringify(last) === JSON.stringify(wanted);
    };
    await eventually(`used ${JSON.stringify(wanted)}`, isThere, 5000).catch((error: unknown) => {
      throw new Error(`used is ${JSON.stringify(last)}`, { cause: error });
    });
  };
  return { client, clock, quota, used };
}

function pod(name: string): { metadata: { name: string; namespace: string }; spec: object } {
  const container = { name: "c", image: "i", resources: { requests: { cpu: "100m" } } };
  return { metadata: { name, namespace }, spec: { containers: [container] } };
}

test("what ends or goes makes room at once", async (t) => {
  const { client, used } = await start(t, { "count/pods": "9", pods: "2", "requests.cpu": "1" });
  await used({ "count/pods": "0", pods: "0", "requests.cpu": "0" });
  const made = await client.create(Pod, pod("a"));
  await client.create(Pod, pod("b"));
  await used({ "count/pods": "2", pods: "2", "requests.cpu": "200m" });
  await assert.rejects(client.create(Pod, pod("c")), /exceeded quota: quota, requested: pods=1, used: pods=2/);
  await client.setStatus(Pod, { object: made, status: { ...made.status, phase: "Succeeded" } });
  await used({ "count/pods": "2", pods: "1", "requests.cpu": "100m" });
  await client.create(Pod, pod("c"));
  await client.delete(Pod, toKey(namespace, "b"), { graceSeconds: 0 });
  await used({ "count/pods": "2", pods: "1", "requests.cpu": "100m" });
});

test("while objects come and go no more are there than may be", async (t) => {
  const { client, used } = await start(t, { services: "5" });
  await used({ services: "0" });
  const service = (name: string) => ({ metadata: { name, namespace }, spec: { ports: [{ port: 80 }] } });
  let most = 0;
  const churn = async (who: number) => {
    for (let i = 0; i < 12; i++) {
      const name = `s-${who}-${i}`;
      const made = await client.create(Service, service(name)).catch(() => undefined);
      most = Math.max(most, (await client.list(Service, { namespace })).items.length);
      if (made !== undefined) await client.delete(Service, toKey(namespace, name));
    }
  };
  await Promise.all(Array.from({ length: 12 }, (_, who) => churn(who)));
  assert.ok(most <= 5, `there were ${most}`);
  await used({ services: "0" });
  const results = await Promise.allSettled(
    Array.from({ length: 9 }, (_, i) => client.create(Service, service(`n${i}`))),
  );
  assert.equal(results.filter(({ status }) => status === "fulfilled").length, 5);
});

test("what nobody watches is looked up, and what is wrong for long is righted", async (t) => {
  const { client, clock, quota, used } = await start(t, { configmaps: "5" });
  await used({ configmaps: "0" });
  await client.create(ConfigMap, { metadata: { name: "c", namespace } });
  await used({ configmaps: "1" });
  await client.delete(ConfigMap, toKey(namespace, "c"));
  await clock.advance(driftMs * 2);
  await used({ configmaps: "0" });
  const wrong = await quota();
  await client.setStatus(ResourceQuota, { object: wrong, status: { ...wrong.status, used: { configmaps: "4" } } });
  await clock.advance(driftMs / 2);
  assert.deepEqual((await quota()).status.used, { configmaps: "4" });
  await clock.advance(driftMs);
  await used({ configmaps: "0" });
});

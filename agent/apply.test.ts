import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ClusterGroup } from "@atoll/api/fleet/v1alpha1/clustergroup";
import { ConfigMap, Namespace } from "@atoll/client/builtin";
import type { Client } from "@atoll/client/client";
import { toKey } from "@atoll/client/resource";
import { clientOf } from "@atoll/harness/client";
import { ManualClock } from "@atoll/harness/clock";
import { serveKinds } from "@atoll/harness/kinds";
import { type Harness, startHarness } from "@atoll/harness/server";
import type { ApiObject } from "@atoll/machinery/object";
import { applyItem, type Cluster } from "./apply.ts";
import { Resources } from "./resources.ts";

const clock = new ManualClock();
let harness: Harness;
let client: Client;
let cluster: Cluster;

before(async () => {
  harness = await startHarness();
  client = clientOf(harness);
  const seen = { get: () => undefined };
  cluster = { client, resources: new Resources(client, clock), seen, applied: new Map() };
});

after(() => harness.close());

async function applied(manifest: ApiObject): Promise<readonly [string, string]> {
  const { state, reason } = await applyItem({ work: "w", source: "s", manifest }, cluster);
  return [state, reason];
}

const inShop = (apiVersion: string, kind: string, more: object): ApiObject => ({
  apiVersion,
  kind,
  metadata: { name: "x", namespace: "shop" },
  ...more,
});

test("what waits for its namespace, or for its kind, is pending, says for what, and is applied when it is there", async () => {
  const map = inShop("v1", "ConfigMap", { data: { a: "b" } });
  const group = inShop("fleet.atoll.dev/v1alpha1", "ClusterGroup", { spec: {} });
  assert.deepEqual(await applied(map), ["Pending", 'namespaces "shop" not found']);
  assert.deepEqual(await applied(group), [
    "Pending",
    "the cluster does not serve ClusterGroup of fleet.atoll.dev/v1alpha1 yet",
  ]);
  await client.create(Namespace, { metadata: { name: "shop" } });
  assert.deepEqual(await applied(map), ["Applied", ""]);
  await serveKinds(client, [ClusterGroup]);
  await clock.advance(10_000);
  assert.deepEqual(await applied(group), ["Applied", ""]);
});

test("what the cluster refuses has failed, in the cluster's words", async () => {
  const [state, reason] = await applied(inShop("v1", "ConfigMap", { data: { "not/a/key": "b" } }));
  assert.equal(state, "Failed");
  assert.match(reason, /^ConfigMap "x" is invalid: data\[not\/a\/key\]: Invalid value/);
});

test("who changed what was applied, or that it was deleted, is told until it is wanted otherwise", async () => {
  const map = (value: string): ApiObject => ({
    ...{ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "drifts", namespace: "shop" } },
    data: { a: value },
  });
  const key = toKey("shop", "drifts");
  assert.deepEqual(await applied(map("1")), ["Applied", ""]);
  const patch = { key, patch: { type: "merge", body: { data: { a: "mine" } } } } as const;
  await client.patch(ConfigMap, patch, { fieldManager: "kubectl-edit" });
  const [state, reason] = await applied(map("1"));
  assert.equal(state, "Applied");
  assert.match(reason, /^changed by kubectl-edit at \d{4}-\d\d-\d\dT[\d:]+Z, put back$/);
  assert.equal((await client.get(ConfigMap, key)).data?.["a"], "1");
  assert.deepEqual(await applied(map("1")), ["Applied", reason]);
  await client.delete(ConfigMap, key);
  assert.deepEqual(await applied(map("1")), ["Applied", "was deleted, made again"]);
  assert.deepEqual(await applied(map("2")), ["Applied", ""]);
});

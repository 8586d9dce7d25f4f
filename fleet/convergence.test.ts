/** Mission Control's controllers come to the right end whatever fails between them and the hub's API. */
import assert from "node:assert/strict";
import { after } from "node:test";
import { fleetKinds } from "@atoll/api/fleet/kinds";
import { ClusterGroup } from "@atoll/api/fleet/v1alpha1/clustergroup";
import { FleetCluster } from "@atoll/api/fleet/v1alpha1/fleetcluster";
import { FleetNamespace } from "@atoll/api/fleet/v1alpha1/fleetnamespace";
import { PolicyException } from "@atoll/api/fleet/v1alpha1/policyexception";
import { SecurityPolicy } from "@atoll/api/fleet/v1alpha1/securitypolicy";
import { Work } from "@atoll/api/fleet/v1alpha1/work";
import { Workspace } from "@atoll/api/fleet/v1alpha1/workspace";
import { ClusterProfile } from "@atoll/api/multicluster/clusterprofile";
import { Namespace, Role, RoleBinding } from "@atoll/client/builtin";
import { toKey } from "@atoll/client/resource";
import { clientOf, makeNamespace } from "@atoll/harness/client";
import { storyOf, testConvergence } from "@atoll/harness/convergence";
import { serveKinds } from "@atoll/harness/kinds";
import { startHarness } from "@atoll/harness/server";
import { detachFinalizer } from "./cluster/controller.ts";
import { clusterNamespace } from "./cluster/names.ts";
import { hubNamespace } from "./cluster/plan.ts";
import { fleetControllers } from "./index.ts";

const harness = await startHarness();
const client = clientOf(harness);
after(() => harness.close());
await serveKinds(client, [...fleetKinds, ClusterProfile]);

const inRound = (namespace: string, name: string) => ({ metadata: { name, namespace } });
const namespaceOf = async (round: string, name: string) =>
  (await client.get(FleetCluster, toKey(round, name))).status?.namespace ?? "";

const attached = storyOf(
  fleetControllers(),
  async (round) => {
    await makeNamespace(client, round);
    await client.create(ClusterGroup, { ...inRound(round, "prod"), spec: {} });
    await client.create(FleetCluster, { ...inRound(round, "c1"), spec: { group: "prod" } });
    await client.create(Workspace, { ...inRound(round, "shop"), spec: {} });
    await client.create(FleetNamespace, { ...inRound(round, "web"), spec: { workspace: "shop", clusters: ["c1"] } });
    const spec = { target: { group: "prod" }, level: "Baseline" as const };
    await client.create(SecurityPolicy, { ...inRound(round, "base"), spec });
    const exception = { policy: "SecurityPolicy/base", namespace: "web", owner: "me", reason: "for a while" };
    await client.create(PolicyException, {
      ...inRound(round, "mine"),
      spec: { ...exception, expires: "2099-01-01T00:00:00Z" },
    });
  },
  async (round) => {
    const namespace = await namespaceOf(round, "c1");
    assert.notEqual(namespace, "");
    assert.equal((await client.list(Role, { namespace })).items.length, 1);
    assert.equal((await client.list(RoleBinding, { namespace })).items.length, 1);
    const works = await client.list(Work, { namespace });
    const objects = works.items.flatMap(({ spec }) =>
      spec.objects.map(({ manifest }) => `${manifest.kind}/${manifest.metadata.name}`),
    );
    assert.deepEqual(objects.toSorted(), [
      "Namespace/web",
      "ValidatingAdmissionPolicy/fleet-securitypolicy-base",
      "ValidatingAdmissionPolicyBinding/fleet-securitypolicy-base",
    ]);
    assert.equal((await client.get(ClusterGroup, toKey(round, "prod"))).status?.clusters, 1);
    assert.equal((await client.get(SecurityPolicy, toKey(round, "base"))).status?.summary, "0/1");
    assert.notEqual((await client.get(PolicyException, toKey(round, "mine"))).status, undefined);
    const { spec, status } = await client.get(ClusterProfile, toKey(round, "c1"));
    assert.equal(spec.clusterManager.name, "atoll");
    assert.equal(status?.conditions?.[0]?.status, "Unknown");
  },
);

const detached = storyOf(
  fleetControllers(),
  async (round) => {
    await makeNamespace(client, round);
    await client.create(FleetCluster, { ...inRound(round, "stays"), spec: {} });
    const goes = { ...inRound(round, "goes"), spec: {} } as FleetCluster;
    await client.create(Namespace, hubNamespace(goes, clusterNamespace(round, "goes"), false) as Namespace);
    const finalizers = [detachFinalizer];
    await client.create(FleetCluster, { ...goes, metadata: { ...goes.metadata, finalizers } });
    await client.delete(FleetCluster, toKey(round, "goes"));
  },
  async (round) => {
    const clusters = await client.list(FleetCluster, { namespace: round });
    assert.deepEqual(
      clusters.items.map(({ metadata }) => metadata.name),
      ["stays"],
    );
    const kept = await client.get(Namespace, toKey(undefined, await namespaceOf(round, "stays")));
    assert.equal(kept.metadata.deletionTimestamp, undefined);
    const { items } = await client.list(Namespace, { labelSelector: `fleet.atoll.dev/organization=${round}` });
    assert.equal(items.filter(({ metadata }) => metadata.deletionTimestamp === undefined).length, 1);
  },
);

testConvergence("clusters that are attached", harness, { name: "attached", story: attached, least: 8 });
testConvergence("clusters that are detached", harness, { name: "detached", story: detached, least: 6 });

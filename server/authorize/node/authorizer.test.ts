import assert from "node:assert/strict";
import test, { after } from "node:test";
import { supervisorKinds } from "@atoll/api/supervisor/kinds";
import { clientOf } from "@atoll/harness/client";
import { serveKinds } from "@atoll/harness/kinds";
import { type As, startHarness } from "@atoll/harness/server";

const core = "/api/v1/namespaces/shop";

const harness = await startHarness();
after(() => harness.close());
const one = await harness.user("system:node:one", ["system:nodes"]);
const two = await harness.user("system:node:two", ["system:nodes"]);

const resources = { requests: { storage: "1Gi" } };
const claim = (name: string) => ({ metadata: { name }, spec: { accessModes: ["ReadWriteOnce"], resources } });

const volume = (name: string, bound: string) => ({
  metadata: { name },
  spec: {
    capacity: { storage: "1Gi" },
    accessModes: ["ReadWriteOnce"],
    claimRef: { namespace: "shop", name: bound },
    csi: {
      driver: "csi.example.com",
      volumeHandle: name,
      nodeStageSecretRef: { namespace: "shop", name: "volume" },
      controllerPublishSecretRef: { namespace: "shop", name: "other" },
    },
  },
});

const pod = (name: string, nodeName: string | undefined) => ({
  metadata: { name },
  spec: {
    ...(nodeName === undefined ? {} : { nodeName }),
    serviceAccountName: "clerk",
    imagePullSecrets: [{ name: "pull" }],
    containers: [
      { name: "c", image: "i", env: [{ name: "E", valueFrom: { secretKeyRef: { name: "env", key: "k" } } }] },
    ],
    volumes: [
      { name: "s", secret: { secretName: "used" } },
      { name: "m", projected: { sources: [{ configMap: { name: "settings" } }] } },
      { name: "d", persistentVolumeClaim: { claimName: "data" } },
    ],
  },
});

await harness.make("/api/v1/namespaces", { metadata: { name: "shop" } });
await harness.make(`${core}/serviceaccounts`, { metadata: { name: "default" } });
await harness.make(`${core}/serviceaccounts`, { metadata: { name: "clerk" } });
for (const name of ["used", "env", "pull", "volume", "other"])
  await harness.make(`${core}/secrets`, { metadata: { name } });
await harness.make(`${core}/configmaps`, { metadata: { name: "settings" } });
await harness.make(`${core}/persistentvolumeclaims`, claim("data"));
await harness.make("/api/v1/persistentvolumes", volume("disk", "data"));
await harness.make("/api/v1/persistentvolumes", volume("stray", "nobodys"));
await harness.make(`${core}/pods`, pod("web", "one"));
await harness.make(`${core}/pods`, pod("waiting", undefined));
await harness.make(`${core}/pods`, {
  metadata: { name: "lone" },
  spec: { nodeName: "two", containers: [{ name: "c", image: "i" }] },
});

const code = async (user: As, method: string, path: string, body?: object) =>
  (await user.send(method, path, { body })).status;

const refusal = async (user: As, method: string, path: string) => {
  const answer = await user.send(method, path);
  assert.equal(answer.status, 403, `${method} ${path}: ${answer.text}`);
  return String(answer.json?.["message"]);
};

test("a node reads what its pods need, and nothing that only others need", async () => {
  for (const name of ["used", "env", "pull", "volume"]) {
    assert.equal(await code(one, "GET", `${core}/secrets/${name}`), 200, name);
    assert.match(
      await refusal(two, "GET", `${core}/secrets/${name}`),
      /no relationship found between node 'two' and this/,
    );
  }
  assert.equal(await code(one, "GET", `${core}/configmaps/settings`), 200);
  assert.equal(await code(one, "GET", `${core}/persistentvolumeclaims/data`), 200);
  assert.equal(await code(one, "GET", "/api/v1/persistentvolumes/disk"), 200);
  assert.equal(await code(two, "GET", "/api/v1/persistentvolumes/disk"), 403);
  assert.equal(await code(one, "GET", "/api/v1/persistentvolumes/stray"), 403);
});

test("a secret that only a controller needs is no node's", async () => {
  assert.equal(
    await refusal(one, "GET", `${core}/secrets/other`),
    'secrets "other" is forbidden: User "system:node:one" cannot get resource "secrets" in API group "" in the namespace "shop": ' +
      "no relationship found between node 'one' and this object",
  );
});

test("a node watches one secret by name, and lists none", async () => {
  assert.equal(await code(one, "GET", `${core}/secrets?fieldSelector=metadata.name%3Dused`), 200);
  assert.match(await refusal(one, "GET", `${core}/secrets`), /No Object name found$/);
  assert.match(await refusal(one, "GET", "/api/v1/secrets?fieldSelector=metadata.name%3Dused"), /namespaced object/);
  assert.match(await refusal(one, "DELETE", `${core}/secrets/used`), /can only read resources of this type$/);
});

test("a node sees its own pods", async () => {
  assert.equal(await code(one, "GET", `${core}/pods/web`), 200);
  assert.equal(await code(two, "GET", `${core}/pods/web`), 403);
  assert.equal(await code(one, "GET", "/api/v1/pods?fieldSelector=spec.nodeName%3Done"), 200);
  assert.match(
    await refusal(one, "GET", "/api/v1/pods?fieldSelector=spec.nodeName%3Dtwo"),
    /spec.nodeName field selector$/,
  );
  assert.equal(await code(one, "GET", "/api/v1/pods?fieldSelector=spec.nodeName!%3Done"), 403);
  assert.equal(await code(one, "GET", "/api/v1/pods"), 403);
  assert.equal(await code(one, "GET", `${core}/pods/web/log`), 403);
  assert.equal(await code(one, "POST", `${core}/pods/web/exec`), 403);
});

test("a node gets tokens for the accounts of its pods only", async () => {
  const { json } = await harness.send("GET", `${core}/pods/web`);
  const { uid } = (json as { metadata: { uid: string } }).metadata;
  const request = {
    apiVersion: "authentication.k8s.io/v1",
    kind: "TokenRequest",
    spec: { audiences: [], boundObjectRef: { kind: "Pod", apiVersion: "v1", name: "web", uid } },
  };
  assert.equal(await code(one, "POST", `${core}/serviceaccounts/clerk/token`, request), 201);
  assert.equal(await code(two, "POST", `${core}/serviceaccounts/clerk/token`, request), 403);
  assert.equal(await code(one, "POST", `${core}/serviceaccounts/default/token`, request), 403);
  assert.equal(await code(one, "GET", `${core}/serviceaccounts/clerk`), 403);
});

test("a node has its own Node, Lease and CSINode", async () => {
  assert.equal(await code(one, "GET", "/api/v1/nodes/one"), 404);
  assert.equal(
    await refusal(one, "GET", "/api/v1/nodes/two"),
    'nodes "two" is forbidden: User "system:node:one" cannot get resource "nodes" in API group "" at the cluster scope: ' +
      "node 'one' cannot read 'two', only its own Node object",
  );
  assert.match(await refusal(one, "GET", "/api/v1/nodes"), /cannot read all nodes, only its own Node object$/);
  assert.equal(await code(one, "DELETE", "/api/v1/nodes/one"), 403);
  const leases = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases";
  assert.equal(await code(one, "GET", `${leases}/one`), 404);
  assert.equal(await code(one, "GET", `${leases}/two`), 403);
  assert.equal(await code(one, "GET", "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/one"), 403);
  assert.equal(await code(one, "GET", "/apis/storage.k8s.io/v1/csinodes/two"), 403);
});

test("rights come and go with the pod", async () => {
  assert.equal(await code(two, "GET", `${core}/secrets/used`), 403);
  await harness.make(`${core}/pods/waiting/binding`, { target: { kind: "Node", name: "two" } });
  assert.equal(await code(two, "GET", `${core}/secrets/used`), 200);
  assert.equal(await code(two, "GET", `${core}/secrets/volume`), 200);
  assert.equal(await code(harness, "DELETE", `${core}/pods/waiting?gracePeriodSeconds=0`), 200);
  assert.equal(await code(two, "GET", `${core}/secrets/used`), 403);
  assert.equal(await code(two, "GET", `${core}/secrets/volume`), 403);
  assert.equal(await code(one, "GET", `${core}/secrets/used`), 200);
});

test("a mirror pod gives its node no rights", async () => {
  // Secrets and accounts it must not even name: server/admission/serviceaccount.test.ts.
  const volumes = [{ name: "m", configMap: { name: "settings" } }];
  await harness.make(`${core}/pods`, {
    metadata: { name: "mirror", annotations: { "kubernetes.io/config.mirror": "x" } },
    spec: { nodeName: "two", containers: [{ name: "c", image: "i" }], volumes },
  });
  assert.equal(await code(one, "GET", `${core}/configmaps/settings`), 200);
  assert.equal(await code(two, "GET", `${core}/configmaps/settings`), 403);
});

test("who is named like a node but is in no group of nodes has no rights of one", async () => {
  const forged = await harness.user("system:node:one");
  assert.equal(await code(forged, "GET", `${core}/secrets/used`), 403);
  const nameless = await harness.user("system:node:", ["system:nodes"]);
  assert.match(await refusal(nameless, "GET", `${core}/secrets/used`), /unknown node for user "system:node:"$/);
});

test("a node reads the HostNetwork of its own name, and no other", async () => {
  await serveKinds(clientOf(harness), supervisorKinds);
  const path = "/apis/supervisor.atoll.dev/v1alpha1/hostnetworks";
  const spec = { network: 1, peers: [], namespaces: [], pods: [] };
  for (const name of ["one", "two"]) await harness.make(path, { metadata: { name }, spec });
  assert.equal(await code(one, "GET", `${path}/one`), 200);
  assert.equal(await code(one, "GET", `${path}?fieldSelector=metadata.name%3Done`), 200);
  assert.equal(await code(one, "GET", `${path}/two`), 403);
  assert.equal(await code(one, "GET", path), 403);
});

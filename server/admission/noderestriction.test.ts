import assert from "node:assert/strict";
import test, { after } from "node:test";
import { startHarness } from "@atoll/harness/server";

const space = "/api/v1/namespaces/default";
const merge = "application/merge-patch+json";
const container = { name: "c", image: "i" };

const harness = await startHarness();
after(() => harness.close());
const one = await harness.user("system:node:one", ["system:nodes"]);
await made(`${space}/serviceaccounts`, { metadata: { name: "default" } });
const { metadata } = await made("/api/v1/nodes", { metadata: { name: "one" } });
const { uid } = metadata;
await made("/api/v1/nodes", { metadata: { name: "two" } });
await made("/api/v1/namespaces", { metadata: { name: "kube-node-lease" } });
for (const nodeName of ["one", "two"]) {
  await made(`${space}/pods`, { metadata: { name: `on-${nodeName}` }, spec: { nodeName, containers: [container] } });
}

async function made(path: string, body: object): Promise<{ metadata: { uid: string } }> {
  const { status, text, json } = await harness.send("POST", path, { body });
  assert.ok(status === 201 || status === 409, text);
  return json as { metadata: { uid: string } };
}

interface Refusal {
  readonly method?: string;
  readonly path: string;
  readonly body?: object;
  readonly why: RegExp;
}

async function refused({ method = "PATCH", path, body, why }: Refusal): Promise<void> {
  const how = { ...(body === undefined ? {} : { body }), ...(method === "PATCH" ? { contentType: merge } : {}) };
  const { status, json } = await one.send(method, path, how);
  assert.equal(status, 403, `${method} ${path}: ${JSON.stringify(json)}`);
  assert.match(String(json?.["message"]), why);
}

async function patched(path: string, body: object): Promise<void> {
  const { status, text } = await one.send("PATCH", path, { body, contentType: merge });
  assert.equal(status, 200, text);
}

function mirror(change: { metadata?: object; spec?: object } = {}): object {
  const owner = { apiVersion: "v1", kind: "Node", name: "one", uid, controller: true };
  return {
    metadata: {
      name: "mirror",
      annotations: { "kubernetes.io/config.mirror": "x" },
      ownerReferences: [owner],
      ...change.metadata,
    },
    spec: { nodeName: "one", containers: [container], ...change.spec },
  };
}

test("a node writes itself and no other, but not what steers pods to it", async () => {
  const path = "/api/v1/nodes/one";
  await patched(path, { metadata: { labels: { "kubernetes.io/os": "linux", "node.kubernetes.io/x": "y", own: "1" } } });
  await patched(`${path}/status`, { status: { phase: "Running" } });
  const labels = { "node-restriction.kubernetes.io/secure": "yes", "node-role.kubernetes.io/control-plane": "" };
  await refused({
    path,
    body: { metadata: { labels } },
    why: /is not allowed to modify labels: node-restriction.kubernetes.io\/secure, node-role.kubernetes.io\/control-plane$/,
  });
  await refused({
    path,
    body: { spec: { taints: [{ key: "a", effect: "NoSchedule" }] } },
    why: /node "one" is not allowed to modify taints$/,
  });
  const ownerReferences = [{ apiVersion: "v1", kind: "ConfigMap", name: "gone", uid: "x" }];
  for (const at of [path, `${path}/status`]) {
    await refused({
      path: at,
      body: { metadata: { ownerReferences } },
      why: /is not allowed to modify ownerReferences$/,
    });
  }
  await refused({
    path: "/api/v1/nodes/two/status",
    body: { status: { phase: "Running" } },
    why: /node "one" .*"two"/,
  });
});

test("a node makes mirrors of its own pods, without references", async () => {
  const path = `${space}/pods`;
  const refuse = (change: Parameters<typeof mirror>[0], why: RegExp) =>
    refused({ method: "POST", path, body: mirror(change), why });
  await refuse({ metadata: { annotations: {} } }, /does not have "kubernetes.io\/config.mirror" annotation/);
  await refuse({ spec: { nodeName: "two" } }, /can only create pods with spec.nodeName set to itself$/);
  await refuse({ metadata: { ownerReferences: [] } }, /with an owner reference set to itself$/);
  const owner = { apiVersion: "v1", kind: "Node", name: "one", controller: true };
  await refuse({ metadata: { ownerReferences: [{ ...owner, uid: "other" }] } }, /node one UID mismatch/);
  await refuse(
    { metadata: { ownerReferences: [{ ...owner, uid, blockOwnerDeletion: true }] } },
    /must not set blockOwnerDeletion/,
  );
  await refuse({ spec: { serviceAccountName: "default" } }, /can not create pods that reference a service account$/);
  const volumes = (volume: object) => ({ spec: { volumes: [{ name: "v", ...volume }] } });
  await refuse(volumes({ secret: { secretName: "s" } }), /reference secrets$/);
  await refuse(volumes({ configMap: { name: "s" } }), /reference configmaps$/);
  await refuse(volumes({ persistentVolumeClaim: { claimName: "s" } }), /reference persistentvolumeclaims$/);
  const good = await one.send("POST", path, { body: mirror() });
  assert.equal(good.status, 201, good.text);
});

test("a node reports of, ends and evicts its own pods", async () => {
  await patched(`${space}/pods/on-one/status`, { status: { phase: "Running" } });
  await refused({
    path: `${space}/pods/on-one/status`,
    body: { metadata: { labels: { a: "b" } }, status: { phase: "Failed" } },
    why: /cannot update labels through pod status$/,
  });
  await refused({
    path: `${space}/pods/on-two/status`,
    body: { status: { phase: "Failed" } },
    why: /node "one" can only update pod status for pods with spec.nodeName set to itself$/,
  });
  await refused({
    method: "POST",
    path: `${space}/pods/on-two/eviction`,
    body: { metadata: { name: "on-two" } },
    why: /node one can only evict pods with spec.nodeName set to itself$/,
  });
  await refused({
    method: "DELETE",
    path: `${space}/pods/on-two`,
    why: /node "one" can only delete pods with spec.nodeName set to itself$/,
  });
  const ended = await one.send("DELETE", `${space}/pods/on-one?gracePeriodSeconds=30`);
  assert.equal(ended.status, 200, ended.text);
});

test("a node gets tokens that die with its own pods", async () => {
  const pod = async (name: string) =>
    (await harness.send("GET", `${space}/pods/${name}`)).json as { metadata: { uid: string } };
  await made(`${space}/pods`, { metadata: { name: "tokens" }, spec: { nodeName: "one", containers: [container] } });
  const ask = async (boundObjectRef?: object) =>
    await one.send("POST", `${space}/serviceaccounts/default/token`, { body: { spec: { boundObjectRef } } });
  const bound = (name: string, podUid: string) => ({ apiVersion: "v1", kind: "Pod", name, uid: podUid });
  const own = await pod("tokens");
  assert.equal((await ask(bound("tokens", own.metadata.uid))).status, 201);
  const other = await pod("on-two");
  const cases: readonly (readonly [object | undefined, RegExp])[] = [
    [undefined, /node requested token not bound to a pod$/],
    [bound("tokens", ""), /with a pod binding without a uid$/],
    [bound("tokens", other.metadata.uid), /does not match the UID in record/],
    [bound("on-two", other.metadata.uid), /bound to a pod scheduled on a different node$/],
  ];
  for (const [reference, why] of cases) {
    const { status, json } = await ask(reference);
    assert.deepEqual([status, why.test(String(json?.["message"]))], [403, true], JSON.stringify(json));
  }
});

test("a node gets tokens for those to whom its pod shows them, and for whom a rule names", async () => {
  const token = { serviceAccountToken: { path: "t", audience: "vault" } };
  const csi = { name: "d", csi: { driver: "driver.example.com" } };
  await made("/apis/storage.k8s.io/v1/csidrivers", {
    metadata: { name: "driver.example.com" },
    spec: { tokenRequests: [{ audience: "disk" }] },
  });
  const volumes = [{ name: "v", projected: { sources: [token] } }, csi];
  const spec = { nodeName: "one", automountServiceAccountToken: false, containers: [container], volumes };
  const { metadata } = await made(`${space}/pods`, { metadata: { name: "audiences" }, spec });
  const boundObjectRef = { apiVersion: "v1", kind: "Pod", name: "audiences", uid: metadata.uid };
  const ask = async (...audiences: readonly string[]) => {
    const body = { spec: { boundObjectRef, audiences } };
    const { status, json } = await one.send("POST", `${space}/serviceaccounts/default/token`, { body });
    return [status, json?.["message"]];
  };
  assert.equal((await ask("vault"))[0], 201);
  assert.equal((await ask("disk"))[0], 201);
  const why = (audience: string) =>
    `serviceaccounts "default" is forbidden: audience "${audience}" not found in pod spec volume, system:node:one is not authorized to request tokens for this audience`;
  assert.deepEqual(await ask("bank"), [403, why("bank")]);
  assert.deepEqual(await ask(), [403, why("")]);
  assert.match(String((await ask("vault", "disk"))[1]), /node may only request 0 or 1 audiences$/);
  const rbac = "/apis/rbac.authorization.k8s.io/v1";
  const rule = { verbs: ["request-serviceaccounts-token-audience"], apiGroups: [""], resources: ["bank"] };
  await made(`${rbac}/clusterroles`, { metadata: { name: "bank" }, rules: [rule] });
  await made(`${rbac}/clusterrolebindings`, {
    metadata: { name: "bank" },
    roleRef: { kind: "ClusterRole", name: "bank" },
    subjects: [{ kind: "Group", name: "system:nodes" }],
  });
  assert.equal((await ask("bank"))[0], 201);
});

test("a node holds the lease of its own name", async () => {
  const path = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases";
  assert.equal((await one.send("POST", path, { body: { metadata: { name: "one" } } })).status, 201);
  await refused({
    method: "POST",
    path,
    body: { metadata: { name: "two" } },
    why: /can only access node lease with the same name as the requesting node$/,
  });
});

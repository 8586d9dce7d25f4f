import assert from "node:assert/strict";
import test, { after } from "node:test";
import { type As, startHarness } from "@atoll/harness/server";

const rbac = "/apis/rbac.authorization.k8s.io/v1";

const harness = await startHarness();
after(() => harness.close());
for (const name of ["green", "blue"]) await harness.make("/api/v1/namespaces", { metadata: { name } });

async function messageOf(user: As, method: string, path: string, body?: object): Promise<unknown> {
  const answer = await user.send(method, path, { body });
  assert.equal(answer.status, 403, answer.text);
  return answer.json?.["message"];
}

const status = async (user: As, method: string, path: string, body?: object) =>
  (await user.send(method, path, { body })).status;

test("somebody without roles is refused in upstream's words", async () => {
  const alice = await harness.user("alice");
  assert.equal(
    await messageOf(alice, "GET", "/api/v1/namespaces/green/pods"),
    'pods is forbidden: User "alice" cannot list resource "pods" in API group "" in the namespace "green"',
  );
  assert.equal(
    await messageOf(alice, "GET", "/apis/apps/v1/namespaces/green/deployments/web/scale"),
    'deployments.apps "web" is forbidden: User "alice" cannot get resource "deployments/scale" in API group "apps" in the namespace "green"',
  );
  assert.equal(
    await messageOf(alice, "GET", "/api/v1/nodes?watch=1"),
    'nodes is forbidden: User "alice" cannot watch resource "nodes" in API group "" at the cluster scope',
  );
  assert.equal(await messageOf(alice, "GET", "/metrics"), 'forbidden: User "alice" cannot get path "/metrics"');
});

test("a binding holds from the answer to its creation to the answer to its deletion", async () => {
  const bob = await harness.user("bob", ["readers"]);
  const list = "/api/v1/namespaces/green/configmaps";
  await harness.make(`${rbac}/namespaces/green/roles`, {
    metadata: { name: "reader" },
    rules: [{ verbs: ["list"], apiGroups: [""], resources: ["configmaps"] }],
  });
  const binding = {
    metadata: { name: "readers" },
    roleRef: { kind: "Role", name: "reader" },
    subjects: [{ kind: "Group", name: "readers" }],
  };
  for (let round = 0; round < 20; round++) {
    assert.equal(await status(bob, "GET", list), 403);
    await harness.make(`${rbac}/namespaces/green/rolebindings`, binding);
    assert.equal(await status(bob, "GET", list), 200);
    assert.equal(await status(bob, "GET", "/api/v1/namespaces/blue/configmaps"), 403);
    await harness.send("DELETE", `${rbac}/namespaces/green/rolebindings/readers`);
  }
});

test("a name in a field selector is the name that rules are asked about", async () => {
  const carol = await harness.user("carol");
  await harness.make(`${rbac}/clusterroles`, {
    metadata: { name: "one" },
    rules: [{ verbs: ["get", "list", "watch"], apiGroups: [""], resources: ["configmaps"], resourceNames: ["one"] }],
  });
  await harness.make(`${rbac}/namespaces/green/rolebindings`, {
    metadata: { name: "one" },
    roleRef: { kind: "ClusterRole", name: "one" },
    subjects: [{ kind: "User", name: "carol" }],
  });
  const list = "/api/v1/namespaces/green/configmaps";
  assert.equal(await status(carol, "GET", `${list}?fieldSelector=metadata.name%3Done`), 200);
  assert.equal(await status(carol, "GET", `${list}?fieldSelector=metadata.name%3Dtwo`), 403);
  assert.equal(await status(carol, "GET", `${list}?fieldSelector=metadata.name!%3Done`), 403);
  assert.equal(await status(carol, "GET", list), 403);
  assert.equal(await status(carol, "GET", `${list}/one`), 404);
  assert.equal(await status(carol, "POST", list, { metadata: { name: "one" } }), 403);
});

test("rights in one namespace reach no other through it", async () => {
  const dora = await harness.user("dora");
  await harness.make(`${rbac}/namespaces/green/rolebindings`, {
    metadata: { name: "dora" },
    roleRef: { kind: "ClusterRole", name: "cluster-admin" },
    subjects: [{ kind: "User", name: "dora" }],
  });
  assert.equal(await status(dora, "GET", "/api/v1/namespaces/green"), 200);
  assert.equal(await status(dora, "GET", "/api/v1/namespaces/blue"), 403);
  assert.equal(await status(dora, "GET", "/api/v1/namespaces/green/namespaces/blue"), 404);
  assert.equal(await status(dora, "DELETE", "/api/v1/namespaces/green/namespaces/blue"), 404);
  assert.equal(await status(dora, "GET", "/api/v1/namespaces/green/namespaces"), 404);
  assert.equal(await status(dora, "GET", "/api/v1/namespaces/green/nodes"), 404);
});

test("a binding of a role that is not there says so to those it is for", async () => {
  const erin = await harness.user("erin");
  await harness.make(`${rbac}/clusterrolebindings`, {
    metadata: { name: "erin" },
    roleRef: { kind: "ClusterRole", name: "gone" },
    subjects: [{ kind: "User", name: "erin" }],
  });
  assert.equal(
    await messageOf(erin, "GET", "/api/v1/secrets"),
    'secrets is forbidden: User "erin" cannot list resource "secrets" in API group "" at the cluster scope: ' +
      'RBAC: clusterrole.rbac.authorization.k8s.io "gone" not found',
  );
});

test("a WebSocket to a pod needs the right to create, whatever its method", async () => {
  const frank = await harness.user("frank");
  await harness.make(`${rbac}/clusterroles`, {
    metadata: { name: "peek" },
    rules: [{ verbs: ["get"], apiGroups: [""], resources: ["pods/exec"] }],
  });
  await harness.make(`${rbac}/clusterrolebindings`, {
    metadata: { name: "peek" },
    roleRef: { kind: "ClusterRole", name: "peek" },
    subjects: [{ kind: "User", name: "frank" }],
  });
  assert.equal(
    await messageOf(frank, "GET", "/api/v1/namespaces/green/pods/web/exec?command=sh"),
    'pods "web" is forbidden: User "frank" cannot create resource "pods/exec" in API group "" in the namespace "green"',
  );
});

test("everybody with a name finds out what is served; nobody in particular finds out nothing but health", async () => {
  const gina = await harness.user("gina");
  for (const path of ["/api", "/apis", "/apis/apps/v1", "/openapi/v3", "/version"]) {
    assert.equal(await status(gina, "GET", path), 200, path);
  }
  const nobody = harness.nobody();
  for (const path of ["/healthz", "/livez", "/readyz"]) assert.equal(await status(nobody, "GET", path), 200, path);
  for (const path of ["/", "/api", "/version", "/metrics", "/api/v1/pods", "/livez/ping"]) {
    assert.equal(await status(nobody, "GET", path), 401, path);
  }
});

import assert from "node:assert/strict";
import test, { after } from "node:test";
import { type As, startHarness } from "@atoll/harness/server";

const rbac = "/apis/rbac.authorization.k8s.io/v1";
const maps = "/api/v1/namespaces/default/configmaps";

const harness = await startHarness();
after(() => harness.close());

/** Somebody who writes ConfigMaps, and may do what else is given. */
async function writer(name: string, ...rules: readonly object[]): Promise<As> {
  const own = { verbs: ["create", "get", "patch"], apiGroups: [""], resources: ["configmaps"] };
  const role = { metadata: { name }, rules: [own, ...rules] };
  const subjects = [{ kind: "User", name }];
  const binding = { metadata: { name }, roleRef: { kind: "ClusterRole", name }, subjects };
  assert.equal((await harness.send("POST", `${rbac}/clusterroles`, { body: role })).status, 201);
  assert.equal((await harness.send("POST", `${rbac}/clusterrolebindings`, { body: binding })).status, 201);
  return await harness.user(name);
}

function owner(fields: object = {}): object {
  return { apiVersion: "apps/v1", kind: "Deployment", name: "d", uid: "u", ...fields };
}

async function create(user: As, name: string, ...ownerReferences: readonly object[]) {
  const { status, json } = await user.send("POST", maps, { body: { metadata: { name, ownerReferences } } });
  return [status, json?.["message"]];
}

test("who creates an object names its owners, but holds them up only if the finalizers are theirs", async () => {
  const alice = await writer("alice");
  assert.equal((await create(alice, "a", owner()))[0], 201);
  assert.deepEqual(await create(alice, "b", owner({ blockOwnerDeletion: true })), [
    403,
    'configmaps "b" is forbidden: cannot set blockOwnerDeletion if an ownerReference refers to a resource you can\'t set finalizers on: , <nil>',
  ]);
  const unknown = owner({ apiVersion: "no/v1", blockOwnerDeletion: true });
  const [status, message] = await create(alice, "b", unknown);
  assert.equal(status, 403);
  assert.match(String(message), /cannot find RESTMapping for APIVersion no\/v1 Kind Deployment: no matches/);
  const finalizers = { verbs: ["update"], apiGroups: ["apps"], resources: ["deployments/finalizers"] };
  const bob = await writer("bob", finalizers);
  assert.equal((await create(bob, "b", owner({ blockOwnerDeletion: true })))[0], 201);
});

test("who gives an object an owner may delete the object", async () => {
  const carol = await writer("carol");
  assert.equal((await create(carol, "c"))[0], 201);
  const give = async (user: As, body: object) =>
    await user.send("PATCH", `${maps}/c`, { body, contentType: "application/merge-patch+json" });
  const gift = { metadata: { ownerReferences: [owner()] } };
  const refused = await give(carol, gift);
  assert.equal(refused.status, 403);
  const why = `configmaps "c" is forbidden: cannot set an ownerRef on a resource you can't delete: , <nil>`;
  assert.equal(refused.json?.["message"], why);
  assert.equal((await give(carol, { metadata: { labels: { a: "b" } } })).status, 200);
  const dave = await writer("dave", { verbs: ["delete"], apiGroups: [""], resources: ["configmaps"] });
  assert.equal((await give(dave, gift)).status, 200);
});

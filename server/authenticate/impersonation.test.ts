import assert from "node:assert/strict";
import test, { after } from "node:test";
import { type As, startHarness } from "@atoll/harness/server";

const rbac = "/apis/rbac.authorization.k8s.io/v1";

const harness = await startHarness();
after(() => harness.close());

/** Headers in the order given, repeated ones apart. */
type Headers = Readonly<Record<string, string | readonly string[]>>;

async function who(user: As, headers: Headers) {
  const answer = await user.send("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", {
    headers: headers as Record<string, string>,
    body: { apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview" },
  });
  const { message, status } = answer.json as { message?: string; status?: { userInfo?: unknown } };
  return { code: answer.status, message, user: status?.userInfo };
}

async function mayImpersonate(name: string, rules: object[]): Promise<As> {
  const role = await harness.send("POST", `${rbac}/clusterroles`, { body: { metadata: { name }, rules } });
  const binding = await harness.send("POST", `${rbac}/clusterrolebindings`, {
    body: { metadata: { name }, roleRef: { kind: "ClusterRole", name }, subjects: [{ kind: "User", name }] },
  });
  assert.deepEqual([role.status, binding.status], [201, 201]);
  return await harness.user(name, ["helpdesk"]);
}

test("an admin is whom they say they are, in groups that belong to it", async () => {
  const alice = await who(harness, { "impersonate-user": "alice" });
  assert.deepEqual(alice.user, { username: "alice", groups: ["system:authenticated"] });
  const grouped = await who(harness, { "impersonate-user": "alice", "impersonate-group": ["a,b", "c"] });
  assert.deepEqual(grouped.user, { username: "alice", groups: ["a,b", "c", "system:authenticated"] });
  const robot = await who(harness, { "impersonate-user": "system:serviceaccount:default:robot" });
  assert.deepEqual(robot.user, {
    username: "system:serviceaccount:default:robot",
    groups: ["system:serviceaccounts", "system:serviceaccounts:default", "system:authenticated"],
  });
  const all = await who(harness, {
    "impersonate-user": "alice",
    "impersonate-uid": "17",
    "impersonate-extra-acme.com%2fproject": ["x", "y"],
  });
  assert.deepEqual(all.user, {
    username: "alice",
    uid: "17",
    groups: ["system:authenticated"],
    extra: { "acme.com/project": ["x", "y"] },
  });
});

test("rights are the other's, not one's own", async () => {
  const answer = await harness.send("GET", "/api/v1/secrets", { headers: { "impersonate-user": "alice" } });
  assert.equal(answer.status, 403);
  assert.match(String(answer.json?.["message"]), /^secrets is forbidden: User "alice" cannot list/);
});

test("without the right to be somebody nobody is", async () => {
  const bob = await harness.user("bob");
  const user = await who(bob, { "impersonate-user": "alice" });
  assert.equal(user.code, 403);
  assert.equal(
    user.message,
    'users "alice" is forbidden: User "bob" cannot impersonate resource "users" in API group "" at the cluster scope',
  );
  const robot = await who(bob, { "impersonate-user": "system:serviceaccount:default:robot" });
  assert.equal(
    robot.message,
    'serviceaccounts "robot" is forbidden: User "bob" cannot impersonate resource "serviceaccounts" in API group "" in the namespace "default"',
  );
});

test("user, groups, uid and extras need a right each", async () => {
  const carol = await mayImpersonate("carol", [{ verbs: ["impersonate"], apiGroups: [""], resources: ["users"] }]);
  assert.equal((await who(carol, { "impersonate-user": "alice" })).code, 201);
  const group = await who(carol, { "impersonate-user": "alice", "impersonate-group": "staff" });
  assert.match(
    String(group.message),
    /^groups "staff" is forbidden: User "carol" cannot impersonate resource "groups"/,
  );
  const uid = await who(carol, { "impersonate-user": "alice", "impersonate-uid": "17" });
  assert.match(
    String(uid.message),
    /^uids.authentication.k8s.io "17" is forbidden: .* in API group "authentication.k8s.io"/,
  );
  const extra = await who(carol, { "impersonate-user": "alice", "impersonate-extra-scopes": "all" });
  assert.match(
    String(extra.message),
    /^userextras.authentication.k8s.io "all" is forbidden: .* resource "userextras\/scopes" in API group/,
  );
});

test("a right to some names is one to no others", async () => {
  const dora = await mayImpersonate("dora", [
    { verbs: ["impersonate"], apiGroups: [""], resources: ["users", "groups"], resourceNames: ["alice", "staff"] },
    {
      verbs: ["impersonate"],
      apiGroups: ["authentication.k8s.io"],
      resources: ["userextras/scopes"],
      resourceNames: ["view"],
    },
  ]);
  const ok = { "impersonate-user": "alice", "impersonate-group": "staff", "impersonate-extra-scopes": "view" };
  assert.equal((await who(dora, ok)).code, 201);
  assert.equal((await who(dora, { ...ok, "impersonate-user": "erin" })).code, 403);
  assert.equal((await who(dora, { ...ok, "impersonate-group": ["staff", "root"] })).code, 403);
  assert.equal((await who(dora, { ...ok, "impersonate-extra-scopes": ["view", "edit"] })).code, 403);
  assert.equal((await who(dora, { ...ok, "impersonate-extra-other": "view" })).code, 403);
});

test("no right whatsoever makes a master", async () => {
  const frank = await mayImpersonate("frank", [{ verbs: ["*"], apiGroups: ["*"], resources: ["*"] }]);
  const wanted = { "impersonate-user": "frank", "impersonate-group": "system:masters" };
  const refused = await who(frank, wanted);
  assert.equal(refused.code, 403);
  assert.match(String(refused.message), /impersonating the system:masters group is not allowed$/);
  assert.equal((await who(harness, wanted)).code, 201);
});

test("groups, uids or extras of nobody are refused, and so is an attempt without a name", async () => {
  for (const headers of [{ "impersonate-group": "a" }, { "impersonate-uid": "1" }, { "impersonate-extra-x": "y" }]) {
    assert.equal((await who(harness, headers)).code, 400);
  }
});

test("a connection header does not take the impersonation away", async () => {
  const answer = await harness.send("GET", "/api/v1/secrets", {
    headers: { connection: "keep-alive, impersonate-user", "impersonate-user": "alice" },
  });
  assert.equal(answer.status, 403);
});

test("who is anonymous on purpose is nobody in particular", async () => {
  const nobody = await who(harness, { "impersonate-user": "system:anonymous" });
  assert.equal(nobody.code, 403);
  assert.match(String(nobody.message), /User "system:anonymous" cannot create/);
});

test("who may be somebody for one thing only is so for nothing else", async () => {
  const group = "authentication.k8s.io";
  const gina = await mayImpersonate("gina", [
    { verbs: ["impersonate:user-info"], apiGroups: [group], resources: ["users"], resourceNames: ["alice"] },
    { verbs: ["impersonate-on:user-info:create"], apiGroups: [group], resources: ["selfsubjectreviews"] },
    { verbs: ["impersonate-on:user-info:get"], apiGroups: [""], resources: ["configmaps"] },
  ]);
  const alice = { "impersonate-user": "alice" };
  assert.equal((await who(gina, alice)).code, 201);
  assert.equal((await who(gina, { "impersonate-user": "bob" })).code, 403);
  assert.equal((await who(gina, { ...alice, "impersonate-group": "staff" })).code, 403);
  const read = await gina.send("GET", "/api/v1/namespaces/default/configmaps/x", { headers: alice });
  assert.match(read.text, /User \\"alice\\" cannot get resource/);
  const list = await gina.send("GET", "/api/v1/namespaces/default/configmaps", { headers: alice });
  assert.match(list.text, /User \\"gina\\" cannot impersonate resource/);
  const robot = { "impersonate-user": "system:serviceaccount:default:alice" };
  assert.equal((await who(gina, robot)).code, 403);
});

test("who may be a node is in the group of nodes", async () => {
  const group = "authentication.k8s.io";
  const hans = await mayImpersonate("hans", [
    { verbs: ["impersonate:arbitrary-node"], apiGroups: [group], resources: ["nodes"], resourceNames: ["one"] },
    { verbs: ["impersonate-on:arbitrary-node:create"], apiGroups: [group], resources: ["selfsubjectreviews"] },
  ]);
  const one = await who(hans, { "impersonate-user": "system:node:one" });
  assert.deepEqual(one.user, { username: "system:node:one", groups: ["system:nodes", "system:authenticated"] });
  assert.equal((await who(hans, { "impersonate-user": "system:node:two" })).code, 403);
});

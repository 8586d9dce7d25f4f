import assert from "node:assert/strict";
import test, { after } from "node:test";
import { type As, startHarness } from "@atoll/harness/server";

const rbac = "/apis/rbac.authorization.k8s.io/v1";

const harness = await startHarness();
after(() => harness.close());
await harness.make("/api/v1/namespaces", { metadata: { name: "shop" } });
await harness.make("/api/v1/namespaces", { metadata: { name: "bank" } });

/** A user who may write roles and bindings in `shop`, and what else is given. */
async function manager(name: string, rules: object[] = [], { everywhere = false } = {}): Promise<As> {
  const all = { verbs: ["*"], apiGroups: ["rbac.authorization.k8s.io"], resources: ["*"] };
  const without = { ...all, verbs: ["create", "get", "list", "patch", "update", "delete"] };
  await harness.make(`${rbac}/clusterroles`, { metadata: { name }, rules: [without, ...rules] });
  await harness.make(everywhere ? `${rbac}/clusterrolebindings` : `${rbac}/namespaces/shop/rolebindings`, {
    metadata: { name },
    roleRef: { kind: "ClusterRole", name },
    subjects: [{ kind: "User", name }],
  });
  return await harness.user(name, ["staff"]);
}

const roles = `${rbac}/namespaces/shop/roles`;
const bindings = `${rbac}/namespaces/shop/rolebindings`;
const pods = (...verbs: string[]) => ({ verbs, apiGroups: [""], resources: ["pods"] });
const toSelf = (name: string, role: { kind: string; name: string }) => ({
  metadata: { name },
  roleRef: role,
  subjects: [{ kind: "User", name: "x" }],
});

async function send(user: As, method: string, path: string, body: object, contentType?: string) {
  const answer = await user.send(method, path, { body, ...(contentType === undefined ? {} : { contentType }) });
  const { message = "" } = (answer.json ?? {}) as { message?: string };
  return { code: answer.status, message };
}

test("who writes a role must hold its rules", async () => {
  const alice = await manager("alice", [pods("get", "list")]);
  assert.equal((await send(alice, "POST", roles, { metadata: { name: "held" }, rules: [pods("get")] })).code, 201);
  const refused = await send(alice, "POST", roles, {
    metadata: { name: "more" },
    rules: [{ verbs: ["get", "delete", "create"], apiGroups: ["", "apps"], resources: ["pods"] }],
  });
  assert.equal(refused.code, 403);
  assert.equal(
    refused.message,
    'roles.rbac.authorization.k8s.io "more" is forbidden: user "alice" (groups=["staff" "system:authenticated"]) is attempting to grant RBAC permissions not currently held:\n' +
      '{APIGroups:[""], Resources:["pods"], Verbs:["delete" "create"]}\n' +
      '{APIGroups:["apps"], Resources:["pods"], Verbs:["get" "delete" "create"]}',
  );
});

test("no way of writing goes round it: update, the patches, apply, dry run", async () => {
  const bob = await manager("bob", [pods("get")]);
  await harness.make(roles, { metadata: { name: "small" }, rules: [pods("get")] });
  const grown = {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "Role",
    metadata: { name: "small" },
    rules: [pods("*")],
  };
  const at = `${roles}/small`;
  const json = [{ op: "add", path: "/rules/0/verbs/-", value: "delete" }];
  const codes = [
    await send(bob, "PUT", at, grown),
    await send(bob, "PUT", `${at}?dryRun=All`, grown),
    await send(bob, "PATCH", at, { rules: [pods("*")] }, "application/merge-patch+json"),
    await send(bob, "PATCH", at, { rules: [pods("*")] }, "application/strategic-merge-patch+json"),
    await send(bob, "PATCH", at, json, "application/json-patch+json"),
    await send(bob, "PATCH", `${at}?fieldManager=f&force=true`, grown, "application/apply-patch+yaml"),
    await send(
      bob,
      "PATCH",
      `${roles}/fresh?fieldManager=f`,
      { ...grown, metadata: { name: "fresh" } },
      "application/apply-patch+yaml",
    ),
    await send(bob, "PUT", `${roles}/fresh`, { ...grown, metadata: { name: "fresh" } }),
  ];
  assert.deepEqual(
    codes.map(({ code }) => code),
    codes.map(() => 403),
  );
  const label = await send(bob, "PATCH", at, { metadata: { labels: { a: "b" } } }, "application/merge-patch+json");
  assert.equal(label.code, 200);
});

test("what an object is held by may change, though its rules are not one's own", async () => {
  const carl = await manager("carl");
  await harness.make(roles, { metadata: { name: "big", finalizers: ["example.com/hold"] }, rules: [pods("*")] });
  const freed = { metadata: { finalizers: null } };
  assert.equal((await send(carl, "PATCH", `${roles}/big`, freed, "application/merge-patch+json")).code, 200);
  const labelled = { metadata: { labels: { a: "b" } } };
  assert.equal((await send(carl, "PATCH", `${roles}/big`, labelled, "application/merge-patch+json")).code, 403);
});

test("who binds must hold the role's rules, or may bind it", async () => {
  const dora = await manager("dora", [pods("get")]);
  await harness.make(roles, { metadata: { name: "lookers" }, rules: [pods("get")] });
  await harness.make(roles, { metadata: { name: "makers" }, rules: [pods("create")] });
  const lookers = { kind: "Role", name: "lookers" };
  const makers = { kind: "Role", name: "makers" };
  assert.equal((await send(dora, "POST", bindings, toSelf("d1", lookers))).code, 201);
  const refused = await send(dora, "POST", bindings, toSelf("d2", makers));
  assert.match(
    refused.message,
    /^rolebindings.rbac.authorization.k8s.io "d2" is forbidden: user "dora" \(groups=.*\) is attempting to grant RBAC/,
  );
  assert.equal(
    (await send(dora, "POST", bindings, toSelf("d3", { kind: "ClusterRole", name: "cluster-admin" }))).code,
    403,
  );
  const absent = await send(dora, "POST", bindings, toSelf("d4", { kind: "Role", name: "absent" }));
  assert.equal(absent.code, 404);
  const binder = await manager("binder", [
    { verbs: ["bind"], apiGroups: ["rbac.authorization.k8s.io"], resources: ["roles"], resourceNames: ["makers"] },
  ]);
  assert.equal((await send(binder, "POST", bindings, toSelf("d5", makers))).code, 201);
  assert.equal((await send(binder, "POST", bindings, toSelf("d6", lookers))).code, 403);
});

test("who may escalate writes any role, but binds none", async () => {
  const erin = await manager("erin", [
    { verbs: ["escalate"], apiGroups: ["rbac.authorization.k8s.io"], resources: ["roles"] },
  ]);
  assert.equal((await send(erin, "POST", roles, { metadata: { name: "any" }, rules: [pods("*")] })).code, 201);
  assert.equal((await send(erin, "POST", bindings, toSelf("e", { kind: "Role", name: "any" }))).code, 403);
});

test("a role that gathers others is for those who hold everything", async () => {
  const frank = await manager("frank", [pods("*")], { everywhere: true });
  const refused = await send(frank, "POST", `${rbac}/clusterroles`, {
    metadata: { name: "gather" },
    rules: [],
    aggregationRule: { clusterRoleSelectors: [{ matchLabels: { a: "b" } }] },
  });
  assert.equal(
    refused.message,
    'clusterroles.rbac.authorization.k8s.io "gather" is forbidden: must have cluster-admin privileges to use the aggregationRule',
  );
});

test("rights in one namespace grant nothing in another, nor in the cluster", async () => {
  const gina = await manager("gina", [pods("*")]);
  const role = { metadata: { name: "pods" }, rules: [pods("get")] };
  assert.equal((await send(gina, "POST", `${rbac}/namespaces/bank/roles`, role)).code, 403);
  assert.equal((await send(gina, "POST", `${rbac}/clusterroles`, role)).code, 403);
});

test("what a binding grants does not change", async () => {
  await harness.make(roles, { metadata: { name: "first" }, rules: [] });
  await harness.make(bindings, toSelf("fixed", { kind: "Role", name: "first" }));
  const other = { roleRef: { kind: "Role", apiGroup: "rbac.authorization.k8s.io", name: "second" } };
  const refused = await harness.send("PATCH", `${bindings}/fixed`, {
    body: other,
    contentType: "application/merge-patch+json",
  });
  assert.equal(refused.status, 422);
  assert.match(refused.text, /cannot change roleRef/);
});

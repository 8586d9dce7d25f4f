import assert from "node:assert/strict";
import test from "node:test";
import { type Harness, startHarness } from "@atoll/harness/server";
import { openMemory } from "@atoll/storage/memory";
import type { Store } from "@atoll/storage/store";
import { clusterRoleBindings, clusterRoles } from "./rbacroles.ts";

const rbac = "/apis/rbac.authorization.k8s.io/v1";
const role = `${rbac}/clusterroles/system:basic-user`;
const binding = `${rbac}/clusterrolebindings/system:basic-user`;
const merge = { contentType: "application/merge-patch+json" };

interface Policy {
  metadata: { uid: string; resourceVersion: string; labels?: object; annotations?: object };
  rules?: { resources?: string[] }[];
  subjects?: { name: string }[];
  roleRef?: { name: string };
}

const get = async (harness: Harness, path: string) => (await harness.send("GET", path)).json as unknown as Policy;

/** A store that outlives its server. */
function kept(store: Store): Store {
  return new Proxy(store, {
    get: (target, name) => {
      if (name === "close") return async () => {};
      const value = Reflect.get(target, name) as unknown;
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

test("what was taken away comes back at the next start, what was added stays", async () => {
  const store = kept(openMemory());
  const first = await startHarness({ store });
  const before = await get(first, role);
  const rules = [{ verbs: ["get"], apiGroups: ["x"], resources: ["own"] }];
  await first.send("PATCH", role, { ...merge, body: { rules, metadata: { labels: null } } });
  await first.send("PATCH", binding, { ...merge, body: { subjects: [{ kind: "User", name: "me" }] } });
  await first.send("DELETE", `${rbac}/clusterroles/view`);
  await first.close();
  const second = await startHarness({ store });
  const after = await get(second, role);
  assert.equal(after.metadata.uid, before.metadata.uid);
  assert.deepEqual(after.metadata.labels, before.metadata.labels);
  const resources = after.rules?.flatMap((rule) => rule.resources ?? []) ?? [];
  assert.ok(["own", "selfsubjectaccessreviews", "selfsubjectreviews"].every((each) => resources.includes(each)));
  const subjects = (await get(second, binding)).subjects?.map(({ name }) => name);
  assert.deepEqual(subjects, ["me", "system:authenticated"]);
  assert.equal((await second.send("GET", `${rbac}/clusterroles/view`)).status, 200);
  await second.close();
  const third = await startHarness({ store });
  assert.equal((await get(third, role)).metadata.resourceVersion, after.metadata.resourceVersion);
  await third.close();
});

test("an object that says so is left alone, and a binding of another role is made anew", async () => {
  const store = kept(openMemory());
  const first = await startHarness({ store });
  const annotations = { "rbac.authorization.kubernetes.io/autoupdate": "false" };
  await first.send("PATCH", role, { ...merge, body: { rules: [], metadata: { annotations } } });
  await first.send("DELETE", binding);
  const roleRef = { kind: "ClusterRole", name: "cluster-admin" };
  await first.send("POST", `${rbac}/clusterrolebindings`, {
    body: { metadata: { name: "system:basic-user" }, roleRef },
  });
  await first.close();
  const second = await startHarness({ store });
  assert.deepEqual((await get(second, role)).rules ?? [], []);
  assert.equal((await get(second, binding)).roleRef?.name, "system:basic-user");
  await second.close();
});

test("each binding is of a role there is, and nobody without a name has a right but to ask how the server is", () => {
  const names = new Set(clusterRoles.map(({ name }) => name));
  for (const { name, role: granted = name } of clusterRoleBindings) assert.ok(names.has(granted), name);
  const unnamed = clusterRoleBindings.filter(({ subjects }) =>
    subjects.some(({ name }) => name === "system:unauthenticated" || name === "system:anonymous"),
  );
  assert.deepEqual(
    unnamed.map(({ name }) => name),
    ["system:public-info-viewer"],
  );
});

test("a rule that an earlier release gave is taken back as it stood, and no other", async () => {
  const store = kept(openMemory());
  const rule = (resource: string) => ({ verbs: ["get"], apiGroups: ["x"], resources: [resource] });
  const policy = { name: "atoll:example", rules: [rule("stays"), rule("goes")], subjects: [] };
  const first = await startHarness({ store, server: { policies: [policy] } });
  const path = `${rbac}/clusterroles/atoll:example`;
  const added = [...policy.rules, rule("added")];
  await first.send("PATCH", path, { ...merge, body: { rules: added } });
  await first.close();
  const narrowed = { ...policy, rules: [rule("stays")], withdrawn: [rule("goes")] };
  const second = await startHarness({ store, server: { policies: [narrowed] } });
  assert.deepEqual((await get(second, path)).rules, [rule("stays"), rule("added")]);
  await second.close();
});

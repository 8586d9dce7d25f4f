import assert from "node:assert/strict";
import test from "node:test";
import { ClusterRole } from "@atoll/client/builtin";
import { toKey } from "@atoll/client/resource";
import { clientOf, eventually } from "@atoll/harness/client";
import { startControllers } from "@atoll/harness/controllers";
import { startHarness } from "@atoll/harness/server";
import { clusterRoleController } from "./controller.ts";

const joins = (to: string) => ({ [`rbac.authorization.k8s.io/aggregate-to-${to}`]: "true" });

test("admin, edit and view gather what is added to them, and lose what is taken from them", async () => {
  await using harness = await startHarness();
  const client = clientOf(harness);
  await using workshop = startControllers(harness, [clusterRoleController]);
  const rulesOf = async (name: string) => (await client.get(ClusterRole, toKey(undefined, name))).rules ?? [];
  const may = async (name: string, verb: string, resource: string) =>
    (await rulesOf(name)).some(
      ({ verbs, resources }) => verbs?.includes(verb) === true && resources?.includes(resource) === true,
    );
  await eventually(
    "admin edits and views",
    async () =>
      (await may("admin", "create", "rolebindings")) &&
      (await may("admin", "list", "pods/log")) &&
      (await may("admin", "delete", "secrets")),
  );
  assert.equal(await may("view", "get", "secrets"), false);
  assert.equal(await may("edit", "create", "rolebindings"), false);
  await client.create(ClusterRole, {
    metadata: { name: "boats", labels: joins("view") },
    rules: [{ verbs: ["get"], apiGroups: ["sea.example.com"], resources: ["boats"] }],
  });
  for (const name of ["view", "edit", "admin"]) {
    await eventually(`${name} sees boats`, async () => await may(name, "get", "boats"));
  }
  await client.delete(ClusterRole, toKey(undefined, "boats"));
  for (const name of ["view", "edit", "admin"]) {
    await eventually(`${name} sees none`, async () => !(await may(name, "get", "boats")));
  }
  await workshop.quiet();
  const done = workshop.faults.writes.length;
  await workshop.quiet(300);
  assert.equal(workshop.faults.writes.length, done);
  assert.deepEqual(workshop.complaints, []);
});

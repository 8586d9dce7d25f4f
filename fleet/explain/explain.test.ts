import assert from "node:assert/strict";
import { test } from "node:test";
import { Pod } from "@atoll/client/builtin";
import type { Resource } from "@atoll/client/resource";
import { compile } from "../compile/compile.ts";
import type { Fleet } from "./organization.ts";
import { replaced } from "./organization.ts";
import { changesBetween } from "./plan.ts";
import { decisionsOn } from "./why.ts";

const policy = (name: string, spec: object) => ({
  apiVersion: "fleet.atoll.dev/v1alpha1",
  kind: "SecurityPolicy",
  metadata: { name, namespace: "default" },
  spec: { target: {}, ...spec },
});
const fleetOf = (...policies: object[]): Fleet =>
  ({
    clusters: [{ kind: "FleetCluster", metadata: { name: "c1", namespace: "default" }, spec: { group: "prod" } }],
    organization: { groups: new Map(), policies, namespaces: [], exceptions: [], nowMs: 0 },
  }) as unknown as Fleet;
const subject = { resource: Pod as unknown as Resource, name: "x", namespace: "shop", labels: {} };
const decisions = (fleet: Fleet) => {
  const [cluster] = fleet.clusters;
  assert.ok(cluster);
  return decisionsOn(subject, compile(cluster, fleet.organization)).map((one) => [
    one.policy.split("/")[1],
    one.level,
    one.holds,
    one.shadowedBy ?? one.equalTo.join(),
  ]);
};

test("a policy is shadowed by one that says more as strictly, and equal to one that says the same", () => {
  const fleet = fleetOf(
    policy("custom", { level: "Custom", custom: { controls: ["privileged"] }, enforcement: "Warn" }),
    policy("base", { level: "Baseline" }),
    policy("base2", { target: { group: "prod" }, level: "Baseline" }),
    policy("elsewhere", { target: { cluster: "c2" }, level: "Baseline" }),
  );
  assert.deepEqual(decisions(fleet), [
    ["base", "organization", "yes", "SecurityPolicy/base2"],
    ["base2", "group prod", "yes", "SecurityPolicy/base"],
    ["custom", "organization", "yes", "SecurityPolicy/base"],
  ]);
});

test("a weaker policy shadows none, nor does one that may not hold", () => {
  const labels = { matchLabels: { tier: "gold" } };
  const fleet = fleetOf(
    policy("strict", { level: "Custom", custom: { controls: ["privileged"] } }),
    policy("audit", { level: "Baseline", enforcement: "Audit" }),
    policy("gold", { level: "Baseline", namespaceSelector: labels }),
  );
  assert.deepEqual(decisions(fleet), [
    ["gold", "organization", "maybe", ""],
    ["strict", "organization", "yes", ""],
    ["audit", "organization", "yes", ""],
  ]);
});

test("a plan tells what comes, what changes and what goes", () => {
  const before = fleetOf(policy("a", { level: "Baseline" }), policy("b", { level: "Baseline" }));
  const { fleet, ignored } = replaced(before, [
    policy("a", { level: "Baseline", enforcement: "Warn" }),
    policy("b", { target: { cluster: "c2" }, level: "Baseline" }),
    policy("c", { level: "Baseline" }),
    { apiVersion: "v1", kind: "Pod", metadata: { name: "x" } },
  ]);
  assert.deepEqual(
    ignored.map(({ kind }) => kind),
    ["Pod"],
  );
  const names = changesBetween(before, fleet).map(({ does, object }) => `${does} ${object.replace(/^Validating/, "")}`);
  assert.deepEqual(names, [
    "add AdmissionPolicy/fleet-securitypolicy-c",
    "add AdmissionPolicyBinding/fleet-securitypolicy-c",
    "change AdmissionPolicyBinding/fleet-securitypolicy-a",
    "remove AdmissionPolicy/fleet-securitypolicy-b",
    "remove AdmissionPolicyBinding/fleet-securitypolicy-b",
  ]);
});

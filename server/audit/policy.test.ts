import assert from "node:assert/strict";
import { test } from "node:test";
import type { User } from "../call.ts";
import { parseRequest } from "../request.ts";
import { type AuditPolicy, type AuditRule, judge, readAuditPolicy, usualPolicy } from "./policy.ts";

const alice: User = { name: "alice", uid: "", groups: ["devs", "system:authenticated"], extra: {} };

function levelOf(policy: AuditPolicy, method: string, path: string, user = alice): string {
  return judge(policy)(user, parseRequest(method, path)).level;
}

const only = (rule: Omit<AuditRule, "level">): AuditPolicy => ({ rules: [{ level: "Request", ...rule }] });

const pod = "/api/v1/namespaces/ns/pods/p";
const cases: readonly [string, Omit<AuditRule, "level">, string, string, boolean][] = [
  ["a rule of nothing speaks of all", {}, "GET", "/version", true],
  ["its user", { users: ["alice"] }, "GET", pod, true],
  ["no other user", { users: ["bob"] }, "GET", pod, false],
  ["its group", { userGroups: ["ops", "devs"] }, "GET", pod, true],
  ["its verb", { verbs: ["list"] }, "GET", "/api/v1/pods", true],
  ["no other verb", { verbs: ["list"] }, "GET", pod, false],
  ["its resource", { resources: [{ group: "", resources: ["pods"] }] }, "GET", pod, true],
  ["no subresource", { resources: [{ group: "", resources: ["pods"] }] }, "GET", `${pod}/log`, false],
  ["its subresource", { resources: [{ group: "", resources: ["pods/log"] }] }, "GET", `${pod}/log`, true],
  ["all subresources", { resources: [{ group: "", resources: ["pods/*"] }] }, "GET", `${pod}/exec`, true],
  ["and the resource with them", { resources: [{ group: "", resources: ["pods/*"] }] }, "GET", pod, true],
  ["a subresource of all", { resources: [{ group: "", resources: ["*/log"] }] }, "GET", `${pod}/log`, true],
  ["a whole group", { resources: [{ group: "apps" }] }, "GET", "/apis/apps/v1/deployments", true],
  ["no other group", { resources: [{ group: "apps" }] }, "GET", pod, false],
  ["its name", { resources: [{ resources: ["pods"], resourceNames: ["p"] }] }, "GET", pod, true],
  ["no other name", { resources: [{ resources: ["pods"], resourceNames: ["q"] }] }, "GET", pod, false],
  ["its namespace", { namespaces: ["ns"] }, "GET", pod, true],
  ["no namespace", { namespaces: [""] }, "GET", "/api/v1/nodes", true],
  ["its path", { nonResourceURLs: ["/logs*"] }, "GET", "/logs/x", true],
  ["no resource by a path", { nonResourceURLs: ["*"] }, "GET", pod, false],
  ["no path by a resource", { resources: [{ group: "", resources: ["*"] }] }, "GET", "/version", false],
];

for (const [what, rule, method, path, speaks] of cases) {
  test(`a rule of an audit policy: ${what}`, () => {
    assert.equal(levelOf(only(rule), method, path), speaks ? "Request" : "None");
  });
}

test("the first rule that speaks of a request decides, and omissions add up", () => {
  const rules: AuditRule[] = [
    { level: "None", users: ["bob"] },
    { level: "Metadata", omitStages: ["ResponseStarted"] },
  ];
  const policy: AuditPolicy = { omitStages: ["RequestReceived"], omitManagedFields: true, rules };
  const verdict = judge(policy)(alice, parseRequest("GET", pod));
  assert.equal(verdict.level, "Metadata");
  assert.deepEqual([...verdict.omitStages], ["RequestReceived", "ResponseStarted"]);
  assert.equal(verdict.omitManagedFields, true);
});

test("the usual policy tells of changes and of secrets, not of reading and heartbeats", () => {
  const secret = "/api/v1/namespaces/ns/secrets/s";
  assert.equal(levelOf(usualPolicy, "POST", "/api/v1/namespaces/ns/pods"), "Metadata");
  assert.equal(levelOf(usualPolicy, "DELETE", pod), "Metadata");
  assert.equal(levelOf(usualPolicy, "GET", secret), "Metadata");
  assert.equal(levelOf(usualPolicy, "GET", `${pod}/exec`), "Metadata");
  assert.equal(levelOf(usualPolicy, "GET", pod), "None");
  assert.equal(levelOf(usualPolicy, "GET", "/livez"), "None");
  assert.equal(levelOf(usualPolicy, "PUT", "/apis/coordination.k8s.io/v1/namespaces/a/leases/l"), "None");
  const nobody = { ...alice, name: "", groups: [] };
  assert.equal(levelOf(usualPolicy, "GET", pod, nobody), "Metadata", "who failed to say who they are");
});

const refused: Readonly<Record<string, [object, RegExp]>> = {
  "no rules": [{}, /a policy without rules/],
  "an unknown level": [{ rules: [{ level: "All" }] }, /Unsupported value: "All"/],
  "an unknown stage": [{ omitStages: ["Never"], rules: [{ level: "None" }] }, /Unsupported value: "Never"/],
  "a misspelt field": [{ rules: [{ level: "None", user: ["a"] }] }, /unknown field/],
  "resources and paths at once": [
    { rules: [{ level: "None", namespaces: ["a"], nonResourceURLs: ["/a"] }] },
    /cannot apply to both/,
  ],
  "a path with a star within": [{ rules: [{ level: "None", nonResourceURLs: ["/a*b"] }] }, /must be the final/],
};

for (const [what, [given, why]] of Object.entries(refused)) {
  test(`an audit policy with ${what} is refused`, () => {
    assert.throws(
      () => readAuditPolicy(JSON.stringify({ apiVersion: "audit.k8s.io/v1", kind: "Policy", ...given })),
      why,
    );
  });
}

import assert from "node:assert/strict";
import test, { after } from "node:test";
import { type As, startHarness } from "@atoll/harness/server";

const rbac = "/apis/rbac.authorization.k8s.io/v1";
const group = "authorization.k8s.io";
const reviews = `/apis/${group}/v1`;

const harness = await startHarness();
after(() => harness.close());
const bound = await harness.send("POST", `${rbac}/namespaces/default/rolebindings`, {
  body: {
    metadata: { name: "readers" },
    roleRef: { kind: "Role", name: "reader" },
    subjects: [{ kind: "Group", name: "readers" }],
  },
});
const rules = [{ verbs: ["get", "list"], apiGroups: [""], resources: ["pods", "pods/log"], resourceNames: [] }];
const made = await harness.send("POST", `${rbac}/namespaces/default/roles`, {
  body: { metadata: { name: "reader" }, rules },
});
assert.deepEqual([bound.status, made.status], [201, 201]);

async function review(user: As, kind: string, spec: object, namespace = "") {
  const at = namespace === "" ? reviews : `${reviews}/namespaces/${namespace}`;
  const body = { apiVersion: `${group}/v1`, kind, metadata: namespace === "" ? {} : { namespace }, spec };
  const answer = await user.send("POST", `${at}/${kind.toLowerCase()}s`, { body });
  const { status, message } = answer.json as { status: Record<string, unknown>; message?: string };
  return { code: answer.status, status, message };
}

const pods = { verb: "list", group: "", resource: "pods", namespace: "default" };

test("an access review asks all authorizers, and tells which binding allows", async () => {
  const asked = { user: "alice", groups: ["readers"], resourceAttributes: pods };
  const yes = await review(harness, "SubjectAccessReview", asked);
  assert.deepEqual(yes.status, {
    allowed: true,
    reason: 'RBAC: allowed by RoleBinding "readers/default" of Role "reader" to Group "readers"',
  });
  const no = await review(harness, "SubjectAccessReview", { ...asked, groups: [] });
  assert.deepEqual(no.status, { allowed: false });
  const path = {
    user: "alice",
    groups: ["system:authenticated"],
    nonResourceAttributes: { path: "/api/v1", verb: "get" },
  };
  assert.equal((await review(harness, "SubjectAccessReview", path)).status["allowed"], true);
  const local = await review(harness, "LocalSubjectAccessReview", asked, "default");
  assert.equal(local.status["allowed"], true);
  assert.equal((await review(harness, "LocalSubjectAccessReview", asked, "kube-system")).code, 422);
});

test("selectors in a review mean what they mean in a request", async () => {
  const node = { user: "system:node:one", groups: ["system:nodes"] };
  const everywhere = { verb: "list", group: "", resource: "pods" };
  const ask = async (fieldSelector?: object) => {
    const attributes = fieldSelector === undefined ? everywhere : { ...everywhere, fieldSelector };
    return (await review(harness, "SubjectAccessReview", { ...node, resourceAttributes: attributes })).status[
      "allowed"
    ];
  };
  const requirement = (operator: string, ...values: string[]) => ({
    requirements: [{ key: "spec.nodeName", operator, values }],
  });
  assert.equal(await ask(), false);
  assert.equal(await ask({ rawSelector: "spec.nodeName=one" }), true);
  assert.equal(await ask({ rawSelector: "spec.nodeName=two" }), false);
  assert.equal(await ask(requirement("In", "one")), true);
  assert.equal(await ask(requirement("In", "one", "two")), false);
  assert.equal(await ask(requirement("NotIn", "one")), false);
  assert.equal(await ask(requirement("In", "two,spec.nodeName=one")), false);
});

test("a selector is given in one form", async () => {
  const both = { rawSelector: "a=b", requirements: [{ key: "a", operator: "In", values: ["b"] }] };
  const ask = (fieldSelector: object) =>
    review(harness, "SubjectAccessReview", { user: "x", resourceAttributes: { ...pods, fieldSelector } });
  assert.match(String((await ask(both)).message), /may not specified at the same time as requirements/);
  assert.match(String((await ask({})).message), /requirements or rawSelector is required/);
  assert.equal((await ask({ requirements: [{ key: "a", operator: "In" }] })).code, 422);
});

test("people find out what they may do themselves", async () => {
  const bob = await harness.user("bob", ["readers"]);
  const may = await review(bob, "SelfSubjectAccessReview", { resourceAttributes: pods });
  assert.equal(may.status["allowed"], true);
  const other = await review(bob, "SelfSubjectAccessReview", { resourceAttributes: { ...pods, verb: "delete" } });
  assert.equal(other.status["allowed"], false);
  const rules = await review(bob, "SelfSubjectRulesReview", { namespace: "default" });
  assert.equal(rules.status["incomplete"], false);
  const resourceRules = rules.status["resourceRules"] as { resources: string[]; verbs: string[] }[];
  const reading = resourceRules.find(({ resources }) => resources.includes("pods/log"));
  assert.deepEqual(reading, { verbs: ["get", "list"], apiGroups: [""], resources: ["pods", "pods/log"] });
  const elsewhere = await review(bob, "SelfSubjectRulesReview", { namespace: "kube-system" });
  assert.doesNotMatch(JSON.stringify(elsewhere.status), /pods\/log/);
  assert.match(JSON.stringify(elsewhere.status), /selfsubjectrulesreviews/);
});

test("a node's rules are not all that it may do, and the answer says so", async () => {
  const node = await harness.user("system:node:one", ["system:nodes"]);
  const { status } = await review(node, "SelfSubjectRulesReview", { namespace: "default" });
  assert.equal(status["incomplete"], true);
  assert.equal(status["evaluationError"], "node authorizer does not support user rule resolution");
});

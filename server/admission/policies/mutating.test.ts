import assert from "node:assert/strict";
import { after, test } from "node:test";
import type { ApiObject } from "@atoll/machinery/object";
import { type Answer, startHarness } from "@atoll/harness/server";

const harness = await startHarness();
after(() => harness.close());

const registration = "/apis/admissionregistration.k8s.io/v1";
const pods = { apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE"], resources: ["pods", "configmaps"] };

interface Spec extends Record<string, unknown> {
  readonly mutations: readonly object[];
}

/** Puts a policy and its binding in place; labels keep tests apart. */
async function enforce(name: string, spec: Spec, label = name): Promise<void> {
  const group = "admissionregistration.k8s.io/v1";
  const policy = {
    apiVersion: group,
    kind: "MutatingAdmissionPolicy",
    metadata: { name },
    spec: {
      reinvocationPolicy: "Never",
      matchConstraints: { resourceRules: [pods], objectSelector: { matchLabels: { test: label } } },
      ...spec,
    },
  };
  made(await harness.send("POST", `${registration}/mutatingadmissionpolicies`, { body: policy }));
  const binding = {
    apiVersion: group,
    kind: "MutatingAdmissionPolicyBinding",
    metadata: { name },
    spec: { policyName: name },
  };
  made(await harness.send("POST", `${registration}/mutatingadmissionpolicybindings`, { body: binding }));
}

function made(answer: Answer): void {
  assert.equal(answer.status, 201, answer.text);
}

const apply = (expression: string) => ({ patchType: "ApplyConfiguration", applyConfiguration: { expression } });
const patch = (expression: string) => ({ patchType: "JSONPatch", jsonPatch: { expression } });

function pod(label: string, spec: object = {}): object {
  const container = { name: "main", image: "registry.example.org/main:1" };
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: label, labels: { test: label } },
    spec: { automountServiceAccountToken: false, containers: [container], ...spec },
  };
}

async function create(label: string, spec?: object): Promise<Answer> {
  return await harness.send("POST", "/api/v1/namespaces/default/pods", { body: pod(label, spec) });
}

interface Pod {
  readonly metadata: ApiObject["metadata"];
  readonly spec: { readonly containers: readonly Record<string, unknown>[]; readonly [field: string]: unknown };
}

async function created(label: string, spec?: object): Promise<Pod> {
  const serviceAccount = { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "default" } };
  await harness.send("POST", "/api/v1/namespaces/default/serviceaccounts", { body: serviceAccount });
  const answer = await create(label, spec);
  made(answer);
  return answer.json as unknown as Pod;
}

test("an applied configuration is merged by the keys of lists, and what it adds is defaulted", async () => {
  await enforce("sidecar", {
    mutations: [
      apply(
        "Object{spec: Object.spec{containers: [Object.spec.containers{name: 'proxy', image: 'registry.example.org/proxy:1'}], priority: 0}}",
      ),
      apply("Object{metadata: Object.metadata{labels: {'added': string(size(object.spec.containers))}}}"),
    ],
  });
  const { metadata, spec } = await created("sidecar");
  assert.deepEqual(
    spec.containers.map(({ name, imagePullPolicy }) => [name, imagePullPolicy]),
    [
      ["main", "IfNotPresent"],
      ["proxy", "IfNotPresent"],
    ],
  );
  assert.deepEqual(metadata.labels, { test: "sidecar", added: "2" });
});

test("a JSON patch adds, tests and escapes keys", async () => {
  await enforce("patched", {
    variables: [{ name: "key", expression: "'example.org/owner'" }],
    mutations: [
      patch("[JSONPatch{op: 'add', path: '/metadata/labels/' + jsonpatch.escapeKey(variables.key), value: 'me'}]"),
      patch(
        "[JSONPatch{op: 'test', path: '/spec/restartPolicy', value: 'Never'}, JSONPatch{op: 'replace', path: '/spec/restartPolicy', value: 'OnFailure'}]",
      ),
      patch(
        "[JSONPatch{op: 'add', path: '/spec/tolerations', value: [Object.spec.tolerations{key: 'a', operator: 'Exists'}]}]",
      ),
    ],
  });
  const { metadata, spec } = await created("patched");
  assert.equal(metadata.labels?.["example.org/owner"], "me");
  assert.equal(spec["restartPolicy"], "Always");
  assert.deepEqual((spec["tolerations"] as object[])[0], { key: "a", operator: "Exists" });
});

test("what a policy sets is validated like what a client sends", async () => {
  await enforce("invalid", { mutations: [apply("Object{spec: Object.spec{restartPolicy: 'Sometimes'}}")] });
  const answer = await create("invalid");
  assert.equal(answer.status, 422, answer.text);
  assert.match(String(answer.json?.["message"]), /spec.restartPolicy: Unsupported value: "Sometimes"/);
});

test("an atomic list is not replaced, an unknown field not taken, and the failure policy decides what comes of it", async () => {
  await enforce("atomic", {
    mutations: [
      apply(
        "Object{spec: Object.spec{hostAliases: [], securityContext: Object.spec.securityContext{supplementalGroups: [1]}, dnsConfig: Object.spec.dnsConfig{nameservers: ['10.0.0.1']}}}",
      ),
    ],
  });
  const atomic = await create("atomic");
  assert.equal(atomic.status, 403);
  assert.match(
    String(atomic.json?.["message"]),
    /^policy 'atomic' with binding 'atomic' denied request: error applying patch: invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: .*\.spec\.dnsConfig\.nameservers/,
  );
  await enforce("unknown", { mutations: [apply("Object{spec: Object.spec{colour: 'red'}}")] });
  assert.match(String((await create("unknown")).json?.["message"]), /\.spec\.colour: field not declared in schema$/);
  await enforce("misplaced", { mutations: [apply("Object{spec: Object.status{phase: 'x'}}")] });
  assert.match(
    String((await create("misplaced")).json?.["message"]),
    /type mismatch: unexpected type name "Object.status"/,
  );
  await enforce("lenient", {
    failurePolicy: "Ignore",
    mutations: [apply("Object{spec: Object.spec{colour: 'red'}}"), apply("Object{spec: Object.spec{hostname: 'h'}}")],
  });
  assert.equal((await created("lenient")).spec["hostname"], "h");
});

test("a policy that may run again sees what a later one did; one that may not does not", async () => {
  const count = (label: string) =>
    apply(
      `Object{metadata: Object.metadata{labels: {'${label}': string(object.spec.?initContainers.orValue([]).size())}}}`,
    );
  await enforce("again-a", { reinvocationPolicy: "IfNeeded", mutations: [count("again")] }, "again");
  await enforce("again-b", { mutations: [count("once")] }, "again");
  const add =
    "Object{spec: Object.spec{initContainers: [Object.spec.initContainers{name: 'i', image: 'registry.example.org/i:1'}]}}";
  await enforce("again-c", { mutations: [apply(add)] }, "again");
  const { metadata } = await created("again");
  assert.equal(metadata.labels?.["again"], "1");
  assert.equal(metadata.labels?.["once"], "0");
});

test("match conditions hold or spare, and other kinds' objects are left alone", async () => {
  await enforce("spared", {
    matchConditions: [{ name: "host", expression: "!has(object.spec.hostNetwork)" }],
    mutations: [apply("Object{metadata: Object.metadata{annotations: {'seen': request.userInfo.username}}}")],
  });
  const { metadata } = await created("spared");
  assert.equal(metadata.annotations?.["seen"], "kubernetes-admin");
  const body = { apiVersion: "v1", kind: "Secret", metadata: { name: "s", labels: { test: "spared" } } };
  const secret = await harness.send("POST", "/api/v1/namespaces/default/secrets", { body });
  assert.equal((secret.json as unknown as ApiObject).metadata.annotations, undefined);
});

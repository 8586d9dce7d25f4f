import assert from "node:assert/strict";
import { after, test } from "node:test";
import { eventually } from "@atoll/harness/client";
import { type Answer, startHarness } from "@atoll/harness/server";

const harness = await startHarness();
after(() => harness.close());

const registration = "/apis/admissionregistration.k8s.io/v1";
const configMaps = {
  apiGroups: [""],
  apiVersions: ["v1"],
  operations: ["CREATE", "UPDATE"],
  resources: ["configmaps"],
};

/** Puts a policy and its binding in place; other tests' names and labels keep them apart. */
async function enforce(name: string, spec: Record<string, unknown>, binding: Record<string, unknown> = {}) {
  const policy = {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "ValidatingAdmissionPolicy",
    metadata: { name },
    spec: {
      matchConstraints: { resourceRules: [configMaps], objectSelector: { matchLabels: { test: name } } },
      ...spec,
    },
  };
  made(await harness.send("POST", `${registration}/validatingadmissionpolicies`, { body: policy }));
  await bindPolicy(`${name}-binding`, { policyName: name, ...binding });
}

async function bindPolicy(name: string, spec: Record<string, unknown>): Promise<void> {
  const body = {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "ValidatingAdmissionPolicyBinding",
    metadata: { name },
    spec: { validationActions: ["Deny"], ...spec },
  };
  made(await harness.send("POST", `${registration}/validatingadmissionpolicybindings`, { body }));
}

function made(answer: Answer): void {
  assert.equal(answer.status, 201, answer.text);
}

function configMap(test: string, name: string, data: Record<string, string> = {}): object {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { name, labels: { test } }, data };
}

const post = (body: object, query = "") =>
  harness.send("POST", `/api/v1/namespaces/default/configmaps${query}`, { body });

test("a policy refuses what its validation does not hold for, in upstream's words", async () => {
  await enforce("owner", { validations: [{ expression: "has(object.data) && 'owner' in object.data" }] });
  const refused = await post(configMap("owner", "a", { x: "1" }));
  assert.equal(refused.status, 422, refused.text);
  const why =
    "ValidatingAdmissionPolicy 'owner' with binding 'owner-binding' denied request: failed expression: has(object.data) && 'owner' in object.data";
  assert.equal(refused.json?.["message"], `configmaps "a" is forbidden: ${why}`);
  assert.equal(refused.json?.["reason"], "Invalid");
  assert.deepEqual(refused.json?.["details"], { name: "a", kind: "configmaps", causes: [{ message: why }] });
  made(await post(configMap("owner", "a", { owner: "me" })));
  made(await post({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "unselected" } }));
});

test("reason, message and messageExpression decide how a refusal reads", async () => {
  await enforce("words", {
    variables: [{ name: "count", expression: "size(object.data)" }],
    validations: [
      {
        expression: "variables.count < 2",
        reason: "Forbidden",
        message: "too many",
        messageExpression: "'has ' + string(variables.count) + ' keys'",
      },
    ],
  });
  const refused = await post(configMap("words", "w", { a: "", b: "" }));
  assert.equal(refused.status, 403);
  assert.match(String(refused.json?.["message"]), /denied request: has 2 keys$/);
});

test("Warn warns, Audit lets pass, and both together do not refuse", async () => {
  await enforce(
    "warned",
    { validations: [{ expression: "false", message: "no good" }] },
    { validationActions: ["Warn", "Audit"] },
  );
  const answer = await post(configMap("warned", "warned"));
  made(answer);
  assert.equal(
    answer.headers["warning"],
    `299 - "Validation failed for ValidatingAdmissionPolicy 'warned' with binding 'warned-binding': no good"`,
  );
});

test("an update sees both objects, a dry run and who asks", async () => {
  await enforce("request", {
    validations: [
      { expression: "request.operation == 'CREATE' ? oldObject == null : oldObject.data.v != object.data.v" },
      { expression: "request.userInfo.username == 'kubernetes-admin' && 'system:masters' in request.userInfo.groups" },
      { expression: "request.namespace == namespaceObject.metadata.name && request.resource.resource == 'configmaps'" },
      { expression: "request.dryRun == (object.data.v == 'dry')" },
      { expression: "has(request.options.fieldManager) ? request.options.fieldManager == 'me' : true" },
    ],
  });
  made(await post(configMap("request", "r", { v: "1" }), "?fieldManager=me"));
  const path = "/api/v1/namespaces/default/configmaps/r";
  const same = await harness.send("PUT", path, { body: configMap("request", "r", { v: "1" }) });
  assert.equal(same.status, 422, same.text);
  const other = await harness.send("PUT", path, { body: configMap("request", "r", { v: "2" }) });
  assert.equal(other.status, 200, other.text);
  const dry = await post(configMap("request", "dry", { v: "dry" }), "?dryRun=All");
  made(dry);
});

test("match conditions, expressions that fail and the failure policy", async () => {
  await enforce("conditions", {
    matchConditions: [{ name: "not-free", expression: "!(has(object.data) && 'free' in object.data)" }],
    validations: [{ expression: "object.data.missing == ''" }],
  });
  made(await post(configMap("conditions", "free", { free: "" })));
  const refused = await post(configMap("conditions", "c", { a: "" }));
  assert.match(
    String(refused.json?.["message"]),
    /denied request: expression 'object.data.missing == ''' resulted in error: no such key: missing$/,
  );
  await enforce("ignoring", { failurePolicy: "Ignore", validations: [{ expression: "object.data.missing == ''" }] });
  made(await post(configMap("ignoring", "ignoring", { a: "" })));
});

test("parameters come by name and by selector, and their absence is told", async () => {
  const limit = (name: string, max: string) => configMap("params", name, { max });
  made(await post(limit("limit-1", "1")));
  made(await post(limit("limit-2", "2")));
  const spec = {
    paramKind: { apiVersion: "v1", kind: "ConfigMap" },
    validations: [
      { expression: "size(object.data) <= int(params.data.max)", messageExpression: "'max ' + params.data.max" },
    ],
  };
  await enforce("by-name", spec, { paramRef: { name: "limit-2", parameterNotFoundAction: "Deny" } });
  made(await post(configMap("by-name", "two", { a: "", b: "" })));
  assert.match(
    String((await post(configMap("by-name", "three", { a: "", b: "", c: "" }))).json?.["message"]),
    /max 2$/,
  );
  await enforce("by-label", spec, {
    paramRef: { selector: { matchLabels: { test: "params" } }, parameterNotFoundAction: "Deny" },
  });
  assert.match(String((await post(configMap("by-label", "two-l", { a: "", b: "" }))).json?.["message"]), /max 1$/);
  await enforce("absent", spec, { paramRef: { name: "gone", parameterNotFoundAction: "Deny" } });
  assert.match(
    String((await post(configMap("absent", "x"))).json?.["message"]),
    /failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction$/,
  );
  await enforce("absent-allowed", spec, { paramRef: { name: "gone", parameterNotFoundAction: "Allow" } });
  made(await post(configMap("absent-allowed", "y")));
  await enforce(
    "kindless",
    { ...spec, paramKind: { apiVersion: "example.org/v1", kind: "Rule" } },
    {
      paramRef: { name: "gone", parameterNotFoundAction: "Deny" },
    },
  );
  assert.match(
    String((await post(configMap("kindless", "z"))).json?.["message"]),
    /'kindless' denied request: failed to configure policy: failed to find resource referenced by paramKind: 'example.org\/v1, Kind=Rule'$/,
  );
});

test("the authorizer answers expressions, for the user and for service accounts", async () => {
  await enforce("authorizer", {
    validations: [
      { expression: "authorizer.group('apps').resource('deployments').namespace('default').check('create').allowed()" },
      { expression: "authorizer.requestResource.check('delete').allowed()" },
      { expression: "!authorizer.serviceAccount('default', 'nobody').path('/metrics').check('get').allowed()" },
    ],
  });
  made(await post(configMap("authorizer", "authorizer")));
});

test("an Equivalent rule meets requests in another version, converted; an Exact one does not", async () => {
  const rule = {
    apiGroups: ["autoscaling"],
    apiVersions: ["v1"],
    operations: ["CREATE"],
    resources: ["horizontalpodautoscalers"],
  };
  const scaler = (name: string) => ({
    apiVersion: "autoscaling/v2",
    kind: "HorizontalPodAutoscaler",
    metadata: { name, labels: { test: name } },
    spec: {
      maxReplicas: 5,
      scaleTargetRef: { kind: "Deployment", name: "d", apiVersion: "apps/v1" },
      metrics: [
        { type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 70 } } },
      ],
    },
  });
  for (const matchPolicy of ["Equivalent", "Exact"]) {
    const name = `hpa-${matchPolicy.toLowerCase()}`;
    await enforce(name, {
      matchConstraints: { resourceRules: [rule], matchPolicy, objectSelector: { matchLabels: { test: name } } },
      validations: [
        {
          expression: "request.kind.version != 'v1' || object.spec.targetCPUUtilizationPercentage != 70",
          messageExpression: "request.requestKind.version + ' as ' + request.kind.version + ' ' + object.apiVersion",
        },
      ],
    });
  }
  const path = "/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers";
  const refused = await harness.send("POST", path, { body: scaler("hpa-equivalent") });
  assert.match(String(refused.json?.["message"]), /denied request: v2 as v1 autoscaling\/v1$/);
  made(await harness.send("POST", path, { body: scaler("hpa-exact") }));
});

test("namespace selectors, exclusions and names narrow a policy; deleting it ends it at once", async () => {
  for (const [name, labels] of [
    ["strict", { level: "strict" }],
    ["lax", {}],
  ] as const) {
    made(
      await harness.send("POST", "/api/v1/namespaces", {
        body: { apiVersion: "v1", kind: "Namespace", metadata: { name, labels } },
      }),
    );
  }
  await enforce("narrow", {
    matchConstraints: {
      namespaceSelector: { matchLabels: { level: "strict" } },
      resourceRules: [{ ...configMaps, operations: ["*"] }],
      excludeResourceRules: [{ ...configMaps, resourceNames: ["excluded"] }],
    },
    validations: [{ expression: "request.operation == 'DELETE' ? oldObject.metadata.name != 'kept' : false" }],
  });
  const at = (namespace: string) => `/api/v1/namespaces/${namespace}/configmaps`;
  const body = (name: string) => ({ apiVersion: "v1", kind: "ConfigMap", metadata: { name } });
  assert.equal((await harness.send("POST", at("strict"), { body: body("a") })).status, 422);
  made(await harness.send("POST", at("strict"), { body: body("excluded") }));
  made(await harness.send("POST", at("lax"), { body: body("a") }));
  await harness.send("DELETE", `${registration}/validatingadmissionpolicies/narrow`);
  made(await harness.send("POST", at("strict"), { body: body("kept") }));
});

test("a delete is judged by the object that goes", async () => {
  await enforce("keep", {
    matchConstraints: {
      resourceRules: [{ ...configMaps, operations: ["DELETE"] }],
      objectSelector: { matchLabels: { test: "keep" } },
    },
    validations: [{ expression: "object == null && oldObject.data.keep != 'yes'", message: "kept" }],
  });
  made(await post(configMap("keep", "keep", { keep: "yes" })));
  const refused = await harness.send("DELETE", "/api/v1/namespaces/default/configmaps/keep");
  assert.match(String(refused.json?.["message"]), /denied request: kept$/);
});

test("an expression over its cost limit refuses, and is stopped", async () => {
  await enforce("costly", {
    validations: [{ expression: "object.data.all(a, object.data.all(b, object.data.all(c, size(a + b + c) > 0)))" }],
  });
  const data = Object.fromEntries(Array.from({ length: 400 }, (_, i) => [`key-${i}`, "x"]));
  const refused = await post(configMap("costly", "costly", data));
  assert.equal(refused.status, 422);
  assert.match(String(refused.json?.["message"]), /operation cancelled: actual cost limit exceeded$/);
});

test("what configures admission is not subject to it", async () => {
  await enforce("everything", {
    matchConstraints: {
      resourceRules: [
        { apiGroups: ["admissionregistration.k8s.io"], apiVersions: ["*"], operations: ["*"], resources: ["*"] },
      ],
    },
    validations: [{ expression: "false" }],
  });
  const gone = await harness.send("DELETE", `${registration}/validatingadmissionpolicies/everything`);
  assert.equal(gone.status, 200, gone.text);
});

test("a Scale and an Eviction are judged as what they are", async () => {
  const deployment = {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "scaled", labels: { test: "scaled" } },
    spec: {
      replicas: 1,
      selector: { matchLabels: { a: "b" } },
      template: {
        metadata: { labels: { a: "b" } },
        spec: { containers: [{ name: "c", image: "registry.example.org/c" }] },
      },
    },
  };
  const path = "/apis/apps/v1/namespaces/default/deployments";
  made(await harness.send("POST", path, { body: deployment }));
  const rule = { apiGroups: ["apps"], apiVersions: ["v1"], operations: ["UPDATE"], resources: ["deployments/scale"] };
  await enforce("scaled", {
    matchConstraints: { resourceRules: [rule] },
    validations: [
      {
        expression: "object.spec.replicas <= 3 && oldObject.kind == 'Scale' && request.subResource == 'scale'",
        messageExpression: "request.kind.kind + ' of ' + request.resource.resource",
      },
    ],
  });
  const scale = (replicas: number) =>
    harness.send("PATCH", `${path}/scaled/scale`, {
      body: { spec: { replicas } },
      contentType: "application/merge-patch+json",
    });
  assert.equal((await scale(3)).status, 200);
  assert.match(String((await scale(4)).json?.["message"]), /denied request: Scale of deployments$/);

  const eviction = { apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE", "DELETE"], resources: ["pods/*"] };
  await enforce("evicted", {
    matchConstraints: { resourceRules: [eviction] },
    validations: [
      { expression: "object.kind != 'Eviction'", messageExpression: "request.operation + object.apiVersion" },
    ],
  });
  const pod = { metadata: { name: "evicted" }, spec: { containers: [{ name: "c", image: "registry.example.org/c" }] } };
  await harness.send("POST", "/api/v1/namespaces/default/serviceaccounts", { body: { metadata: { name: "default" } } });
  made(await harness.send("POST", "/api/v1/namespaces/default/pods", { body: pod }));
  const body = { apiVersion: "policy/v1", kind: "Eviction", metadata: { name: "evicted" } };
  const answer = await harness.send("POST", "/api/v1/namespaces/default/pods/evicted/eviction", { body });
  assert.match(String(answer.json?.["message"]), /denied request: CREATEpolicy\/v1$/);
});

test("the status tells what expressions get wrong about the types of their objects", async () => {
  const rule = { apiGroups: ["apps"], apiVersions: ["v1"], operations: ["CREATE"], resources: ["deployments"] };
  await enforce("typed", {
    matchConstraints: { resourceRules: [rule], objectSelector: { matchLabels: { test: "typed" } } },
    variables: [{ name: "count", expression: "object.spec.replicas" }],
    validations: [
      { expression: "variables.count > 1 && object.metadata.name != ''" },
      { expression: "object.spec.replicas > '1'", messageExpression: "string(object.spec.colour)" },
    ],
  });
  const path = `${registration}/validatingadmissionpolicies/typed`;
  const statusNow = async () => ((await harness.send("GET", path)).json?.["status"] ?? {}) as object;
  await eventually("a status is written", async () => "observedGeneration" in (await statusNow()));
  const warning = (what: string) => `apps/v1, Kind=Deployment: ERROR: <input>:1:${what}\n`;
  const mismatch =
    "22: found no matching overload for '_>_' applied to '(int, string)'\n | object.spec.replicas > '1'\n | .....................^";
  const undefinedField = "19: undefined field 'colour'\n | string(object.spec.colour)\n | ..................^";
  assert.deepEqual(await statusNow(), {
    observedGeneration: 1,
    typeChecking: {
      expressionWarnings: [
        { fieldRef: "spec.validations[1].expression", warning: warning(mismatch) },
        { fieldRef: "spec.validations[1].messageExpression", warning: warning(undefinedField) },
      ],
    },
  });
});

/** Policies about custom kinds, and with custom kinds as parameters. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { type Answer, startHarness } from "@atoll/harness/server";

const registration = "/apis/admissionregistration.k8s.io/v1";
const apiVersion = "admissionregistration.k8s.io/v1";

function made(answer: Answer): void {
  assert.equal(answer.status, 201, answer.text);
}

/** A kind with whatever fields are given in its spec. */
async function define(plural: string, kind: string, spec: object, scope = "Namespaced"): Promise<void> {
  const schema = { openAPIV3Schema: { type: "object", properties: { spec: { type: "object", properties: spec } } } };
  const versions = ["v1", "v2"].map((name) => ({ name, served: true, storage: name === "v1", schema }));
  const body = {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${plural}.example.org` },
    spec: { group: "example.org", names: { plural, kind }, scope, versions },
  };
  made(await harness.send("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", { body }));
  const path = `/apis/example.org/v1/${plural}`;
  for (let i = 0; i < 100; i++) if ((await harness.send("GET", path)).status === 200) return;
  assert.fail(`${plural} are not served`);
}

const harness = await startHarness();
after(() => harness.close());
const part = {
  type: "object",
  properties: { name: { type: "string" }, size: { type: "integer" } },
  required: ["name"],
};
await define("widgets", "Widget", {
  size: { type: "integer" },
  colour: { type: "string", default: "red" },
  parts: { type: "array", items: part, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"] },
  tags: { type: "array", items: { type: "string" } },
});
await define("limits", "Limit", { max: { type: "integer" } }, "Cluster");

async function policy(kind: "Validating" | "Mutating", name: string, spec: object, binding: object = {}) {
  const path = `${registration}/${kind.toLowerCase()}admissionpolicies`;
  made(
    await harness.send("POST", path, {
      body: { apiVersion, kind: `${kind}AdmissionPolicy`, metadata: { name }, spec },
    }),
  );
  const body = {
    apiVersion,
    kind: `${kind}AdmissionPolicyBinding`,
    metadata: { name },
    spec: { policyName: name, ...(kind === "Validating" ? { validationActions: ["Deny"] } : {}), ...binding },
  };
  made(await harness.send("POST", `${path.replace(/ies$/, "y")}bindings`, { body }));
}

const rule = { apiGroups: ["example.org"], apiVersions: ["v1"], operations: ["CREATE"], resources: ["widgets"] };

function create(name: string, spec: object, version = "v1"): Promise<Answer> {
  const body = {
    apiVersion: `example.org/${version}`,
    kind: "Widget",
    metadata: { name, labels: { for: name } },
    spec,
  };
  return harness.send("POST", `/apis/example.org/${version}/namespaces/default/widgets`, { body });
}

const about = (name: string) => ({ resourceRules: [rule], objectSelector: { matchLabels: { for: name } } });

test("a custom kind of cluster scope gives parameters, also to requests in another version of the objects' kind", async () => {
  const limit = { apiVersion: "example.org/v1", kind: "Limit", metadata: { name: "small" }, spec: { max: 3 } };
  made(await harness.send("POST", "/apis/example.org/v1/limits", { body: limit }));
  await policy(
    "Validating",
    "limited",
    {
      paramKind: { apiVersion: "example.org/v1", kind: "Limit" },
      matchConstraints: about("limited"),
      validations: [
        {
          expression: "object.spec.size <= params.spec.max",
          messageExpression: "object.apiVersion + ' ' + string(params.spec.max)",
        },
      ],
    },
    { paramRef: { name: "small", parameterNotFoundAction: "Deny" } },
  );
  const refused = await create("limited", { size: 4 }, "v2");
  assert.match(String(refused.json?.["message"]), /denied request: example.org\/v1 3$/);
  made(await create("limited", { size: 3 }, "v2"));
});

test("a parameter's change counts from the next request on", async () => {
  const path = "/apis/example.org/v1/limits/moving";
  const limit = (max: number) => ({
    apiVersion: "example.org/v1",
    kind: "Limit",
    metadata: { name: "moving" },
    spec: { max },
  });
  made(await harness.send("POST", "/apis/example.org/v1/limits", { body: limit(1) }));
  await policy(
    "Validating",
    "moving",
    {
      paramKind: { apiVersion: "example.org/v1", kind: "Limit" },
      matchConstraints: { resourceRules: [rule], objectSelector: { matchLabels: { for: "moving" } } },
      validations: [{ expression: "object.spec.size <= params.spec.max" }],
    },
    { paramRef: { name: "moving", parameterNotFoundAction: "Deny" } },
  );
  for (const max of [5, 2, 7]) {
    const body = { spec: { max } };
    await harness.send("PATCH", path, { body, contentType: "application/merge-patch+json" });
    assert.equal((await create("moving", { size: max + 1 })).status, 422);
  }
});

test("an applied configuration follows a custom kind's own list types, and what it leaves out is defaulted", async () => {
  await policy("Mutating", "merged", {
    reinvocationPolicy: "Never",
    matchConstraints: about("merged"),
    mutations: [
      {
        patchType: "ApplyConfiguration",
        applyConfiguration: {
          expression: "Object{spec: Object.spec{parts: [Object.spec.parts{name: 'b', size: 2}], size: 9}}",
        },
      },
    ],
  });
  const answer = await create("merged", { parts: [{ name: "a" }, { name: "b", size: 1 }] });
  made(answer);
  const parts = [{ name: "a" }, { name: "b", size: 2 }];
  assert.deepEqual(answer.json?.["spec"], { size: 9, colour: "red", parts });
  await policy("Mutating", "atomic", {
    reinvocationPolicy: "Never",
    matchConstraints: about("atomic"),
    mutations: [
      { patchType: "ApplyConfiguration", applyConfiguration: { expression: "Object{spec: Object.spec{tags: ['x']}}" } },
    ],
  });
  assert.match(String((await create("atomic", {})).json?.["message"]), /may not mutate atomic .*: \.spec\.tags$/);
});

/**
 * Many CustomResourceDefinitions with deep schemas, all at once: each is established and its objects are validated,
 * defaulted and pruned.
 */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { eventually } from "@atoll/harness/client";
import { type Harness, startHarness } from "@atoll/harness/server";

let harness: Harness;
before(async () => {
  harness = await startHarness();
});
after(() => harness.close());

const count = 200;
const depth = 12;
const definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

/** An object within an object, `depth` levels down, each with a default, a bound, a list with keys and a rule. */
function schemaOf(level: number): object {
  const entry = {
    type: "object",
    required: ["name"],
    properties: { name: { type: "string", maxLength: 63 }, weight: { type: "integer", default: level } },
  };
  return {
    type: "object",
    "x-kubernetes-validations": [{ rule: "self.size <= 100", message: "too large" }],
    properties: {
      size: { type: "integer", minimum: 0, default: 10 },
      mode: { type: "string", enum: ["on", "off"], default: "on" },
      port: { "x-kubernetes-int-or-string": true },
      labels: { type: "object", additionalProperties: { type: "string" } },
      entries: {
        type: "array",
        maxItems: 16,
        items: entry,
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["name"],
      },
      ...(level < depth && { inner: schemaOf(level + 1) }),
    },
  };
}

const version = {
  name: "v1",
  served: true,
  storage: true,
  schema: { openAPIV3Schema: { type: "object", properties: { spec: schemaOf(0) } } },
};

function definition(i: number): object {
  const names = { plural: `deep${i}s`, singular: `deep${i}`, kind: `Deep${i}` };
  return {
    metadata: { name: `${names.plural}.e2e.example.com` },
    spec: { group: "e2e.example.com", scope: "Namespaced", names, versions: [version] },
  };
}

/** The same object on the innermost level of an object that is empty but for it. */
function nested(innermost: object): object {
  let spec = innermost;
  for (let level = 0; level < depth; level++) spec = { inner: spec };
  return spec;
}

interface Spec {
  readonly inner?: Spec;
  readonly [field: string]: unknown;
}

async function established(): Promise<number> {
  const { json } = await harness.send("GET", definitions);
  const { items } = json as { items: { status?: { conditions?: { type: string; status: string }[] } }[] };
  const isSo = ({ type, status }: { type: string; status: string }) => type === "Established" && status === "True";
  return items.filter(({ status }) => status?.conditions?.some(isSo)).length;
}

test(`${count} definitions with deep schemas are established, and their objects validated, defaulted and pruned`, async (t) => {
  const started = performance.now();
  const made = Array.from({ length: count }, (_, i) => harness.send("POST", definitions, { body: definition(i) }));
  for (const { status, text } of await Promise.all(made)) assert.equal(status, 201, text);
  await eventually("all are established", async () => (await established()) === count, 60_000);
  t.diagnostic(`established after ${((performance.now() - started) / 1000).toFixed(1)} s`);
  for (let i = 0; i < count; i++) {
    const path = `/apis/e2e.example.com/v1/namespaces/default/deep${i}s`;
    const kind = { apiVersion: "e2e.example.com/v1", kind: `Deep${i}`, metadata: { name: "a" } };
    const good = nested({ unknown: true, entries: [{ name: "x", odd: 1 }] });
    const taken = await harness.send("POST", path, { body: { ...kind, spec: good } });
    assert.equal(taken.status, 201, taken.text);
    let { spec } = taken.json as { spec: Spec };
    assert.deepEqual([spec["size"], spec["mode"]], [10, "on"]);
    for (let level = 0; level < depth; level++) spec = spec.inner ?? {};
    assert.deepEqual(spec, { size: 10, mode: "on", entries: [{ name: "x", weight: depth }] });
    const bad = nested({ size: 101, mode: "maybe", entries: [{ name: "x" }, { name: "x" }] });
    const refused = await harness.send("POST", path, { body: { ...kind, metadata: { name: "b" }, spec: bad } });
    assert.equal(refused.status, 422, refused.text);
    const at = `spec${".inner".repeat(depth)}`;
    const { details } = refused.json as { details: { causes: { field: string }[] } };
    const fields = new Set(details.causes.map(({ field }) => field));
    assert.ok(fields.has(`${at}.mode`) && fields.has(`${at}.entries[1]`), [...fields].join());
  }
  t.diagnostic(`all tried after ${((performance.now() - started) / 1000).toFixed(1)} s`);
});

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { builtinKinds } from "@atoll/api/catalog";
import type { Kind } from "@atoll/api/kind";
import type { Schema } from "@atoll/machinery/schema/schema";
import { loadDescriptions } from "./descriptions.ts";
import type { Document } from "./dialect.ts";
import { documentHash, kindsByPath, openApiIndex, openApiV2, openApiV3, type OpenApiSource } from "./documents.ts";
import { ServedOpenApi } from "./served.ts";

const kinds = builtinKinds();
const source: OpenApiSource = { kinds, descriptions: {}, release: "v1.36.0" };

type Operation = Document & {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly parameters?: readonly { readonly name: string }[];
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, unknown>> }>>;
};
type Paths = Readonly<Record<string, Readonly<Record<string, Operation>>>>;
type Schemas = Readonly<Record<string, Document & { readonly properties?: Readonly<Record<string, unknown>> }>>;

function v3(path: string, from: OpenApiSource = source): { paths: Paths; schemas: Schemas } {
  const served = kindsByPath(from.kinds).get(path) ?? [];
  const document = JSON.parse(JSON.stringify(openApiV3(served, from))) as {
    paths: Paths;
    components: { schemas: Schemas };
  };
  return { paths: document.paths, schemas: document.components.schemas };
}

/** Calls back with every object within. */
function visit(value: unknown, see: (value: Document, path: string) => void, path = ""): void {
  if (typeof value !== "object" || value === null) return;
  if (!Array.isArray(value)) see(value as Document, path);
  for (const [key, inner] of Object.entries(value)) visit(inner, see, `${path}/${key}`);
}

function checkReferences(document: unknown, prefix: string, definitions: Schemas): void {
  visit(document, (value, path) => {
    for (const key of Object.keys(value)) assert.ok(!key.startsWith("x-atoll"), path);
    const { $ref: ref } = value;
    if (typeof ref !== "string") return;
    assert.ok(ref.startsWith(prefix), path);
    assert.ok(definitions[ref.slice(prefix.length)], `${path}: ${ref}`);
  });
}

test("every reference of every document leads to a definition", async () => {
  for (const path of kindsByPath(kinds).keys()) {
    const { paths, schemas } = v3(path);
    checkReferences({ paths, schemas }, "#/components/schemas/", schemas);
  }
  const whole = await openApiV2(source, () => Promise.resolve());
  checkReferences(
    { paths: whole["paths"], definitions: whole["definitions"] },
    "#/definitions/",
    whole["definitions"] as Schemas,
  );
});

test("operation ids are unique over all groups", async () => {
  const { paths } = (await openApiV2(source, () => Promise.resolve())) as { paths: Paths };
  const ids = Object.values(paths).flatMap((path) =>
    Object.values(path).flatMap(({ operationId }) => operationId ?? []),
  );
  assert.ok(ids.length > 600);
  assert.equal(new Set(ids).size, ids.length);
});

test("/openapi/v3 finishes the documents' names with hashes that change with the kinds", () => {
  const { paths } = openApiIndex(source) as { paths: Record<string, { serverRelativeURL: string }> };
  assert.match(paths["apis/apps/v1"]?.serverRelativeURL ?? "", /^\/openapi\/v3\/apis\/apps\/v1\?hash=[0-9A-F]{128}$/);
  assert.ok(paths["api/v1"]);
  const apps = kindsByPath(kinds).get("apis/apps/v1") ?? [];
  assert.equal(documentHash(apps, source), documentHash(apps, { ...source, kinds: [] }));
  assert.notEqual(documentHash(apps, source), documentHash(apps.slice(1), source));
  assert.notEqual(documentHash([widget], source), documentHash([{ ...widget, schema: { type: "object" } }], source));
});

test("kubectl finds the kind of a path, field validation, merge keys and the fields of a type", () => {
  const { paths, schemas } = v3("api/v1");
  const pods = paths["/api/v1/namespaces/{namespace}/pods"];
  assert.deepEqual(pods?.["get"]?.["x-kubernetes-group-version-kind"], { group: "", kind: "Pod", version: "v1" });
  const patch = paths["/api/v1/namespaces/{namespace}/pods/{name}"]?.["patch"];
  assert.ok(patch?.parameters?.some(({ name }) => name === "fieldValidation"));
  assert.deepEqual(schemas["io.k8s.api.core.v1.Pod"]?.["x-kubernetes-group-version-kind"], [
    { group: "", kind: "Pod", version: "v1" },
  ]);
  assert.deepEqual(schemas["io.k8s.api.core.v1.PodSpec"]?.properties?.["containers"], {
    type: "array",
    items: { allOf: [{ $ref: "#/components/schemas/io.k8s.api.core.v1.Container" }], default: {} },
    "x-kubernetes-list-type": "map",
    "x-kubernetes-list-map-keys": ["name"],
    "x-kubernetes-patch-strategy": "merge",
    "x-kubernetes-patch-merge-key": "name",
  });
  assert.deepEqual(schemas["io.k8s.apimachinery.pkg.util.intstr.IntOrString"], {
    format: "int-or-string",
    oneOf: [{ type: "integer" }, { type: "string" }],
  });
});

const sample = `${process.env["ATOLL_GO_SOURCES"] ?? ".cache/go"}/k8s.io/client-go/openapi/openapitest/testdata`;

/** What upstream says of an operation, but for parameters: later releases have more. */
function gist({ operationId, tags, responses, ...operation }: Operation): unknown {
  return {
    operationId,
    tags,
    action: operation["x-kubernetes-action"],
    gvk: operation["x-kubernetes-group-version-kind"],
    codes: Object.keys(responses).sort(),
    answer: responses["200"]?.content?.["application/json"] ?? null,
  };
}

/** What upstream had then and has no longer, or has for paths that are not told of here (watch/). */
const removed: ReadonlySet<string> = new Set([
  "io.k8s.api.core.v1.ClaimSource",
  "io.k8s.api.core.v1.PersistentVolumeClaimStatus.resizeStatus",
  "io.k8s.api.core.v1.PodResourceClaim.source",
  "io.k8s.apimachinery.pkg.apis.meta.v1.WatchEvent",
]);

for (const [path, file] of [
  ["apis/apps/v1", "apis__apps__v1"],
  ["apis/batch/v1", "apis__batch__v1"],
] as const) {
  test(`the document of ${path} says what an earlier release of upstream's says`, {
    skip: !existsSync(sample) && `no ${sample}`,
  }, () => {
    const upstream = JSON.parse(readFileSync(`${sample}/${file}_openapi.json`, "utf8")) as {
      paths: Paths;
      components: { schemas: Schemas };
    };
    const ours = v3(path);
    for (const [place, operations] of Object.entries(upstream.paths)) {
      if (place.includes("/watch/")) continue;
      for (const [method, operation] of Object.entries(operations)) {
        if (method === "parameters") continue;
        const own = ours.paths[place]?.[method];
        assert.ok(own, `${method} ${place}`);
        assert.deepEqual(gist(own), gist(operation), `${method} ${place}`);
        const names = new Set(own.parameters?.map(({ name }) => name));
        for (const { name } of operation.parameters ?? [])
          assert.ok(names.has(name) || name === "pretty", `${place} ${name}`);
      }
    }
    for (const [name, schema] of Object.entries(upstream.components.schemas)) {
      if (removed.has(name)) continue;
      const own = ours.schemas[name]?.properties ?? {};
      for (const field of Object.keys(schema.properties ?? {})) {
        assert.ok(own[field] ?? removed.has(`${name}.${field}`), `${name}.${field}`);
      }
    }
  });
}

const widget: Kind = {
  group: "stable.example.com",
  version: "v1",
  kind: "Widget",
  plural: "widgets",
  singular: "widget",
  shortNames: [],
  categories: [],
  namespaced: true,
  verbs: ["create", "delete", "get", "list", "patch", "update", "watch"],
  subresources: [
    { name: "status", verbs: ["get", "patch", "update"] },
    { name: "scale", kind: { group: "autoscaling", version: "v1", kind: "Scale" }, verbs: ["get", "update"] },
  ],
  schema: {
    type: "object",
    description: "A thing.",
    required: ["spec"],
    properties: {
      spec: {
        type: "object",
        properties: {
          size: { type: "integer", default: 1, nullable: true, description: "How large." },
          port: { "x-kubernetes-int-or-string": true, anyOf: [{ type: "integer" }, { type: "string" }] },
          names: { type: "array", items: { type: "string" }, "x-kubernetes-list-type": "set" },
          free: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
        },
        "x-kubernetes-validations": [{ rule: "self.size > 0" }],
      },
    },
  },
  strategy: {},
};

test("a custom kind is defined under its group's name, with metadata and its list", () => {
  const { paths, schemas } = v3("apis/stable.example.com/v1", { ...source, kinds: [...kinds, widget] });
  const defined = schemas["com.example.stable.v1.Widget"];
  const reference = {
    description:
      "Standard object's metadata. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata",
    $ref: "#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta",
  };
  assert.deepEqual(defined, {
    type: "object",
    description: "A thing.",
    required: ["spec"],
    properties: {
      spec: {
        type: "object",
        "x-kubernetes-validations": [{ rule: "self.size > 0" }],
        properties: {
          size: { type: "integer", default: 1, nullable: true, description: "How large." },
          port: { "x-kubernetes-int-or-string": true, anyOf: [{ type: "integer" }, { type: "string" }] },
          names: { type: "array", items: { type: "string" }, "x-kubernetes-list-type": "set" },
          free: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
        },
      },
      apiVersion: { type: "string" },
      kind: { type: "string" },
      metadata: reference,
    },
    "x-kubernetes-group-version-kind": [{ group: "stable.example.com", kind: "Widget", version: "v1" }],
  });
  assert.ok(schemas["com.example.stable.v1.WidgetList"]?.properties?.["items"]);
  const item = paths["/apis/stable.example.com/v1/namespaces/{namespace}/widgets/{name}"];
  assert.equal(item?.["get"]?.operationId, "readStableExampleComV1NamespacedWidget");
  assert.equal(item?.["delete"]?.["x-kubernetes-action"], "delete");
  assert.ok(paths["/apis/stable.example.com/v1/namespaces/{namespace}/widgets/{name}/scale"]?.["put"]);
});

test("OpenAPI 2 of a custom kind drops what version 2 does not know", async () => {
  const whole = await openApiV2({ ...source, kinds: [widget] }, () => Promise.resolve());
  const defined = (whole["definitions"] as Schemas)["com.example.stable.v1.Widget"];
  const spec = defined?.properties?.["spec"] as { properties: Document } | undefined;
  assert.deepEqual(spec?.properties["size"], { description: "How large." });
  assert.deepEqual(spec.properties["port"], { "x-kubernetes-int-or-string": true });
});

test("OpenAPI 2 says nothing of fields where unknown ones are kept, and of null being a value", async () => {
  const open = { "x-kubernetes-preserve-unknown-fields": true } as const;
  const schema: Schema = {
    type: "object",
    required: ["free", "none"],
    properties: {
      free: { type: "object", ...open, description: "Any.", properties: { known: { type: "string" } } },
      none: { type: "string", nullable: true, pattern: "^a$" },
      list: { type: "array", ...open, items: { type: "object" } },
      inner: { type: "object", "x-kubernetes-embedded-resource": true, required: ["kind"] },
    },
  };
  const define = async (given: Schema) => {
    const whole = await openApiV2({ ...source, kinds: [{ ...widget, schema: given }] }, () => Promise.resolve());
    return (whole["definitions"] as Schemas)["com.example.stable.v1.Widget"];
  };
  const { required, properties } = (await define(schema)) ?? {};
  assert.deepEqual(required, ["free"]);
  assert.deepEqual(properties?.["free"], { ...open, description: "Any." });
  assert.deepEqual(properties["none"], { pattern: "^a$" });
  assert.deepEqual(properties["list"], { ...open });
  const inner = properties["inner"] as { required: string[]; properties: Document };
  assert.deepEqual(inner.required, ["kind", "apiVersion"]);
  assert.deepEqual(Object.keys(inner.properties), ["apiVersion", "kind", "metadata"]);
  assert.deepEqual(await define({ ...schema, ...open }), {
    type: "object",
    "x-kubernetes-group-version-kind": [{ group: "stable.example.com", kind: "Widget", version: "v1" }],
  });
});

test("fields that selectors may name are told", () => {
  const chosen: Kind = { ...widget, strategy: { fields: { "spec.size": () => "" } } };
  const { schemas } = v3("apis/stable.example.com/v1", { ...source, kinds: [chosen] });
  for (const name of ["Widget", "WidgetList"]) {
    const defined = schemas[`com.example.stable.v1.${name}`] as Document | undefined;
    assert.deepEqual(defined?.["x-kubernetes-selectable-fields"], [{ fieldPath: "spec.size" }]);
  }
});

test("a hostile field name of a custom kind is a field like others", () => {
  const properties = JSON.parse('{"__proto__":{"type":"string"},"$ref":{"type":"string"}}') as Record<string, object>;
  const hostile: Kind = { ...widget, schema: { type: "object", properties: { spec: { type: "object", properties } } } };
  const { schemas } = v3("apis/stable.example.com/v1", { ...source, kinds: [hostile] });
  const spec = schemas["com.example.stable.v1.Widget"]?.properties?.["spec"] as { properties: object };
  assert.deepEqual(Object.keys(spec.properties), ["__proto__", "$ref"]);
});

test("ServedOpenApi makes a document once, and again when the kinds change", async () => {
  const served = { generation: 1, kinds: () => [widget] as readonly Kind[], elsewhere: () => ({}) };
  const documents = new ServedOpenApi(served, "v1.36.0");
  const first = await documents.v3("apis/stable.example.com/v1");
  assert.equal(await documents.v3("apis/stable.example.com/v1"), first);
  assert.equal(await documents.v3("apis/stable.example.com/v2"), undefined);
  served.generation = 2;
  served.kinds = () => [{ ...widget, version: "v2" }];
  assert.equal(await documents.v3("apis/stable.example.com/v1"), undefined);
  assert.notEqual((await documents.v3("apis/stable.example.com/v2"))?.hash, first?.hash);
  assert.match((await documents.index()).body.toString(), /apis\/stable.example.com\/v2\?hash=/);
});

test("loadDescriptions() gives none when there is no file", async () => {
  assert.deepEqual(await loadDescriptions("/nonexistent"), {});
});

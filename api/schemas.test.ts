import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { decode } from "@atoll/machinery/schema/decode";
import type { Schema } from "@atoll/machinery/schema/schema";
import { parseYaml } from "@atoll/machinery/yaml/yaml";
import { builtinSchema, builtinTypes, hasBuiltinSchema } from "./schemas.ts";

/** The folder that holds k8s.io/, as Debian's golang-k8s-*-dev packages unpack it. */
const sources = process.env["ATOLL_GO_SOURCES"] ?? ".cache/go";
const golden = `${sources}/k8s.io/api/testdata/HEAD`;

test("every built-in type becomes a schema whose parts are there", () => {
  const seen = new Set<Schema>();
  const visit = (schema: Schema): void => {
    if (seen.has(schema)) return;
    seen.add(schema);
    for (const [name, property] of Object.entries(schema.properties ?? {})) {
      assert.match(property["x-atoll-zero"] ?? "", /^(omit|keep|set)$/, name);
      visit(property);
    }
    if (schema.items !== undefined) visit(schema.items);
    if (typeof schema.additionalProperties === "object") visit(schema.additionalProperties);
    schema.anyOf?.forEach(visit);
    assert.ok(schema.type ?? schema.format ?? schema.anyOf ?? schema["x-kubernetes-preserve-unknown-fields"]);
  };
  const types = builtinTypes();
  assert.ok(types.length > 600);
  for (const { apiVersion, name } of types) visit(builtinSchema(apiVersion, name));
});

test("builtinSchema() gives the facts that codecs, patches and apply go by", () => {
  const container = builtinSchema("v1", "PodSpec").properties?.["containers"];
  assert.equal(container?.["x-kubernetes-list-type"], "map");
  assert.deepEqual(container["x-kubernetes-list-map-keys"], ["name"]);
  assert.equal(container["x-kubernetes-patch-strategy"], "merge");
  assert.equal(container["x-kubernetes-patch-merge-key"], "name");
  assert.equal(container["x-atoll-zero"], "keep");
  const ports = container.items?.properties?.["ports"];
  assert.deepEqual(ports?.["x-kubernetes-list-map-keys"], ["containerPort", "protocol"]);
  assert.equal(ports.items?.properties?.["protocol"]?.default, "TCP");
  assert.equal(builtinSchema("v1", "LocalObjectReference")["x-kubernetes-map-type"], "atomic");
  assert.equal(builtinSchema("apps/v1", "DeploymentSpec").properties?.["selector"]?.nullable, true);
  assert.equal(builtinSchema("meta/v1", "ObjectMeta").properties?.["creationTimestamp"]?.["x-atoll-zero"], "omit");
});

test("a type that holds itself shares its properties", () => {
  const props = builtinSchema("apiextensions.k8s.io/v1", "JSONSchemaProps");
  assert.equal(props.properties?.["not"]?.properties, props.properties);
});

test("builtinSchema() knows what it does not have", () => {
  assert.equal(hasBuiltinSchema("v1", "Pod"), true);
  assert.equal(hasBuiltinSchema("v1", "Pods"), false);
  assert.throws(() => builtinSchema("v1", "Pods"), /no built-in type core\/v1.Pods/);
});

test("upstream's golden samples of every kind decode to themselves", {
  skip: !existsSync(golden) && `no ${golden}`,
}, () => {
  let compared = 0;
  for (const file of readdirSync(golden).filter((name) => name.endsWith(".json"))) {
    const sample = JSON.parse(readFileSync(`${golden}/${file}`, "utf8")) as { apiVersion: string; kind: string };
    if (!hasBuiltinSchema(sample.apiVersion, sample.kind)) continue;
    const { value, unknown } = decode(builtinSchema(sample.apiVersion, sample.kind), sample);
    assert.deepEqual(value, sample, file);
    assert.deepEqual(unknown, [], file);
    compared++;
  }
  assert.ok(compared > 70, `${compared} samples`);
});

/** How client-go's apply configurations describe a type. */
interface ApplyType {
  readonly name: string;
  readonly map?: { readonly fields?: readonly ApplyField[]; readonly elementRelationship?: string };
}

interface ApplyField {
  readonly name: string;
  readonly type: {
    readonly scalar?: string;
    readonly namedType?: string;
    readonly list?: { readonly elementRelationship?: string; readonly keys?: readonly string[] };
    readonly map?: { readonly elementRelationship?: string };
    readonly elementRelationship?: string;
  };
}

function applyTypes(): readonly ApplyType[] {
  const files = ["client-go/applyconfigurations", "apiextensions-apiserver/pkg/client/applyconfiguration"];
  return files.flatMap((folder) => {
    const text = readFileSync(`${sources}/k8s.io/${folder}/internal/internal.go`, "utf8");
    const yaml = /typed\.YAMLObject\(`([\s\S]*?)`\)/.exec(text)?.[1] ?? "";
    return (parseYaml(yaml).value as { types: ApplyType[] }).types;
  });
}

/** Apply's view of one of our properties: how lists and maps are owned. */
function checkField(schema: Schema, field: ApplyField, where: string): void {
  const { list, map } = field.type;
  if (list !== undefined) {
    // Lists say nothing where they are atomic, which is the default.
    const wanted = list.keys === undefined ? { associative: "set" } : { associative: "map" };
    const relationship = list.elementRelationship === "associative" ? wanted.associative : "atomic";
    assert.equal(schema["x-kubernetes-list-type"] ?? "atomic", relationship, where);
    assert.deepEqual(schema["x-kubernetes-list-map-keys"] ?? [], list.keys ?? [], where);
  }
  const relationship = map?.elementRelationship ?? field.type.elementRelationship;
  if (relationship === "atomic") assert.equal(schema["x-kubernetes-map-type"] ?? "atomic", "atomic", where);
}

const internals = `${sources}/k8s.io/client-go/applyconfigurations/internal/internal.go`;

test("list types, keys and atomic structs are those of client-go's apply configurations", {
  skip: !existsSync(internals) && `no ${internals}`,
}, () => {
  const ours = new Map(
    builtinTypes().map(({ apiVersion, name }) => {
      const schema = builtinSchema(apiVersion, name);
      return [schema["x-atoll-name"] ?? "", schema] as const;
    }),
  );
  let fields = 0;
  for (const type of applyTypes()) {
    const schema = ours.get(type.name);
    if (schema?.properties === undefined || type.map === undefined) continue;
    if (type.map.elementRelationship === "atomic" && type.map.fields !== undefined) {
      assert.equal(schema["x-kubernetes-map-type"], "atomic", type.name);
    }
    assert.deepEqual(
      Object.keys(schema.properties).sort(),
      (type.map.fields ?? []).map(({ name }) => name).sort(),
      type.name,
    );
    for (const field of type.map.fields ?? []) {
      checkField(schema.properties[field.name] ?? {}, field, `${type.name}.${field.name}`);
      fields++;
    }
  }
  assert.ok(fields > 1_900, `${fields} fields`);
});

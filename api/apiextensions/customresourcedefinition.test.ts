import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { FieldErrors, Path } from "@atoll/machinery/field";
import { nameRules } from "@atoll/machinery/names";
import { validateObjectMeta } from "@atoll/machinery/objectmeta";
import { decode, DecodeError } from "@atoll/machinery/schema/decode";
import { builtinSchema } from "../schemas.ts";
import { customResourceDefinition as strategy } from "./customresourcedefinition.ts";
import type { CustomResourceDefinition } from "./definition.ts";

type Json = Record<string, unknown>;

interface Line {
  readonly id: string;
  readonly method?: string;
  readonly path?: string;
  readonly body?: Json;
  readonly status?: number;
  readonly warnings?: number;
  readonly result?: Json;
  readonly steps?: readonly { readonly body?: Json }[];
}

const folder = new URL("../../../shared/oracle/", import.meta.url);
const skip = existsSync(folder) ? false : "no recording of a reference server beside the repository";

function linesOf(file: string): readonly Line[] {
  if (skip) return [];
  const text = readFileSync(new URL(file, folder), "utf8").trim().split("\n");
  return text.filter((line) => line.includes("customresourcedefinitions")).map((line) => JSON.parse(line) as Line);
}

const context = { now: "2026-01-01T00:00:00Z", user: { name: "", uid: "", groups: [] }, subresource: "" };

function read(body: Json): { object: CustomResourceDefinition; odd: number } {
  const { value, unknown } = decode(builtinSchema("apiextensions.k8s.io/v1", "CustomResourceDefinition"), body);
  const object = value as unknown as CustomResourceDefinition;
  strategy.setDefaults?.(object);
  return { object, odd: unknown.length };
}

/** As the registry names a new object and judges its metadata. */
function metadataErrors({ metadata }: CustomResourceDefinition, errors: FieldErrors): void {
  const at = Path.of("metadata");
  const { generateName = "" } = metadata;
  if (generateName !== "" && !metadata.name) metadata.name = `${generateName.slice(0, 58)}abcde`;
  const prefixErrors = generateName === "" ? [] : nameRules.dnsSubdomain(generateName, true);
  for (const wrong of prefixErrors) errors.invalid(at.child("generateName"), generateName, wrong);
  const name = metadata.name ?? "";
  if (name === "") errors.required(at.child("name"));
  else for (const wrong of nameRules.dnsSubdomain(name, false)) errors.invalid(at.child("name"), name, wrong);
  validateObjectMeta(metadata, at, errors);
}

function sorted(causes: readonly { readonly field?: string; readonly reason: string }[]): string[] {
  return causes.map(({ field, reason }) => `${field} ${reason}`).sort();
}

function replayCreate(line: Line): void {
  if (line.status === 400) {
    // Refused for unknown fields, which is the caller's wish and not the decoder's affair.
    if (line.path?.includes("fieldValidation=Strict")) return;
    assert.throws(() => read(line.body ?? {}), DecodeError, line.id);
    return;
  }
  const { object, odd } = read(line.body ?? {});
  strategy.prepareForCreate?.(object, context);
  const errors = new FieldErrors();
  metadataErrors(object, errors);
  strategy.validate?.(object, errors);
  assert.deepEqual(sorted(errors.list), sorted((line.result?.["causes"] ?? []) as []), line.id);
  if (line.status !== 201) return;
  const told = line.path?.includes("fieldValidation=Ignore") ? 0 : odd;
  assert.equal(told + (strategy.warnings?.(object, undefined) ?? []).length, line.warnings ?? 0, line.id);
  const { spec, status } = JSON.parse(JSON.stringify(object)) as Json;
  assert.deepEqual({ spec, status }, { spec: line.result?.["spec"], status: line.result?.["status"] }, line.id);
}

test("new definitions are defaulted and judged as a reference server does", { skip }, () => {
  const lines = [...linesOf("crd.jsonl"), ...linesOf("validation.jsonl")];
  const creates = lines.filter(
    ({ method, path = "" }) => method === "POST" && path.includes("/customresourcedefinitions"),
  );
  for (const line of creates) replayCreate(line);
  assert.ok(creates.length > 350, `${creates.length} lines`);
});

/** JSON merge patch. */
function merge(target: unknown, patch: unknown): unknown {
  if (typeof patch !== "object" || patch === null || Array.isArray(patch)) return patch;
  const base = typeof target === "object" && target !== null && !Array.isArray(target) ? target : {};
  const out: Json = { ...base };
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete out[key];
    else out[key] = merge(out[key], value);
  }
  return out;
}

function establishedWide(): Json {
  const fixture = linesOf("crd.jsonl").find(({ id }) => id.endsWith("crd-wides"))?.steps?.[0]?.body ?? {};
  const { object } = read(fixture);
  strategy.prepareForCreate?.(object, context);
  object.status.conditions = [{ type: "Established", status: "True", lastTransitionTime: null }];
  return JSON.parse(JSON.stringify(object)) as Json;
}

test("changes of definitions are judged as a reference server does", { skip }, () => {
  const patches = linesOf("crd.jsonl").filter(({ id }) => id.includes("definition-update"));
  const stored = establishedWide();
  for (const line of patches) {
    const { object: old } = read(stored);
    const { object } = read(merge(stored, line.body) as Json);
    const errors = new FieldErrors();
    const part = line.path?.includes("/status") ? strategy.status : strategy;
    part?.prepareForUpdate?.(object, old, context);
    part?.validateUpdate?.(object, old, errors);
    assert.deepEqual(sorted(errors.list), sorted((line.result?.["causes"] ?? []) as []), line.id);
  }
  assert.ok(patches.length > 5, `${patches.length} lines`);
});

test("validate() takes a schema with a catastrophic pattern, which runs in linear time", () => {
  const { object } = read(
    definition({ type: "object", properties: { spec: { type: "string", pattern: "^(a+)+$", default: "aaaa" } } }),
  );
  strategy.prepareForCreate?.(object, context);
  const errors = new FieldErrors();
  strategy.validate?.(object, errors);
  assert.deepEqual(errors.list, []);
});

function definition(schema: Json): Json {
  return {
    metadata: { name: "things.example.com" },
    spec: {
      group: "example.com",
      scope: "Namespaced",
      names: { plural: "things", kind: "Thing" },
      versions: [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema: schema } }],
    },
  };
}

test("defaults may not break the rules of their schema", () => {
  const size = {
    type: "integer",
    default: 0,
    "x-kubernetes-validations": [{ rule: "self > 0", message: "too small" }],
  };
  const { object } = read(definition({ type: "object", properties: { size } }));
  strategy.prepareForCreate?.(object, context);
  const errors = new FieldErrors();
  strategy.validate?.(object, errors);
  assert.deepEqual(
    errors.list.map(({ field, message }) => `${field}: ${message}`),
    ["spec.validation.openAPIV3Schema.properties[size].default: Invalid value: 0: too small"],
  );
});

test("setDefaults() twice is as good as once", () => {
  const { object } = read(definition({ type: "object" }));
  const once = structuredClone(object);
  strategy.setDefaults?.(object);
  assert.deepEqual(object, once);
});

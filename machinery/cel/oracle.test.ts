/** Rules of custom kinds, judged as a recorded Kubernetes 1.36 API server judged them. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { Path } from "../field.ts";
import type { Schema, ValidationRule } from "../schema/schema.ts";
import { Compiler, declareOptional, declareSchema, type Declaration, escapeName, type Program } from "./index.ts";

interface Step {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly body?: unknown;
  readonly result?: { readonly causes?: readonly { readonly field: string; readonly reason: string }[] };
}

interface Line extends Step {
  readonly id: string;
  readonly fixture?: boolean;
  readonly steps?: readonly Step[];
}

interface Definition {
  readonly spec: {
    readonly names: { readonly plural: string };
    readonly versions: readonly { readonly schema: { readonly openAPIV3Schema: Schema } }[];
  };
}

const recording = new URL(`${process.env["ATOLL_ORACLE"] ?? "../../../shared/oracle"}/crd.jsonl`, import.meta.url);
const skip = !existsSync(recording) && `no recording at ${recording.pathname}`;
const lines: readonly Line[] = skip
  ? []
  : readFileSync(recording, "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Line);

const compiler = new Compiler();

const schemaOf = (definition: unknown): Schema | undefined =>
  (definition as Definition).spec.versions[0]?.schema.openAPIV3Schema;

/** Schemas of the recorded kinds, by plural. */
function recordedSchemas(): ReadonlyMap<string, Schema> {
  const schemas = new Map<string, Schema>();
  for (const { fixture, steps } of lines) {
    const body = fixture === true ? steps?.[0]?.body : undefined;
    const schema =
      (body as { kind?: string } | undefined)?.kind === "CustomResourceDefinition" ? schemaOf(body) : undefined;
    if (schema !== undefined) schemas.set((body as Definition).spec.names.plural, schema);
  }
  return schemas;
}

function compileRule(rule: ValidationRule, self: Declaration): Program | undefined {
  const oldSelf = rule.optionalOldSelf === true ? declareOptional(self) : self;
  return compiler.compile(rule.rule, { variables: { self, oldSelf } }).program;
}

interface Judged {
  readonly schema: Schema;
  readonly declaration: Declaration | undefined;
  readonly value: unknown;
  readonly old: unknown;
  readonly path: Path;
}

function failuresHere({ schema, declaration, value, old, path }: Judged): string[] {
  if (declaration === undefined) return [];
  return (schema["x-kubernetes-validations"] ?? []).flatMap((rule) => {
    const program = compileRule(rule, declaration);
    assert.ok(program, rule.rule);
    const transition = program.references.has("oldSelf");
    if (transition && old === undefined && rule.optionalOldSelf !== true) return [];
    const outcome = program.evaluate({ self: value, oldSelf: old ?? null });
    const at = rule.fieldPath === undefined ? path.toString() : `${path.toString()}${rule.fieldPath}`;
    return outcome.value === true ? [] : [at];
  });
}

type Json = Readonly<Record<string, unknown>>;

function propertiesOf({ schema, declaration, value, old, path }: Judged): Judged[] {
  return Object.entries(schema.properties ?? {}).map(([name, property]) => ({
    schema: property,
    declaration: declaration?.fields?.get(escapeName(name) ?? ""),
    value: (value as Json)[name],
    old: (old as Json | undefined)?.[name],
    path: path.child(name),
  }));
}

/** Items of a list; those of a map list meet what had the same keys before. */
function itemsOf({ schema, declaration, value, old, path }: Judged): Judged[] {
  const { items, "x-kubernetes-list-map-keys": keys } = schema;
  if (items === undefined || !Array.isArray(value)) return [];
  const before = (Array.isArray(old) ? old : []) as readonly Json[];
  return (value as Json[]).map((item, index) => ({
    schema: items,
    declaration: declaration?.element,
    value: item,
    old: keys === undefined ? undefined : before.find((other) => keys.every((key) => other[key] === item[key])),
    path: path.index(index),
  }));
}

/** Fields whose rules fail; objects and lists below are visited with what they were before. */
function failures(judged: Judged): string[] {
  if (judged.value === undefined || judged.value === null) return [];
  return [...failuresHere(judged), ...[...propertiesOf(judged), ...itemsOf(judged)].flatMap(failures)];
}

const schemas = recordedSchemas();

function failuresOf(step: Step, old: unknown): string[] {
  const plural = /\/([a-z]+)(\/[^/?]+)?(\?.*)?$/.exec(step.path)?.[1] ?? "";
  const schema = schemas.get(plural);
  assert.ok(schema, plural);
  const declaration = declareSchema(schema, { name: "selfType", root: true });
  return failures({ schema, declaration, value: step.body, old, path: Path.root });
}

const causesOf = (step: Step): string[] =>
  (step.result?.causes ?? []).map(({ field }) => field).filter((field) => field !== "<nil>");

test("rules fail for the objects and fields that the recorded server refused", { skip }, async (t) => {
  const judged = lines.filter(({ id }) => /-(rules|celtypes|transition)-\d+$/.test(id));
  assert.ok(judged.length > 30);
  for (const line of judged) {
    await t.test(line.id, () => assert.deepEqual(failuresOf(line, undefined).sort(), causesOf(line).sort()));
  }
});

test("transition rules fail for the updates that the recorded server refused", { skip }, async (t) => {
  const updated = lines.filter(({ id }) => /-transition-update-\d+$/.test(id));
  assert.ok(updated.length >= 10);
  for (const { id, steps } of updated) {
    const [created, replaced] = steps ?? [];
    if (created === undefined || replaced?.method !== "PUT" || created.status !== 201) continue;
    await t.test(id, () => assert.deepEqual(failuresOf(replaced, created.body).sort(), causesOf(replaced).sort()));
  }
});

/** Whether each rule of a schema compiles to a bool, by the field that names it. */
function ruleVerdicts(schema: Schema): Map<string, boolean> {
  const spec = schema.properties?.["spec"];
  assert.ok(spec);
  const verdicts = new Map<string, boolean>();
  const self = declareSchema(spec, { name: "selfType" });
  for (const [index, rule] of (spec["x-kubernetes-validations"] ?? []).entries()) {
    const program = self === undefined ? undefined : compileRule(rule, self);
    const field = `spec.validation.openAPIV3Schema.properties[spec].x-kubernetes-validations[${index}].rule`;
    verdicts.set(field, program?.type.kind === "bool");
  }
  return verdicts;
}

test("rules compile where the recorded server took the definition", { skip }, async (t) => {
  const definitions = lines.filter(({ id }) => /definition-schema-rule-/.test(id) && !/empty|blank|none|set$/.test(id));
  assert.ok(definitions.length > 10);
  for (const line of definitions) {
    const schema = schemaOf(line.body);
    if (schema === undefined) continue;
    await t.test(line.id, () => {
      const invalid = (line.result?.causes ?? [])
        .filter(({ reason }) => reason === "FieldValueInvalid")
        .map(({ field }) => field);
      for (const [field, compiles] of ruleVerdicts(schema)) assert.equal(compiles, !invalid.includes(field), field);
    });
  }
});

/**
 * Whether a schema is structural: every field is declared outside of logic, with one type; logic only narrows values.
 * Source: k8s.io/apiextensions-apiserver/pkg/apiserver/schema/{validation,complete}.go
 */
import { deepEqual } from "../../equal.ts";
import { FieldErrors, type Path } from "../../field.ts";
import { RegexCache } from "../../regex/regex.ts";
import type { RawSchema } from "./raw.ts";

type Level = "root" | "item" | "field";

const missingType: Readonly<Record<Level, string>> = {
  root: "must not be empty at the root",
  item: "must not be empty for specified array items",
  field: "must not be empty for specified object fields",
};

// Schemas repeat a few patterns many times, and compiling one is the dearest step here.
const patternsKept = 256;

/** What was found, and the patterns met on the way. */
class StructureErrors extends FieldErrors {
  readonly patterns = new RegexCache(patternsKept);
}

/** Reports what keeps a schema from being structural, sorted. */
export function validateStructure(schema: RawSchema, at: Path, errors: FieldErrors): void {
  const found = new StructureErrors();
  checkNode(schema, "root", at, found);
  checkCovered(schema, schema, { structure: at, logic: at }, found);
  const sentence = ({ field, message }: { field: string; message: string }) => `${field}: ${message}`;
  const compare = (a: string, b: string) => Number(a > b) - Number(a < b);
  errors.list.push(...found.list.sort((a, b) => compare(sentence(a), sentence(b))));
}

/** Whether a schema is structural. */
export function isStructural(schema: RawSchema, at: Path): boolean {
  const errors = new FieldErrors();
  validateStructure(schema, at, errors);
  return errors.ok;
}

function itemsOf({ items }: RawSchema): RawSchema | undefined {
  return Array.isArray(items) ? undefined : (items as RawSchema | undefined);
}

function propertyOf({ properties }: RawSchema, name: string): RawSchema | undefined {
  return properties !== undefined && Object.hasOwn(properties, name) ? properties[name] : undefined;
}

function checkNode(schema: RawSchema, level: Level, at: Path, errors: StructureErrors): void {
  const items = itemsOf(schema);
  if (schema.type === "array" && items === undefined) errors.required(at.child("items"), "must be specified");
  if (items !== undefined) checkNode(items, "item", at.child("items"), errors);
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    checkNode(property, "field", at.child("properties").key(name), errors);
  }
  checkAdditional(schema, level, at, errors);
  checkExtensions(schema, at, errors);
  checkLogic(schema, { level, at, skipAnyOf: isIntOrString(schema.anyOf), declares: true }, errors);
  checkType(schema, level, at, errors);
  checkMeta(schema, level, at, errors);
}

function checkAdditional({ additionalProperties }: RawSchema, level: Level, at: Path, errors: StructureErrors): void {
  if (additionalProperties === undefined) return;
  const below = at.child("additionalProperties");
  if (level === "root") errors.forbidden(below, "must not be used at the root");
  if (typeof additionalProperties === "object") checkNode(additionalProperties, "field", below, errors);
}

function checkExtensions(schema: RawSchema, at: Path, errors: StructureErrors): void {
  if (schema["x-kubernetes-int-or-string"] !== true) return;
  for (const name of ["x-kubernetes-preserve-unknown-fields", "x-kubernetes-embedded-resource"] as const) {
    if (schema[name] === true) {
      errors.invalid(at.child(name), true, "must be false if x-kubernetes-int-or-string is true");
    }
  }
}

function checkType(schema: RawSchema, level: Level, at: Path, errors: StructureErrors): void {
  const { type = "" } = schema;
  const path = at.child("type");
  const untyped =
    schema["x-kubernetes-int-or-string"] === true || schema["x-kubernetes-preserve-unknown-fields"] === true;
  if (schema["x-kubernetes-embedded-resource"] === true && type !== "object") {
    const detail = "must be object if x-kubernetes-embedded-resource is true";
    if (type === "") errors.required(path, detail);
    else errors.invalid(path, type, detail);
  } else if (type === "" && !untyped) errors.required(path, missingType[level]);
  if (level === "root" && type !== "" && type !== "object") errors.invalid(path, type, "must be object at the root");
}

/** Rules of resources: at the root and embedded. */
function checkMeta(schema: RawSchema, level: Level, at: Path, errors: StructureErrors): void {
  const embedded = schema["x-kubernetes-embedded-resource"] === true;
  if (embedded) checkEmbedded(schema, at, errors);
  if (level === "root" || embedded) {
    for (const [name, type] of metaTypes) {
      const property = propertyOf(schema, name);
      if (property === undefined || property.type === type) continue;
      errors.invalid(at.child("properties").key(name).child("type"), property.type ?? "", `must be ${type}`);
    }
  }
  const metadata = propertyOf(schema, "metadata");
  if (metadata !== undefined && level === "root" && !restrictsNamesOnly(metadata)) {
    const detail = "must not specify anything other than name and generateName, but metadata is implicitly specified";
    errors.forbidden(at.child("properties").key("metadata"), detail);
  }
}

const metaTypes = [
  ["kind", "string"],
  ["apiVersion", "string"],
  ["metadata", "object"],
] as const;

function checkEmbedded(schema: RawSchema, at: Path, errors: StructureErrors): void {
  if (schema.additionalProperties !== undefined) {
    const detail = "must not be used if x-kubernetes-embedded-resource is set";
    errors.forbidden(at.child("additionalProperties"), detail);
  }
  const open = schema["x-kubernetes-preserve-unknown-fields"] === true;
  if (!open && Object.keys(schema.properties ?? {}).length === 0) {
    const detail =
      "must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields";
    errors.required(at.child("properties"), detail);
  }
}

/** Whether a schema of root metadata says nothing beyond name and generateName. */
function restrictsNamesOnly(metadata: RawSchema): boolean {
  const names = Object.keys(metadata.properties ?? {});
  if (!names.every((name) => name === "name" || name === "generateName")) return false;
  return Object.entries(metadata).every(([keyword, value]) => {
    const free = keyword === "type" || keyword === "default" || keyword === "properties";
    return free || value === undefined || value === null || value === "" || value === false;
  });
}

const eitherType: readonly RawSchema[] = [{ type: "integer" }, { type: "string" }];

/** `anyOf: [{type: integer}, {type: string}]`, the one place where logic may name types. */
function isIntOrString(anyOf: readonly RawSchema[] | undefined): boolean {
  return anyOf !== undefined && deepEqual(anyOf, eitherType);
}

interface LogicPlace {
  readonly level: Level;
  readonly at: Path;
  /** anyOf is the int-or-string pattern and is not looked at. */
  readonly skipAnyOf?: boolean;
  /** Outside of logic, the first of allOf may hold that pattern. */
  readonly declares?: boolean;
}

function checkLogic(schema: RawSchema, { level, at, skipAnyOf, declares }: LogicPlace, errors: StructureErrors): void {
  const first = declares === true ? schema.allOf?.[0] : undefined;
  const branches: readonly (readonly [RawSchema, Path])[] = [
    ...(skipAnyOf === true ? [] : numbered(schema.anyOf, at.child("anyOf"))),
    ...numbered(schema.allOf, at.child("allOf")),
    ...numbered(schema.oneOf, at.child("oneOf")),
    ...(schema.not === undefined ? [] : [[schema.not, at.child("not")] as const]),
  ];
  for (const [branch, path] of branches) {
    checkNested(branch, { level, at: path, skipAnyOf: branch === first && isIntOrString(first?.anyOf) }, errors);
  }
  if (schema.pattern === undefined || schema.pattern === "") return;
  const compiled = errors.patterns.compile(schema.pattern);
  if (compiled instanceof Error) {
    const detail = `must be a valid regular expression, but isn't: ${compiled.message}`;
    errors.invalid(at.child("pattern"), schema.pattern, detail);
  }
}

function numbered(list: readonly RawSchema[] | undefined, at: Path): (readonly [RawSchema, Path])[] {
  return (list ?? []).map((schema, i) => [schema, at.index(i)] as const);
}

/** Keywords that logic must leave alone, and what is said when it does not. */
const forbidden: readonly (readonly [keyof RawSchema, (value: unknown) => boolean, string])[] = [
  ["type", (value) => value !== "", "must be empty to be structural"],
  ["additionalProperties", (value) => value !== false, "must be undefined to be structural"],
  ["default", (value) => value !== null, "must be undefined to be structural"],
  ["title", (value) => value !== "", "must be empty to be structural"],
  ["description", (value) => value !== "", "must be empty to be structural"],
  ["nullable", (value) => value === true, "must be false to be structural"],
  ["x-kubernetes-preserve-unknown-fields", (value) => value === true, "must be false to be structural"],
  ["x-kubernetes-embedded-resource", (value) => value === true, "must be false to be structural"],
  ["x-kubernetes-int-or-string", (value) => value === true, "must be false to be structural"],
  ["x-kubernetes-list-map-keys", (value) => (value as []).length > 0, "must be empty to be structural"],
  ["x-kubernetes-list-type", () => true, "must be undefined to be structural"],
  ["x-kubernetes-map-type", () => true, "must be undefined to be structural"],
  ["x-kubernetes-validations", (value) => (value as []).length > 0, "must be empty to be structural"],
];

function checkNested(schema: RawSchema, place: LogicPlace, errors: StructureErrors): void {
  const { level, at } = place;
  checkLogic(schema, place, errors);
  const items = itemsOf(schema);
  if (items !== undefined) checkNested(items, { level, at: at.child("items") }, errors);
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    checkNested(property, { level: "field", at: at.child("properties").key(name) }, errors);
  }
  for (const [keyword, isSet, detail] of forbidden) {
    const value = schema[keyword];
    if (value !== undefined && isSet(value)) errors.forbidden(at.child(keyword), detail);
  }
  if (propertyOf(schema, "metadata") !== undefined) {
    errors.forbidden(at.child("properties").key("metadata"), "must not be specified in a nested context");
  }
}

interface Paths {
  readonly structure: Path;
  readonly logic: Path;
}

/** Whatever logic speaks of must be declared outside of it. */
function checkCovered(schema: RawSchema, node: RawSchema | undefined, at: Paths, errors: StructureErrors): void {
  const { structure, logic } = at;
  const branches: readonly (readonly [RawSchema, Path])[] = [
    ...(schema.not === undefined ? [] : [[schema.not, logic.child("not")] as const]),
    ...numbered(schema.allOf, logic.child("allOf")),
    ...numbered(schema.anyOf, logic.child("anyOf")),
    ...numbered(schema.oneOf, logic.child("oneOf")),
  ];
  for (const [branch, path] of branches) checkNestedCovered(branch, node, { structure, logic: path }, errors);
}

function checkNestedCovered(
  schema: RawSchema,
  node: RawSchema | undefined,
  { structure, logic }: Paths,
  errors: StructureErrors,
): void {
  if (node === undefined) {
    errors.required(structure, `because it is defined in ${logic.toString()}`);
    return;
  }
  checkCovered(schema, node, { structure, logic }, errors);
  const items = itemsOf(schema);
  if (items !== undefined) {
    const below = { structure: structure.child("items"), logic: logic.child("items") };
    checkNestedCovered(items, itemsOf(node), below, errors);
  }
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    const step = (path: Path) => path.child("properties").key(name);
    const below = { structure: step(structure), logic: step(logic) };
    checkNestedCovered(property, propertyOf(node, name), below, errors);
  }
}

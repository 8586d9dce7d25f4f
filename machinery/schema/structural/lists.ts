/**
 * Sets hold nothing twice, and no two items of a keyed list have the same keys.
 * Source: k8s.io/apiextensions-apiserver/pkg/apiserver/schema/listtype
 */
import type { FieldErrors, Path } from "../../field.ts";
import { stringifyJson } from "../../json/json.ts";
import type { Schema } from "../schema.ts";
import { isJsonObject, propertyOf } from "./correlated.ts";

type JsonObject = Readonly<Record<string, unknown>>;

/** Reports duplicates in every set and keyed list below a value. */
export function validateLists(value: unknown, schema: Schema, at: Path, errors: FieldErrors): void {
  if (Array.isArray(value)) validateList(value, schema, at, errors);
  else if (isJsonObject(value)) validateFields(value, schema, at, errors);
}

function validateFields(value: JsonObject, schema: Schema, at: Path, errors: FieldErrors): void {
  const { additionalProperties } = schema;
  for (const name of Object.keys(value)) {
    const property = propertyOf(schema, name);
    if (property !== undefined) validateLists(value[name], property, at.child(name), errors);
    else if (typeof additionalProperties === "object") {
      validateLists(value[name], additionalProperties, at.key(name), errors);
    }
  }
}

function validateList(value: readonly unknown[], schema: Schema, at: Path, errors: FieldErrors): void {
  const type = schema["x-kubernetes-list-type"];
  if (type === "set") {
    for (const i of repeated(value)) errors.duplicate(at.index(i), value[i]);
  } else if (type === "map") validateKeyed(value, schema["x-kubernetes-list-map-keys"] ?? [], at, errors);
  const { items } = schema;
  if (items === undefined) return;
  for (let i = 0; i < value.length; i++) validateLists(value[i], items, at.index(i), errors);
}

function validateKeyed(value: readonly unknown[], keys: readonly string[], at: Path, errors: FieldErrors): void {
  const foreign = value.findIndex((item) => item !== null && !isJsonObject(item));
  if (foreign >= 0) {
    errors.invalid(at.index(foreign), value[foreign], "must be an object for an array of list-type map");
    return;
  }
  const found = value.map((item) => keysOf(item as JsonObject | null, keys));
  for (const i of repeated(found)) errors.duplicate(at.index(i), found[i]);
}

function keysOf(item: JsonObject | null, keys: readonly string[]): JsonObject {
  const given = keys.filter((key) => item !== null && Object.hasOwn(item, key));
  return Object.fromEntries(given.map((key) => [key, item?.[key]]));
}

/** Where a value comes for the second time; a third is not told. */
function repeated(values: readonly unknown[]): number[] {
  if (values.length <= 1) return [];
  const times = new Map<unknown, number>();
  const found: number[] = [];
  for (const [i, value] of values.entries()) {
    const key = keyOf(value);
    const before = times.get(key) ?? 0;
    times.set(key, before + 1);
    if (before === 1) found.push(i);
  }
  return found;
}

/** What tells a value from others. Texts of objects and lists differ from strings in how they begin. */
function keyOf(value: unknown): unknown {
  if (typeof value === "string") return `"${value}`;
  return typeof value === "object" && value !== null ? canonical(value) : value;
}

/** JSON with sorted keys. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  if (!isJsonObject(value)) return stringifyJson(value);
  const fields = Object.keys(value).sort();
  return `{${fields.map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`).join()}}`;
}

/**
 * Fills in what a schema has defaults for. A null that may not be null counts as missing: it takes the default, and is
 * dropped before when there is none.
 * Source: k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting
 */
import type { Schema } from "../schema.ts";
import { fieldSchema, propertyOf } from "./correlated.ts";

type JsonObject = Record<string, unknown>;

/** A deep copy of plain data. */
export function copyJson<T>(value: T): T {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(copyJson) as T;
  const out: JsonObject = {};
  for (const name of Object.keys(value)) setField(out, name, copyJson((value as JsonObject)[name]));
  return out as T;
}

/** Sets a field as JSON.parse does: `__proto__` is a name like others. */
export function setField(object: JsonObject, name: string, value: unknown): void {
  if (name !== "__proto__") object[name] = value;
  else Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true });
}

/** Whether a schema has a default. `default: null` is none. */
export function hasDefault(schema: Schema): boolean {
  return schema.default !== undefined && schema.default !== null;
}

function isForeignNull(value: unknown, schema: Schema | undefined): boolean {
  return value === null && schema !== undefined && schema.nullable !== true;
}

/** Changes `value`; twice is as good as once. */
export function applyDefaults(value: unknown, schema: Schema | undefined): void {
  if (schema === undefined || typeof value !== "object" || value === null) return;
  if (Array.isArray(value)) defaultItems(value, schema.items);
  else defaultFields(value as JsonObject, schema);
}

function defaultItems(value: unknown[], items: Schema | undefined): void {
  for (let i = 0; i < value.length; i++) {
    if (isForeignNull(value[i], items)) value[i] = copyJson(items?.default ?? null);
    applyDefaults(value[i], items);
  }
}

function defaultFields(value: JsonObject, schema: Schema): void {
  const { properties = {} } = schema;
  for (const name of Object.keys(properties)) {
    const property = properties[name];
    if (property === undefined || !hasDefault(property)) continue;
    if (!Object.hasOwn(value, name) || isForeignNull(value[name], property)) {
      setField(value, name, copyJson(property.default));
    }
  }
  for (const name of Object.keys(value)) {
    const field = fieldSchema(schema, name);
    if (field === undefined) continue;
    if (isForeignNull(value[name], field) && propertyOf(schema, name) === undefined) {
      setField(value, name, copyJson(field.default ?? null));
    }
    applyDefaults(value[name], field);
  }
}

/** Drops nulls of fields that may not be null and have no default. Changes `value`. */
export function dropNulls(value: unknown, schema: Schema | undefined): void {
  if (schema === undefined || typeof value !== "object" || value === null) return;
  if (Array.isArray(value)) {
    for (const item of value) dropNulls(item, schema.items);
    return;
  }
  const object = value as JsonObject;
  for (const name of Object.keys(object)) {
    const field = fieldSchema(schema, name);
    if (field !== undefined && isForeignNull(object[name], field) && !hasDefault(field)) delete object[name];
    else dropNulls(object[name], field);
  }
}

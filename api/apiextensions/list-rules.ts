/**
 * Rules of x-kubernetes-list-type and x-kubernetes-list-map-keys.
 * Source: k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/validation/validation.go
 */
import { FieldErrors, Path } from "@atoll/machinery/field";
import type { RawSchema } from "@atoll/machinery/schema/structural/raw";
import { requireType, type SchemaLeniency } from "./schema-type.ts";

function itemsOf({ items }: RawSchema): RawSchema | undefined {
  return Array.isArray(items) ? undefined : (items as RawSchema | undefined);
}

function propertyOf({ properties }: RawSchema, name: string): RawSchema | undefined {
  return properties !== undefined && Object.hasOwn(properties, name) ? properties[name] : undefined;
}

/** The rules of list and map types: which keys there are, and that they can be told apart. */
export class ListRules {
  readonly #lenient: SchemaLeniency;
  readonly #errors: FieldErrors;

  constructor(lenient: SchemaLeniency, errors: FieldErrors) {
    this.#lenient = lenient;
    this.#errors = errors;
  }

  check(schema: RawSchema, at: Path): void {
    const listType = schema["x-kubernetes-list-type"];
    const keys = schema["x-kubernetes-list-map-keys"] ?? [];
    if (listType !== undefined) this.#checkType(schema, listType, at);
    if (keys.length > 0 && listType !== "map") {
      const path = at.child("x-kubernetes-list-type");
      const detail = "must be map if x-kubernetes-list-map-keys is non-empty";
      if (listType === undefined) this.#errors.required(path, detail);
      else this.#errors.invalid(path, listType, detail);
    }
    if (listType === "map") this.#checkKeyed(schema, keys, at);
    if (!this.#lenient.looseMapKeys) validateListKeys(schema, at, this.#errors);
  }

  #checkType(schema: RawSchema, listType: string, at: Path): void {
    const isList = requireType(schema, { at, type: "array", because: "x-kubernetes-list-type" }, this.#errors);
    if (isList && !this.#lenient.nonAtomicSets && hasNonAtomicSet(schema)) {
      const extension = itemsOf(schema)?.type === "array" ? "x-kubernetes-list-type" : "x-kubernetes-map-type";
      const detail = "must be atomic as item of a list with x-kubernetes-list-type=set";
      const value = itemsOf(schema)?.["x-kubernetes-list-type"] ?? null;
      this.#errors.invalid(at.child("items").child(extension), value, detail);
    }
    if (!["atomic", "set", "map"].includes(listType)) {
      this.#errors.notSupported(at.child("x-kubernetes-list-type"), listType, ["atomic", "set", "map"]);
    }
  }

  #checkKeyed(schema: RawSchema, keys: readonly string[], at: Path): void {
    if (keys.length === 0) {
      const detail = "must not be empty if x-kubernetes-list-type is map";
      this.#errors.required(at.child("x-kubernetes-list-map-keys"), detail);
    }
    if (schema.items === undefined) {
      this.#errors.required(at.child("items"), "must have a schema if x-kubernetes-list-type is map");
      return;
    }
    const items = itemsOf(schema);
    if (items === undefined) {
      const detail = "must only have a single schema if x-kubernetes-list-type is map";
      this.#errors.invalid(at.child("items"), schema.items, detail);
    } else if (items.type !== "object") {
      const detail = "must be object if parent array's x-kubernetes-list-type is map";
      this.#errors.invalid(at.child("items").child("type"), items.type ?? "", detail);
    } else this.#checkKeys(items, keys, at);
  }

  #checkKeys(items: RawSchema, keys: readonly string[], at: Path): void {
    const path = at.child("x-kubernetes-list-map-keys");
    for (const [i, key] of keys.entries()) {
      const property = propertyOf(items, key);
      if (property === undefined) this.#errors.invalid(path, keys, "entries must all be names of item properties");
      else if (property.type === "array" || property.type === "object") {
        const detail = "must be a scalar type if parent array's x-kubernetes-list-type is map";
        this.#errors.invalid(at.child("items").child("properties").key(key).child("type"), "object", detail);
      }
      if (keys.indexOf(key) < i) this.#errors.invalid(path, keys, "must not contain duplicate entries");
    }
  }
}

/** A set whose items are lists or objects that can be changed in part. */
export function hasNonAtomicSet(schema: RawSchema): boolean {
  const items = itemsOf(schema);
  if (schema["x-kubernetes-list-type"] !== "set" || items === undefined) return false;
  if (items.type === "array") return (items["x-kubernetes-list-type"] ?? "atomic") !== "atomic";
  return items.type === "object" && items["x-kubernetes-map-type"] !== "atomic";
}

/** Items of sets and keyed lists are never null; keys of keyed lists are always there. */
function validateListKeys(schema: RawSchema, at: Path, errors: FieldErrors): void {
  const items = itemsOf(schema);
  const listType = schema["x-kubernetes-list-type"];
  if (items === undefined || (listType !== "set" && listType !== "map")) return;
  if (items.nullable === true) {
    const detail = `cannot be nullable when x-kubernetes-list-type is ${listType}`;
    errors.forbidden(at.child("items").child("nullable"), detail);
  }
  for (const key of listType === "map" ? (schema["x-kubernetes-list-map-keys"] ?? []) : []) {
    const property = propertyOf(items, key);
    if (property !== undefined)
      validateListKey(property, items.required?.includes(key) === true, keyPath(at, key), errors);
  }
}

function keyPath(at: Path, key: string): Path {
  return at.child("items").child("properties").key(key);
}

function validateListKey(property: RawSchema, required: boolean, at: Path, errors: FieldErrors): void {
  const why = "this property is in x-kubernetes-list-map-keys, so it";
  if (!required && (property.default === undefined || property.default === null)) {
    errors.required(at.child("default"), `${why} must have a default or be a required property`);
  }
  if (property.nullable === true) errors.forbidden(at.child("nullable"), `${why} cannot be nullable`);
}

/** Whether the keys or items of a list could be missing or null. */
export function hasLooseKeys(schema: RawSchema): boolean {
  const errors = new FieldErrors();
  validateListKeys(schema, Path.root, errors);
  return !errors.ok;
}

/**
 * A value beside the one it replaces. Fields go with fields of the same name, items of a keyed list with the item of
 * the same keys; items of other lists go with nothing.
 * Source: k8s.io/apiserver/pkg/cel/common/{equality,maplist}.go
 */
import { deepEqual } from "../../equal.ts";
import type { Schema } from "../schema.ts";

type JsonObject = Readonly<Record<string, unknown>>;

/** Whether a value is an object, and neither a list nor null. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A schema's own property; undefined when it has none of that name. */
export function propertyOf(schema: Schema, name: string): Schema | undefined {
  const { properties } = schema;
  return properties !== undefined && Object.hasOwn(properties, name) ? properties[name] : undefined;
}

/** The schema of whatever is under `name`: its property's, or that of additional properties. */
export function fieldSchema(schema: Schema, name: string): Schema | undefined {
  const property = propertyOf(schema, name);
  if (property !== undefined) return property;
  return typeof schema.additionalProperties === "object" ? schema.additionalProperties : undefined;
}

/** The items of a keyed list, found by the keys of another item. */
export class KeyedItems {
  readonly #keys: readonly string[];
  readonly #items = new Map<unknown, JsonObject>();

  /** Empty when the schema is none of a keyed list. The first of several items with the same keys is the one found. */
  constructor(schema: Schema, items: readonly unknown[]) {
    const keyed = schema.type === "array" && schema["x-kubernetes-list-type"] === "map";
    this.#keys = keyed ? (schema["x-kubernetes-list-map-keys"] ?? []) : [];
    for (const item of this.#keys.length === 0 ? [] : items) {
      if (!isJsonObject(item)) continue;
      const key = this.#keyOf(item);
      if (key !== undefined && !this.#items.has(key)) this.#items.set(key, item);
    }
  }

  get(item: unknown): JsonObject | undefined {
    if (this.#items.size === 0 || !isJsonObject(item)) return undefined;
    const key = this.#keyOf(item);
    return key === undefined ? undefined : this.#items.get(key);
  }

  #keyOf(item: JsonObject): unknown {
    const values = this.#keys.map((key) => (Object.hasOwn(item, key) ? item[key] : undefined));
    if (!values.every(isScalar)) return undefined;
    return values.length === 1 ? values[0] : JSON.stringify(values.map((value) => `${typeof value} ${value}`));
  }
}

function isScalar(value: unknown): value is string | number | boolean | bigint {
  return value !== undefined && value !== null && typeof value !== "object";
}

/** One pair of values that belong together. Made during one validation and thrown away after it. */
export class Correlated {
  readonly value: unknown;
  readonly old: unknown;
  readonly #schema: Schema;
  #children: Map<string | number, Correlated> | undefined;
  #keyed: KeyedItems | undefined;
  #equal: boolean | undefined;

  constructor(value: unknown, old: unknown, schema: Schema) {
    this.value = value;
    this.old = old;
    this.#schema = schema;
  }

  /** The pair under a field; undefined when only one side has it, or the schema does not know it. */
  key(name: string): Correlated | undefined {
    const known = this.#children?.get(name);
    if (known !== undefined) return known;
    const { value, old } = this;
    if (!isJsonObject(value) || !isJsonObject(old)) return undefined;
    if (!Object.hasOwn(value, name) || !Object.hasOwn(old, name)) return undefined;
    const schema = fieldSchema(this.#schema, name);
    return schema === undefined ? undefined : this.#keep(name, new Correlated(value[name], old[name], schema));
  }

  /** The pair of an item of a keyed list; undefined for other lists, and for new items. */
  index(i: number): Correlated | undefined {
    const known = this.#children?.get(i);
    if (known !== undefined) return known;
    const { items } = this.#schema;
    if (!Array.isArray(this.value) || !Array.isArray(this.old) || items === undefined) return undefined;
    if (this.#schema["x-kubernetes-list-type"] !== "map") return undefined;
    this.#keyed ??= new KeyedItems(this.#schema, this.old);
    const old = this.#keyed.get(this.value[i]);
    return old === undefined ? undefined : this.#keep(i, new Correlated(this.value[i], old, items));
  }

  #keep(key: string | number, child: Correlated): Correlated {
    this.#children ??= new Map();
    this.#children.set(key, child);
    return child;
  }

  /** Whether nothing changed, as far as it can be told pair by pair. */
  get equal(): boolean {
    this.#equal ??= this.#compare();
    return this.#equal;
  }

  #compare(): boolean {
    const { value, old } = this;
    if (Array.isArray(value)) return Array.isArray(old) && value.length === old.length && this.#itemsEqual(value, old);
    if (isJsonObject(value)) return isJsonObject(old) && this.#fieldsEqual(value, old);
    return deepEqual(value, old);
  }

  #itemsEqual(value: readonly unknown[], old: readonly unknown[]): boolean {
    if (this.#schema["x-kubernetes-list-type"] !== "map") return deepEqual(value, old);
    return value.every((_, i) => this.index(i)?.equal === true);
  }

  #fieldsEqual(value: JsonObject, old: JsonObject): boolean {
    const names = Object.keys(value);
    if (names.length !== Object.keys(old).length) return false;
    return names.every((name) => this.key(name)?.equal === true);
  }
}

/**
 * Objects and patches that mutations make: `Object{spec: Object.spec{replicas: 3}}`, `JSONPatch{op: "add", …}`.
 * Source: k8s.io/apiserver/pkg/cel/mutation, pkg/cel/library/jsonpatch.go
 */
import { equalMaps } from "../containers.ts";
import { traversalCost } from "../cost.ts";
import { global } from "../define.ts";
import type { Library, StructProvider } from "../library.ts";
import { type CelType, dynType, objectType, stringType } from "../types.ts";
import { type CelError, ListValue, MapValue, type Value } from "../values.ts";

/** An object made by an expression. Its type is `Object` or a path below it, `JSONPatch`. */
export class MadeObject extends MapValue {
  override readonly typeName: string;
  readonly #fields: ReadonlyMap<string, Value>;

  constructor(typeName: string, fields: ReadonlyMap<string, Value>) {
    super();
    this.typeName = typeName;
    this.#fields = fields;
  }

  override get size(): number {
    return this.#fields.size;
  }

  override get(key: Value): Value | undefined {
    return typeof key === "string" ? this.#fields.get(key) : undefined;
  }

  override field(name: string): Value | undefined {
    return this.#fields.get(name);
  }

  override keys(): readonly Value[] {
    return [...this.#fields.keys()];
  }

  override equals(other: MapValue): boolean | CelError {
    return other instanceof MadeObject && other.typeName === this.typeName && equalMaps(this, other);
  }
}

const patchFields: Readonly<Record<string, CelType>> = {
  op: stringType,
  path: stringType,
  from: stringType,
  value: dynType,
};

const patchType = objectType("JSONPatch", patchFields);

const isObjectName = (name: string): boolean => name === "Object" || name.startsWith("Object.");

const structs: StructProvider = {
  find(name) {
    if (name === "JSONPatch") return patchType;
    return isObjectName(name) ? objectType(name, {}) : undefined;
  },
  // Objects are untyped: any field may be set to anything. What fits is for the schema to say, after the mutation.
  field: (type, field) => (isObjectName(type) ? dynType : patchFields[type === "JSONPatch" ? field : ""]),
  construct: (type, fields) => new MadeObject(type, fields),
};

/**
 * Where a made object's type does not say where it stands: `Object.spec` under the field `spec`, and so on. Lists and
 * maps between are of no account.
 */
export function misplacedTypes(value: Value, path = "Object"): string[] {
  if (value instanceof ListValue) {
    return Array.from({ length: value.size }, (_, i) => misplacedTypes(value.at(i), path)).flat();
  }
  if (!(value instanceof MadeObject)) return [];
  const why = `expected "${path}", which matches field name path from root Object type`;
  const wrong = value.typeName === path ? [] : [`unexpected type name "${value.typeName}", ${why}`];
  const below = value
    .keys()
    .flatMap((key) => misplacedTypes(value.field(key as string) as Value, `${path}.${key as string}`));
  return [...wrong, ...below];
}

/** Construction of objects and patches, and jsonpatch.escapeKey. */
export const mutation: Library = {
  name: "kubernetes.mutation",
  structs,
  functions: {
    "jsonpatch.escapeKey": [
      global(
        "string_jsonpatch_escapeKey_string",
        { of: [stringType], to: stringType, cost: traversalCost(0, { sized: true }) },
        ([key]) => (key as string).replaceAll("~", "~0").replaceAll("/", "~1"),
      ),
    ],
  },
};

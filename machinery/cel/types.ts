/**
 * CEL's types, as the checker sees them.
 * Source: cel-spec doc/langdef.md "Types"; cel-go common/types (spelling in messages)
 */

/** Types without parts. `dyn` is unchecked until run time; `error` stands for what could not be typed. */
export type SimpleKind =
  | "dyn"
  | "error"
  | "null_type"
  | "bool"
  | "int"
  | "uint"
  | "double"
  | "string"
  | "bytes"
  | "timestamp"
  | "duration";

/** One field of an object type, under the name that expressions use. */
export interface ObjectField {
  readonly type: CelType;
}

/**
 * A type. Objects have the fields their schema declares: any other field is a compile error. They are compared by
 * name, so a name must belong to one set of fields within one environment.
 */
export type CelType =
  | { readonly kind: SimpleKind }
  | { readonly kind: "list"; readonly element: CelType }
  | { readonly kind: "map"; readonly key: CelType; readonly value: CelType }
  | { readonly kind: "object"; readonly name: string; readonly fields: ReadonlyMap<string, ObjectField> }
  | { readonly kind: "opaque"; readonly name: string; readonly parameters: readonly CelType[] }
  | { readonly kind: "type"; readonly of: CelType | undefined }
  | { readonly kind: "param"; readonly name: string };

const simple = (kind: SimpleKind): CelType => ({ kind });

/** The types without parts. */
export const dynType = simple("dyn");
export const errorType = simple("error");
export const nullType = simple("null_type");
export const boolType = simple("bool");
export const intType = simple("int");
export const uintType = simple("uint");
export const doubleType = simple("double");
export const stringType = simple("string");
export const bytesType = simple("bytes");
export const timestampType = simple("timestamp");
export const durationType = simple("duration");

/** list(element) */
export const listOf = (element: CelType): CelType => ({ kind: "list", element });
/** map(key, value) */
export const mapOf = (key: CelType, value: CelType): CelType => ({ kind: "map", key, value });
/** A library's own type, as `kubernetes.Quantity`. */
export const opaqueType = (name: string, ...parameters: readonly CelType[]): CelType => ({
  kind: "opaque",
  name,
  parameters,
});
/** optional_type(of) */
export const optionalOf = (of: CelType): CelType => opaqueType("optional_type", of);
/** The type of a type. */
export const typeOf = (of?: CelType): CelType => ({ kind: "type", of });
/** A parameter of a generic function, as `T`. */
export const typeParam = (name: string): CelType => ({ kind: "param", name });
/** An object type with the given fields. */
export const objectType = (name: string, fields: Readonly<Record<string, CelType>>): CelType => ({
  kind: "object",
  name,
  fields: new Map(Object.entries(fields).map(([field, type]) => [field, { type }])),
});

const spellings: Partial<Record<SimpleKind, string>> = {
  null_type: "null",
  error: "!error!",
};

/** A type as messages spell it: `list(int)`, `map(string, dyn)`, `optional_type(T)`. */
export function spellType(type: CelType): string {
  switch (type.kind) {
    case "list":
      return `list(${spellType(type.element)})`;
    case "map":
      return `map(${spellType(type.key)}, ${spellType(type.value)})`;
    case "object":
      return type.name;
    case "opaque":
      return type.parameters.length === 0 ? type.name : `${type.name}(${type.parameters.map(spellType).join(", ")})`;
    case "type":
      return type.of === undefined ? "type" : `type(${spellType(type.of)})`;
    case "param":
      return type.name;
    default:
      return spellings[type.kind] ?? type.kind;
  }
}

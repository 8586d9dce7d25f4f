/**
 * JSON as values of a bare type: what is declared without a schema.
 * Source: k8s.io/apiserver/pkg/admission/plugin/cel (variables of policies), pkg/authentication/cel
 */
import { type Adapter, adaptDynamic, isValue, JsonList, JsonMap, type Property } from "./adapt.ts";
import { isOfType, nameOfType, typeNameOf } from "./runtime-type.ts";
import { parseDateTime, parseDuration } from "./time.ts";
import type { CelType } from "./types.ts";
import { CelError, type Value } from "./values.ts";

const isObject = (json: unknown): json is Readonly<Record<string, unknown>> =>
  typeof json === "object" && json !== null && !Array.isArray(json) && !isValue(json);

/** Reads text as a time, and a whole number as a double, where the type asks for one. */
function convert(json: unknown, type: CelType): Value {
  if (type.kind === "timestamp" && typeof json === "string") return parseDateTime(json) ?? json;
  if (type.kind === "duration" && typeof json === "string") return parseDuration(json) ?? json;
  return type.kind === "double" && typeof json === "number" ? json : adaptDynamic(json);
}

function scalar(type: CelType): Adapter {
  return (json) => {
    const value = convert(json, type);
    if (value instanceof CelError || isOfType(value, type)) return value;
    return new CelError(`invalid data, expected ${nameOfType(type)}, got ${typeNameOf(value)}`);
  };
}

function object(type: CelType & { kind: "object" }): Adapter {
  const properties = new Map<string, Property>();
  for (const [name, field] of type.fields) properties.set(name, { name, adapt: adapterOfType(field.type) });
  const shape = { properties, adapt: undefined, typed: false };
  const other = scalar(type);
  return (json) => (isObject(json) ? new JsonMap(json, shape) : other(json));
}

/** Makes values of a type from JSON; CelError when it does not fit. Values pass through. */
export function adapterOfType(type: CelType): Adapter {
  const other = scalar(type);
  switch (type.kind) {
    case "dyn":
      return adaptDynamic;
    case "list": {
      const shape = { adapt: adapterOfType(type.element), kind: "atomic", keys: [], typed: false } as const;
      return (json) => (Array.isArray(json) ? new JsonList(json, shape) : other(json));
    }
    case "map": {
      const shape = { properties: undefined, adapt: adapterOfType(type.value), typed: false };
      return (json) => (isObject(json) ? new JsonMap(json, shape) : other(json));
    }
    case "object":
      return object(type);
    default:
      return other;
  }
}

/**
 * Checks of objects: their fields, what they must have, how many they may have.
 * Source: k8s.io/kube-openapi/pkg/validation/validate/object_validator.go
 */
import { Path } from "../../../field.ts";
import type { Schema } from "../../schema.ts";
import type { Findings } from "./findings.ts";
import { type Check, type Compiled, letBe, tooMany } from "./part.ts";

type JsonObject = Readonly<Record<string, unknown>>;

export function objectCheck(schema: Schema, checks: Compiled): Check {
  const fields = fieldsCheck(schema, checks);
  const { minProperties, maxProperties, required = [] } = schema;
  return (given, at, out, was) => {
    const value = given as JsonObject;
    if (minProperties !== undefined || maxProperties !== undefined) countCheck(schema, value, at, out);
    fields(value, at, out, was);
    for (const name of required) {
      if (!Object.hasOwn(value, name)) missing(at.child(name), out);
    }
  };
}

function missing(at: Path, out: Findings): void {
  out.add({
    reason: "FieldValueRequired",
    at,
    value: undefined,
    detail: "",
    text: `${at.toString()} in body is required`,
  });
}

function countCheck({ minProperties, maxProperties }: Schema, value: JsonObject, at: Path, out: Findings): void {
  const count = Object.keys(value).length;
  if (minProperties !== undefined && count < minProperties) {
    out.invalid(at, count, `${at.toString()} in body should have at least ${minProperties} properties`);
  }
  if (maxProperties !== undefined && count > maxProperties) tooMany(at, count, maxProperties, out);
}

function fieldsCheck(schema: Schema, checks: Compiled): Check {
  const { additionalProperties } = schema;
  const known = new Map(
    Object.entries(schema.properties ?? {}).map(([name, field]) => [name, letBe(checks.of(field))]),
  );
  const others = typeof additionalProperties === "object" ? letBe(checks.of(additionalProperties)) : undefined;
  const closed = additionalProperties === false;
  return (given, at, out, was) => {
    const value = given as JsonObject;
    for (const name of Object.keys(value)) {
      const check = known.get(name) ?? others;
      if (check === undefined) {
        if (closed) out.invalid(at, name, `${at.toString()}.${name} in body is a forbidden property`);
        continue;
      }
      // Kind and version are converted, so that they never differ; nothing can be told from that.
      const pair = at === Path.root && (name === "kind" || name === "apiVersion") ? undefined : was?.key(name);
      check(value[name], at.child(name), out, pair);
    }
  };
}

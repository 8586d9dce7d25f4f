/**
 * Which values have a schema's type. Formats take part: a text or list under a format that means something passes as
 * any type that is no number.
 * Source: k8s.io/kube-openapi/pkg/validation/validate/type.go
 */
import type { Schema } from "../../schema.ts";
import { isKnownFormat } from "../formats/formats.ts";
import { isWhole, type ValueKind } from "./kinds.ts";
import type { Check, Reading } from "./part.ts";

/** The type and format of a schema, as they count. */
export interface TypeRule {
  readonly types: readonly string[];
  readonly nullable: boolean;
  /** "" when it means nothing. */
  readonly format: string;
  /** 1 when every value of the kind passes, and so counts as checked. */
  made(kind: ValueKind): number;
  /** The check that values of the kind need; undefined when all pass. */
  check(kind: ValueKind): Check | undefined;
}

/** Formats that Go's numbers have by themselves. */
const ownFormat: Readonly<Partial<Record<ValueKind, string>>> = { integer: "int64", number: "float64" };

/** The rule that a value is of its schema's type. */
export function typeRule(schema: Schema, { instances }: Reading): TypeRule {
  const intOrString = instances && schema["x-kubernetes-int-or-string"] === true;
  const single = schema.type === undefined ? [] : [schema.type];
  const types: readonly string[] = intOrString ? ["integer", "string"] : single;
  const given = schema.format ?? "";
  const means = !instances || isKnownFormat(given, types.length === 1 ? (types[0] ?? "") : "");
  const format = means ? given : "";
  const checks = new Map<ValueKind, Check | undefined>();
  const check = (kind: ValueKind) => {
    if (!checks.has(kind)) checks.set(kind, typeCheck(kind, types, format));
    return checks.get(kind);
  };
  const applies = types.length > 0 || format !== "";
  // A type that is checked counts twice: the check, and that it passed.
  return {
    types,
    nullable: schema.nullable === true,
    format,
    check,
    made: (kind) => (applies ? 1 : 0) + (applies && check(kind) === undefined ? 1 : 0),
  };
}

/** Whether null is a value that the type refuses. */
export function nullProblem({ types, nullable }: TypeRule): boolean {
  return types.length > 0 && !nullable;
}

function passes(kind: ValueKind, types: readonly string[], format: string): boolean {
  if (types.length === 0 && format === "") return true;
  if (types.includes(kind) || (kind === "integer" && types.includes("number"))) return true;
  const numeric = types.includes("integer") || types.includes("number");
  return format !== "" && isTextual(kind) && !numeric;
}

function isTextual(kind: ValueKind): boolean {
  return kind === "string" || kind === "array";
}

function typeCheck(kind: ValueKind, types: readonly string[], format: string): Check | undefined {
  if (passes(kind, types, format)) return undefined;
  // A format is told instead of the type, and compared with the one that Go's numbers have by themselves.
  const byFormat = format !== "" && !isTextual(kind) && ownFormat[kind] !== format;
  const wanted = byFormat ? format : types.join(",");
  const found = byFormat ? (ownFormat[kind] ?? "") : kind;
  const whole = kind === "number" && types.includes("integer");
  return (value, at, out) => {
    if (whole && isWhole(Number(value))) out.checks++;
    else out.wrongType(at, wanted, found);
  };
}

/**
 * Checks values against schemas, with the findings that Kubernetes reports. A schema becomes closures, sorted by the
 * kind of value they apply to; a part of a schema is compiled when a value first reaches it, since most never do.
 * Source: k8s.io/kube-openapi/pkg/validation/validate, k8s.io/apiextensions-apiserver/pkg/apiserver/validation
 */
import { deepEqual } from "../../../equal.ts";
import { Path } from "../../../field.ts";
import { stringifyJson } from "../../../json/json.ts";
import { RegexCache } from "../../../regex/regex.ts";
import type { Schema } from "../../schema.ts";
import type { Correlated } from "../correlated.ts";
import { Findings } from "./findings.ts";
import { kindOf, type ValueKind } from "./kinds.ts";
import { objectCheck } from "./objects.ts";
import { logicCheck } from "./logic.ts";
import { type Check, type Compiled, letBe, type Reading, tooMany } from "./part.ts";
import { nullProblem, type TypeRule, typeRule } from "./types.ts";
import { formatOf, isOneOf, numberCheck, rangeOf, stringCheck } from "./values.ts";

/** What applies to values of one kind. */
interface Part {
  /** Checks that count as made whatever the value. */
  readonly made: number;
  readonly checks: readonly Check[];
}

// Schemas repeat patterns; each check keeps its own once compiled.
const patternsKept = 256;

/** The compiled parts of schemas, one for each schema value. */
export class Checks implements Compiled {
  readonly #reading: Reading;
  readonly #known = new Map<Schema, Check>();
  readonly #patterns = new RegexCache(patternsKept);

  constructor(reading: Reading) {
    this.#reading = reading;
  }

  /** The check of a schema, compiled when first used. */
  of(schema: Schema): Check {
    const known = this.#known.get(schema);
    if (known !== undefined) return known;
    let parts: Record<ValueKind, Part> | undefined;
    const check: Check = (value, at, out, was) => {
      parts ??= this.#compile(schema);
      const { made, checks } = parts[kindOf(value)];
      out.checks += made;
      for (const part of checks) part(value, at, out, was);
    };
    this.#known.set(schema, check);
    return check;
  }

  #compile(schema: Schema): Record<ValueKind, Part> {
    const type = typeRule(schema, this.#reading);
    const logic = logicCheck(schema, this);
    const choices = enumCheck(schema);
    const part = (kind: ValueKind, made: number, ...own: readonly (Check | undefined)[]): Part =>
      collect(made + type.made(kind), [type.check(kind), logic, ...own, choices]);
    const number = numberCheck(schema, rangeOf(type.types, type.format)) as Check;
    const format = formatOf(type.format) as Check | undefined;
    return {
      null: { made: 0, checks: [nullCheck(type), ...(choices === undefined ? [] : [choices])] },
      boolean: part("boolean", 0),
      integer: part("integer", 2, number),
      number: part("number", 2, number),
      string: part(
        "string",
        format === undefined ? 1 : 2,
        stringCheck(schema, this.#patterns) as Check | undefined,
        format,
      ),
      array: part("array", 2, arrayCheck(schema, this)),
      object: part("object", 1, objectCheck(schema, this)),
    };
  }
}

// Kubernetes counts the checks of logic and enumerations even where there are none, and one for the value.
const madeAlways = 4;

function collect(made: number, checks: readonly (Check | undefined)[]): Part {
  return { made: made + madeAlways, checks: checks.filter((check) => check !== undefined) };
}

function nullCheck(type: TypeRule): Check {
  return (_value, at, out) => {
    if (nullProblem(type)) out.wrongType(at, type.types.join(","), "null");
    else out.checks++;
  };
}

function enumCheck(schema: Schema): Check | undefined {
  const choices = schema.enum ?? [];
  if (choices.length === 0) return undefined;
  const spelled = choices.map((choice) => JSON.stringify(typeof choice === "string" ? choice : stringifyJson(choice)));
  const detail = `supported values: ${spelled.join(", ")}`;
  return (value, at, out) => {
    if (isOneOf(value, choices, deepEqual)) return;
    const text = `${at.toString()} in body should be one of ${spelled.join(" ")}`;
    out.add({ reason: "FieldValueNotSupported", at, value, detail, text });
  };
}

function arrayCheck(schema: Schema, checks: Compiled): Check {
  const { minItems, maxItems, uniqueItems = false } = schema;
  const items = schema.items === undefined ? undefined : letBe(checks.of(schema.items));
  return (given, at, out, was) => {
    const value = given as readonly unknown[];
    if (items !== undefined) {
      for (let i = 0; i < value.length; i++) items(value[i], at.index(i), out, was?.index(i));
    }
    if (minItems !== undefined && value.length < minItems) {
      out.invalid(at, value.length, `${at.toString()} in body should have at least ${minItems} items`);
    }
    if (maxItems !== undefined && value.length > maxItems) tooMany(at, value.length, maxItems, out);
    if (uniqueItems && hasTwins(value)) out.invalid(at, "", `${at.toString()} in body shouldn't contain duplicates`);
  };
}

function hasTwins(value: readonly unknown[]): boolean {
  return value.some((item, i) => value.some((other, j) => j < i && deepEqual(item, other)));
}

/**
 * Checks a whole value, or the change to one.
 * @returns findings, none when the value is valid
 */
export function checkValue(check: Check, value: unknown, was?: Correlated): Findings {
  const out = new Findings();
  letBe(check)(value, Path.root, out, was);
  return out;
}

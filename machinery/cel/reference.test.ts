/**
 * Expressions with what Kubernetes' own evaluator (k8s.io/apiserver 0.36, all libraries) made of them: errors, types,
 * values, costs and estimates. `testdata/reference.jsonl` holds schemas (`define`) first, then one expression a line;
 * `schema` is the schema's number, and without one `self` is untyped; a `max` of "many" is more than 10^15.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import type { Schema } from "../schema/schema.ts";
import { Compiler, declareDynamic, declareSchema, type Declaration, toJson } from "./index.ts";
import { typeNameOf } from "./runtime-type.ts";

interface Recorded {
  readonly define?: Schema;
  readonly expr: string;
  readonly self?: unknown;
  readonly schema?: number;
  readonly issues?: string;
  readonly min?: number;
  readonly max?: number | "many";
  readonly cost?: number;
  readonly type?: string;
  readonly value?: unknown;
  readonly error?: string;
}

type Reviver = (key: string, value: unknown, context: { readonly source?: string }) => unknown;

/** Integers that a double cannot hold are bigint, as the server reads them. */
const exactIntegers: Reviver = (_key, value, { source = "" }) =>
  typeof value === "number" && /^-?\d{16,}$/.test(source) ? BigInt(source) : value;

const text = readFileSync(new URL("testdata/reference.jsonl", import.meta.url), "utf8");
const lines = text
  .trim()
  .split("\n")
  .map((line) => JSON.parse(line, exactIntegers as Parameters<typeof JSON.parse>[1]) as Recorded);
const schemas = lines.flatMap(({ define }) => (define === undefined ? [] : [define]));
const recorded = lines.filter(({ define }) => define === undefined);
const compiler = new Compiler();

function declarationOf(line: Recorded): Declaration {
  if (line.schema === undefined) return declareDynamic();
  const schema = schemas[line.schema];
  assert.ok(schema);
  const declaration = declareSchema(schema, { name: "selfType" });
  assert.ok(declaration);
  return declaration;
}

function replay(line: Recorded): void {
  const self = declarationOf(line);
  const compiled = compiler.compile(line.expr, { variables: { self, oldSelf: self } });
  assert.equal(compiled.program === undefined ? compiled.message : undefined, line.issues);
  if (compiled.program === undefined) return;
  const { min, max } = compiled.program.estimateCost();
  assert.deepEqual({ min, max: max > 1e15 ? "many" : max }, { min: line.min, max: line.max });
  const outcome = compiled.program.evaluate({ self: line.self ?? null });
  assert.equal(outcome.error?.message, line.error);
  if (outcome.value === undefined) return;
  assert.equal(outcome.cost, line.cost);
  assert.equal(typeNameOf(outcome.value), line.type);
  if (line.value !== null) assert.deepEqual(toJson(outcome.value), line.value);
}

/** What is different, undefined when nothing is. */
function difference(line: Recorded): string | undefined {
  try {
    replay(line);
    return undefined;
  } catch (fault) {
    return `${line.expr}: ${fault instanceof Error ? fault.message : String(fault)}`;
  }
}

test("expressions compile, cost and yield what the reference says", () => {
  assert.ok(recorded.length > 500);
  assert.deepEqual(
    recorded.map(difference).filter((text) => text !== undefined),
    [],
  );
});

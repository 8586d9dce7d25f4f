/**
 * Checks of anyOf, oneOf, allOf and not. When no alternative fits, the one that came closest says why.
 * Source: k8s.io/kube-openapi/pkg/validation/validate/schema_props.go
 */
import type { Path } from "../../../field.ts";
import type { Schema } from "../../schema.ts";
import { Findings } from "./findings.ts";
import type { Check, Compiled } from "./part.ts";

export function logicCheck(schema: Schema, checks: Compiled): Check | undefined {
  const { anyOf = [], oneOf = [], allOf = [], not } = schema;
  const compile = (branches: readonly Schema[]) => branches.map((branch) => checks.of(branch));
  const parts: Check[] = [];
  if (anyOf.length > 0) parts.push(anyCheck(compile(anyOf)));
  if (oneOf.length > 0) parts.push(oneCheck(compile(oneOf)));
  if (allOf.length > 0) parts.push(allCheck(compile(allOf)));
  if (not !== undefined) parts.push(notCheck(checks.of(not)));
  if (parts.length === 0) return undefined;
  return (value, at, out) => {
    for (const part of parts) part(value, at, out, undefined);
  };
}

function run(check: Check, value: unknown, at: Path): Findings {
  const out = new Findings();
  check(value, at, out, undefined);
  return out;
}

function closest(best: Findings | undefined, next: Findings): Findings {
  return best === undefined || next.checks > best.checks ? next : best;
}

function anyCheck(branches: readonly Check[]): Check {
  return (value, at, out) => {
    let best: Findings | undefined;
    for (const branch of branches) {
      const found = run(branch, value, at);
      if (found.ok) return out.merge(found);
      best = closest(best, found);
    }
    out.nowhere(`"${at.toString()}" must validate at least one schema (anyOf)`);
    if (best !== undefined) out.merge(best);
  };
}

function oneCheck(branches: readonly Check[]): Check {
  return (value, at, out) => {
    const all = branches.map((branch) => run(branch, value, at));
    const fitting = all.filter(({ ok }) => ok);
    const [first] = fitting;
    if (fitting.length === 1 && first !== undefined) return out.merge(first);
    const count = fitting.length === 0 ? "Found none valid" : `Found ${fitting.length} valid alternatives`;
    out.nowhere(`"${at.toString()}" must validate one and only one schema (oneOf). ${count}`);
    if (fitting.length === 0) out.merge(all.reduce((best, next) => closest(best, next)));
  };
}

function allCheck(branches: readonly Check[]): Check {
  return (value, at, out) => {
    let fitting = 0;
    for (const branch of branches) {
      const found = run(branch, value, at);
      if (found.ok) fitting++;
      out.merge(found);
    }
    if (fitting === branches.length) return;
    out.nowhere(`"${at.toString()}" must validate all the schemas (allOf)${fitting === 0 ? ". None validated" : ""}`);
  };
}

function notCheck(branch: Check): Check {
  return (value, at, out) => {
    if (run(branch, value, at).ok) out.nowhere(`"${at.toString()}" must not validate the schema (not)`);
  };
}

/**
 * Checks of literals that types cannot express: `duration("x")`, `timestamp("x")`, `text.matches("(")`.
 * Source: cel-go cel/validator.go
 */
import type { Expr } from "./ast.ts";
import type { Checked, ResolvedCall } from "./checker.ts";
import type { Issues } from "./source.ts";
import { compileRegex } from "../regex/regex.ts";
import { parseDuration, parseTimestamp } from "./time.ts";

type Check = (text: string) => boolean;

/** Functions whose literal arguments are checked, and which argument that is. */
const checks: Readonly<Record<string, { readonly argument: number; readonly valid: Check }>> = {
  duration: { argument: 0, valid: (text) => parseDuration(text) !== undefined },
  timestamp: { argument: 0, valid: (text) => parseTimestamp(text) !== undefined },
  matches: { argument: 1, valid: (text) => !("error" in compileRegex(text)) },
};

function literalText(expr: Expr | undefined): string | undefined {
  return expr?.kind === "literal" && typeof expr.value === "string" ? expr.value : undefined;
}

function validateCall(call: ResolvedCall, issues: Issues): void {
  const check = checks[call.name];
  if (check === undefined) return;
  const argument = call.args[check.argument];
  const text = literalText(argument);
  if (argument === undefined || text === undefined || check.valid(text)) return;
  issues.add(argument.offset, `invalid ${call.name} argument`);
}

/** Adds what is wrong with the literals of a checked expression. */
export function validateLiterals(checked: Checked, issues: Issues): void {
  for (const call of checked.calls.values()) validateCall(call, issues);
}

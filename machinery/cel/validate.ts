/**
 * Checks of literals that types cannot express: `duration("x")`, `timestamp("x")`, `text.matches("(")`.
 * Source: cel-go cel/validator.go
 */
import { type Expr, partsOf } from "./ast.ts";
import type { Checked, ResolvedCall } from "./checker.ts";
import type { Issues } from "./source.ts";
import { checkFormat } from "./libraries/format-string.ts";
import { nameOfType } from "./runtime-type.ts";
import { compileRegex } from "../regex/regex.ts";
import { parseDuration, parseTimestamp, timestampOf } from "./time.ts";
import { type CelType, dynType, spellType } from "./types.ts";
import { optionalElement, sameType } from "./unify.ts";

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

/** A literal pattern with a literal list of arguments. */
function validateFormat(expr: Expr, call: ResolvedCall, validation: { checked: Checked; issues: Issues }): void {
  const [receiver, list] = call.args;
  const pattern = literalText(receiver);
  if (call.name !== "format" || !call.member || pattern === undefined || list?.kind !== "list") return;
  const kinds = list.elements.map(({ value }) => nameOfType(validation.checked.typeOf(value)));
  const wrong = checkFormat(pattern, kinds);
  if (wrong === undefined) return;
  const at = wrong.argument === undefined ? expr : list.elements[wrong.argument]?.value;
  validation.issues.add((at ?? expr).offset, wrong.message);
}

function validateCall(call: ResolvedCall, issues: Issues): void {
  const check = checks[call.name];
  if (check === undefined) return;
  const argument = call.args[check.argument];
  const text = literalText(argument);
  if (argument === undefined || text === undefined || check.valid(text)) return;
  issues.add(argument.offset, `invalid ${call.name} argument`);
}

/** A literal number of seconds outside the years that timestamps have. */
function validateSeconds(call: ResolvedCall, issues: Issues): void {
  const argument = call.name === "timestamp" ? call.args[0] : undefined;
  if (argument?.kind !== "literal" || typeof argument.value !== "bigint") return;
  if (timestampOf(argument.value * 1_000_000_000n) === undefined)
    issues.add(argument.offset, "invalid timestamp argument");
}

/** Functions whose arguments may be lists of mixed types. */
const mixedArguments: ReadonlySet<string> = new Set(["format"]);

/** A list or map with one type for all its keys and one for all its values. */
class LiteralValidator {
  readonly #checked: Checked;
  readonly #issues: Issues;

  constructor(checked: Checked, issues: Issues) {
    this.#checked = checked;
    this.#issues = issues;
  }

  /** Looks at an expression and its parts; `call` is the function whose argument it is. */
  visit(expr: Expr, call: string): void {
    if (!mixedArguments.has(call)) this.#compareParts(expr);
    const inside = expr.kind === "call" && !mixedArguments.has(call) ? expr.name : call;
    for (const part of partsOf(expr)) this.visit(part, inside);
  }

  #compareParts(expr: Expr): void {
    if (expr.kind === "list") this.#compare(expr.elements, true);
    if (expr.kind !== "map") return;
    this.#compare(
      expr.entries.map(({ key }) => ({ value: key, optional: false })),
      false,
    );
    this.#compare(expr.entries, false);
  }

  #compare(parts: readonly { readonly value: Expr; readonly optional: boolean }[], once: boolean): void {
    let first: CelType | undefined;
    for (const { value, optional } of parts) {
      const type = this.#checked.typeOf(value);
      const inner = optional ? (optionalElement(type) ?? dynType) : type;
      first ??= inner;
      if (sameType(first, inner)) continue;
      this.#issues.add(value.offset, `expected type '${spellType(first)}' but found '${spellType(inner)}'`);
      if (once) return;
    }
  }
}

/** Adds what is wrong with the literals of a checked expression. */
export function validateLiterals(checked: Checked, issues: Issues): void {
  for (const [expr, call] of checked.calls) {
    validateCall(call, issues);
    validateSeconds(call, issues);
    validateFormat(expr, call, { checked, issues });
  }
  new LiteralValidator(checked, issues).visit(checked.expr, "");
}

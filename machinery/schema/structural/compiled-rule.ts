/**
 * One rule of x-kubernetes-validations, compiled against the declaration of its schema.
 * Source: k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel/compilation.go
 */
import type { Compiler } from "../../cel/compile.ts";
import type { Declaration } from "../../cel/declaration.ts";
import type { Program } from "../../cel/program.ts";
import { declareOptional } from "../../cel/schema.ts";
import type { Schema, ValidationRule } from "../schema.ts";
import { fieldPath } from "./fieldpath.ts";

/** An expression that compiled, or why it did not. */
export type Expression = { readonly program: Program; readonly error?: undefined } | { readonly error: string };

/** A rule and what became of its expressions. */
export interface CompiledRule {
  readonly rule: ValidationRule;
  /** Undefined: the rule is blank. */
  readonly condition: Expression | undefined;
  /** Undefined: there is none. */
  readonly message: Expression | undefined;
  /** The rule looks at the value that is replaced. */
  readonly usesOldSelf: boolean;
  /** Where a failure is reported, below the value; "" at the value itself. */
  readonly fieldPath: string;
}

/** What a rule is compiled against. */
export interface RuleScope {
  readonly schema: Schema;
  /** The declaration of the schema. */
  readonly self: Declaration;
  readonly compiler: Compiler;
}

export function compileRule(rule: ValidationRule, { schema, self, compiler }: RuleScope): CompiledRule {
  const oldSelf = rule.optionalOldSelf === true ? declareOptional(self) : self;
  const compileExpression = expressionCompiler(compiler, { self, oldSelf });
  const condition = compileExpression(rule.rule, "bool");
  const failed = condition === undefined || condition.error !== undefined;
  return {
    rule,
    condition,
    message: failed ? undefined : compileExpression(rule.messageExpression ?? "", "string"),
    usesOldSelf: !failed && condition.program.references.has("oldSelf"),
    fieldPath: normalize(rule.fieldPath ?? "", schema),
  };
}

const openings = { bool: "", string: "messageExpression " } as const;
const wanted = {
  bool: "cel expression must evaluate to a bool",
  string: "messageExpression must evaluate to a string",
} as const;

function expressionCompiler(compiler: Compiler, variables: Readonly<Record<string, Declaration>>) {
  return (text: string, type: "bool" | "string"): Expression | undefined => {
    if (text.trim() === "") return undefined;
    const compiled = compiler.compile(text, { variables });
    if (compiled.program === undefined) return { error: `${openings[type]}compilation failed: ${compiled.message}` };
    return compiled.program.type.kind === type ? { program: compiled.program } : { error: wanted[type] };
  };
}

function normalize(path: string, schema: Schema): string {
  if (path === "") return "";
  const found = fieldPath(path, schema);
  return "error" in found ? "" : found.path.toString();
}

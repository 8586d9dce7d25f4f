/**
 * From text to a program: parse, check, plan.
 * Source: cel-go cel (Env.Compile, Env.Program); k8s.io/apiserver/pkg/cel/environment/base.go (the options it sets)
 */
import { RegexCache } from "../regex/regex.ts";
import { check, type Checked, type Scope } from "./checker.ts";
import type { Declaration } from "./declaration.ts";
import { estimateCost } from "./estimate.ts";
import { type Caches, Frame, Stopped } from "./frame.ts";
import { kubernetesLibraries } from "./libraries/kubernetes.ts";
import type { Functions, Library, Macro, Overload, StructProvider } from "./library.ts";
import { macroKey, parse } from "./parser.ts";
import { type Plan, plan, PlanError } from "./plan.ts";
import {
  type Compilation,
  type CostEstimate,
  type Environment,
  type Evaluation,
  type EvaluationLimits,
  perCallLimit,
  type Program,
} from "./program.ts";
import { Issues, spellIssues } from "./source.ts";
import type { CelType } from "./types.ts";
import { validateLiterals } from "./validate.ts";
import { CelError, type Value } from "./values.ts";

const cachedPatterns = 64;

/** Libraries merged into what the parser, the checker and the planner look names up in. */
class Language {
  readonly functions = new Map<string, Functions[string]>();
  readonly macros = new Map<string, Macro>();
  readonly types = new Map<string, CelType>();
  readonly structs: StructProvider[] = [];

  constructor(libraries: readonly Library[]) {
    for (const library of libraries) this.#add(library);
  }

  #add(library: Library): void {
    for (const [name, overloads] of Object.entries(library.functions ?? {})) {
      const known: readonly Overload[] = this.functions.get(name) ?? [];
      this.functions.set(name, [...known, ...overloads]);
    }
    for (const macro of library.macros ?? []) this.macros.set(macroKey(macro), macro);
    for (const [name, type] of Object.entries(library.types ?? {})) this.types.set(name, type);
    if (library.structs !== undefined) this.structs.push(library.structs);
  }
}

/** Compiles expressions with one set of libraries. Make one and keep it: setting up is dearer than compiling. */
export class Compiler {
  readonly #language: Language;

  constructor(libraries: readonly Library[] = kubernetesLibraries) {
    this.#language = new Language(libraries);
  }

  /** Parses, checks and plans an expression. */
  compile(expression: string, environment: Environment): Compilation {
    const issues = new Issues(expression);
    const expr = parse(issues, this.#language.macros);
    const checked = expr === undefined ? undefined : check(expr, this.#scope(environment), issues);
    if (checked === undefined || issues.count > 0) return failure(issues);
    validateLiterals(checked, issues);
    if (issues.count > 0) return failure(issues);
    try {
      const planned = plan(checked, this.#language.structs);
      return { program: new CompiledProgram({ expression, checked, plan: planned }, environment), issues: [] };
    } catch (fault) {
      if (!(fault instanceof PlanError)) throw fault;
      issues.add(-1, fault.message);
      return { issues: issues.sorted(), message: fault.message };
    }
  }

  #scope(environment: Environment): Scope {
    const variables = Object.entries(environment.variables).map(([name, { type }]) => [name, type] as const);
    const { functions, types, structs } = this.#language;
    return { variables: new Map(variables), functions, types, structs };
  }
}

function failure(issues: Issues): Compilation {
  const list = issues.sorted();
  return { issues: list, message: spellIssues(list, issues.text) };
}

interface Parts {
  readonly expression: string;
  readonly checked: Checked;
  readonly plan: Plan;
}

class CompiledProgram implements Program {
  readonly expression: string;
  readonly type: CelType;
  readonly references: ReadonlySet<string>;
  readonly #checked: Checked;
  readonly #plan: Plan;
  readonly #environment: Environment;
  readonly #caches: Caches;

  constructor(parts: Parts, environment: Environment) {
    this.expression = parts.expression;
    this.type = parts.checked.typeOf(parts.checked.expr);
    this.references = new Set(parts.plan.variables);
    this.#checked = parts.checked;
    this.#plan = parts.plan;
    this.#environment = environment;
    const patterns = new RegexCache(cachedPatterns);
    this.#caches = { matcher: (pattern) => patterns.compile(pattern), zones: new Map() };
  }

  evaluate(bindings: Readonly<Record<string, unknown>>, limits: EvaluationLimits = {}): Evaluation {
    const { variables, slots, step } = this.#plan;
    const declared = this.#environment.variables;
    const load = (slot: number): Value => {
      const name = variables[slot] as string;
      if (!Object.hasOwn(bindings, name)) return new CelError(`no such attribute(s): ${name}`);
      return (declared[name] as Declaration).adapt(bindings[name]);
    };
    const limit = limits.costLimit ?? perCallLimit;
    const frame = new Frame({ limit, interrupted: limits.interrupted, load, caches: this.#caches }, slots);
    try {
      const value = step(frame);
      if (!(value instanceof CelError)) return { value, cost: frame.cost };
      return { error: { kind: "evaluation", message: value.message }, cost: frame.cost };
    } catch (stop) {
      if (!(stop instanceof Stopped)) throw stop;
      return { error: { kind: stop.kind, message: stop.message }, cost: frame.cost };
    }
  }

  estimateCost(): CostEstimate {
    return estimateCost(this.#checked, this.#environment.variables);
  }
}

/**
 * A policy's own variables: each may use those before it, and is computed when it is first mentioned, once.
 * Source: k8s.io/apiserver/pkg/admission/plugin/cel/composition.go
 */
import type { Variable } from "@atoll/api/builtin/admissionregistration.k8s.io/v1.types";
import { type AdmissionOptions, type CelType, type Compiler, dynType } from "@atoll/machinery/cel/index";
import { CelError, MapValue, type Value } from "@atoll/machinery/cel/values";
import { compile, type Expression, typeOf } from "./expression.ts";
import type { Bindings } from "./inputs.ts";

/** Variables in order, and what they are. */
export interface Variables {
  readonly types: Readonly<Record<string, CelType>>;
  readonly expressions: ReadonlyMap<string, Expression>;
}

/** Compiles variables; each knows those before it. */
export function compileVariables(
  compiler: Compiler,
  variables: readonly Variable[] = [],
  options: AdmissionOptions,
): Variables {
  const types: Record<string, CelType> = {};
  const expressions = new Map<string, Expression>();
  for (const { name, expression } of variables) {
    const compiled = compile(compiler, expression, { ...options, variables: { ...types } });
    types[name] = typeOf(compiled) ?? dynType;
    expressions.set(name, compiled);
  }
  return { types, expressions };
}

/** The value of `variables` for one evaluation. */
export class Composition extends MapValue {
  readonly #variables: Variables;
  readonly #values = new Map<string, Value>();
  #bindings: Bindings = {};
  #cost = 0;

  constructor(variables: Variables) {
    super();
    this.#variables = variables;
  }

  /** What the variables themselves refer to: everything else, and each other. */
  within(bindings: Bindings): Bindings {
    this.#bindings = bindings;
    return bindings;
  }

  /** What was spent since the last call. */
  readonly spent = (): number => {
    const cost = this.#cost;
    this.#cost = 0;
    return cost;
  };

  override get size(): number {
    return this.#variables.expressions.size;
  }

  override get(key: Value): Value | undefined {
    return typeof key === "string" ? this.field(key) : undefined;
  }

  override field(name: string): Value | undefined {
    const known = this.#values.get(name);
    if (known !== undefined) return known;
    const expression = this.#variables.expressions.get(name);
    if (expression === undefined) return undefined;
    const value = this.#compute(name, expression);
    this.#values.set(name, value);
    return value;
  }

  override keys(): readonly Value[] {
    return [...this.#variables.expressions.keys()];
  }

  override equals(other: MapValue): boolean {
    return other === this;
  }

  #compute(name: string, { program, wrong }: Expression): Value {
    if (program === undefined) return new CelError(`composited variable "${name}" fails to compile: ${wrong}`);
    const { value, error, cost } = program.evaluate(this.#bindings);
    this.#cost += cost;
    if (error !== undefined) return new CelError(`composited variable "${name}" fails to evaluate: ${error.message}`);
    return value;
  }
}

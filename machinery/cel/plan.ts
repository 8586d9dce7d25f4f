/**
 * Turns a checked expression into closures: one for each part, called with the frame of an evaluation.
 * Source: cel-go interpreter/planner.go, interpretable.go, decorators.go (what is computed ahead of time and free)
 */
import { accumulator, type Call, type Expr, type Fold, type ListExpr, type MapExpr, type StructExpr } from "./ast.ts";
import { hasField, indexOptional, indexValue, selectField, selectOptional } from "./access.ts";
import type { Checked, ResolvedCall } from "./checker.ts";
import { ArrayList, EntryMap } from "./containers.ts";
import { listCost, mapCost, readCost, structCost } from "./cost.ts";
import { keyOf } from "./equality.ts";
import { detachedFrame, type Frame, noSuchOverload, type Step } from "./frame.ts";
import { type FoldSteps, isGrowing, planFold, planGrowth } from "./fold.ts";
import { conjunction, invoke } from "./invoke.ts";
import type { StructProvider } from "./library.ts";
import { compileRegex } from "../regex/regex.ts";
import { unusedVariable } from "./macros.ts";
import { nameOfType } from "./runtime-type.ts";
import { CelError, ListValue, noneOptional, OptionalValue, TypeValue, type Value } from "./values.ts";

/** A part that does not depend on data has its value besides its step. */
interface Planned {
  readonly step: Step;
  readonly constant?: Value;
}

/** A plan: what to run, and how many slots its frames need. */
export interface Plan {
  readonly step: Step;
  /** Variables by slot, from 0; the slots after them are for loops. */
  readonly variables: readonly string[];
  readonly slots: number;
}

/** Why a checked expression cannot be run: a conversion of a literal that fails. */
export class PlanError extends Error {}

const constant = (value: Value): Planned => ({ step: () => value, constant: value });

const conversions: ReadonlySet<string> = new Set(
  "bool bytes double duration dyn int string timestamp type uint".split(" "),
);

/** Operators that read from a variable. */
const attributeCalls: ReadonlySet<string> = new Set(["_[_]", "_[?_]", "_?._", "_?_:_"]);

interface Local {
  readonly name: string;
  readonly slot: number;
  /** Evaluates a binding when it is first used. */
  readonly init: Step | undefined;
}

class Planner {
  readonly #checked: Checked;
  readonly #structs: readonly StructProvider[];
  readonly #variables: string[] = [];
  readonly #locals: Local[] = [];
  #slots: number;

  constructor(checked: Checked, structs: readonly StructProvider[]) {
    this.#checked = checked;
    this.#structs = structs;
    for (const reference of checked.references.values()) {
      if (reference.kind === "variable" && !this.#variables.includes(reference.name))
        this.#variables.push(reference.name);
    }
    this.#slots = this.#variables.length;
  }

  run(): Plan {
    const { step } = this.#plan(this.#checked.expr);
    return { step, variables: this.#variables, slots: this.#slots };
  }

  #plan(expr: Expr): Planned {
    if (this.#isAttribute(expr)) return this.#attribute(expr);
    switch (expr.kind) {
      case "literal":
        return constant(expr.value);
      case "ident":
      case "select":
        return this.#typeName(expr);
      case "call":
        return this.#call(expr);
      case "list":
        return this.#list(expr);
      case "map":
        return this.#map(expr);
      case "struct":
        return this.#struct(expr);
      case "fold":
        return { step: expr.iterVar === unusedVariable ? this.#bind(expr) : this.#fold(expr) };
    }
  }

  #step(expr: Expr): Step {
    return this.#plan(expr).step;
  }

  #typeName(expr: Expr): Planned {
    const reference = this.#checked.references.get(expr);
    if (reference?.kind !== "type") throw new PlanError("identifier without a meaning");
    return constant(new TypeValue(nameOfType(reference.type)));
  }

  // ---- attributes: a variable and the fields, keys and indices read from it. Reading one costs 1 and 1 for each
  // step; as a branch of a condition or as an index it costs its steps only.

  #isAttribute(expr: Expr): boolean {
    switch (expr.kind) {
      case "ident":
      case "select":
        return this.#checked.references.get(expr)?.kind !== "type";
      case "call":
        return attributeCalls.has(expr.name);
      default:
        return false;
    }
  }

  #attribute(expr: Expr): Planned {
    const steps = this.#steps(expr);
    if (!this.#isCharged(expr)) return { step: steps };
    return {
      step: (frame) => {
        frame.charge(readCost);
        return steps(frame);
      },
    };
  }

  /** A condition costs what it evaluates, and so does what is read from it; so does a presence test. */
  #isCharged(expr: Expr): boolean {
    if (expr.kind === "select") return !expr.testOnly && (this.#references(expr) || this.#isCharged(expr.operand));
    if (expr.kind !== "call") return true;
    if (expr.name === "_?_:_") return false;
    return !attributeCalls.has(expr.name) || this.#isCharged(expr.args[0] as Expr);
  }

  #references(expr: Expr): boolean {
    return this.#checked.references.has(expr);
  }

  /** Reads an attribute, charging for its steps alone; evaluates anything else. */
  #steps(expr: Expr): Step {
    if (!this.#isAttribute(expr)) return this.#step(expr);
    if (expr.kind === "ident" || this.#references(expr)) return this.#variable(expr);
    if (expr.kind === "select") return this.#select(expr);
    const call = this.#checked.calls.get(expr);
    if (call === undefined) throw new PlanError(`${expr.kind} without a meaning`);
    switch (call.name) {
      case "_?_:_":
        return this.#conditional(call);
      case "_?._":
        return this.#optionalSelect(call);
      default:
        return this.#index(call);
    }
  }

  #variable(expr: Expr): Step {
    const reference = this.#checked.references.get(expr);
    if (reference?.kind === "local") return this.#local(reference.name);
    if (reference?.kind !== "variable") throw new PlanError("identifier without a meaning");
    const slot = this.#variables.indexOf(reference.name);
    return (frame) => frame.variable(slot);
  }

  #local(name: string): Step {
    const local = this.#locals.findLast((candidate) => candidate.name === name);
    if (local === undefined) throw new PlanError(`no variable ${name}`);
    const { slot, init } = local;
    if (init === undefined) return (frame) => frame.slots[slot] as Value;
    return (frame) => {
      const known = frame.slots[slot];
      if (known !== undefined) return known;
      const value = init(frame);
      frame.slots[slot] = value;
      return value;
    };
  }

  #select(expr: Expr & { kind: "select" }): Step {
    const operand = this.#steps(expr.operand);
    const { field } = expr;
    const read = expr.testOnly ? hasField : selectField;
    return (frame) => {
      const target = operand(frame);
      if (target instanceof CelError) return target;
      frame.charge(readCost);
      return read(target, field);
    };
  }

  #conditional(call: ResolvedCall): Step {
    const [condition, yes, no] = call.args as [Expr, Expr, Expr];
    const test = this.#step(condition);
    const whenTrue = this.#steps(yes);
    const whenFalse = this.#steps(no);
    return (frame) => {
      const chosen = test(frame);
      if (chosen === true) return whenTrue(frame);
      if (chosen === false) return whenFalse(frame);
      return chosen instanceof CelError ? chosen : noSuchOverload();
    };
  }

  #optionalSelect(call: ResolvedCall): Step {
    const [operandExpr, fieldExpr] = call.args as [Expr, Expr & { kind: "literal" }];
    const operand = this.#steps(operandExpr);
    const field = fieldExpr.value as string;
    return (frame) => {
      const target = operand(frame);
      return target instanceof CelError ? target : chargedIfPresent(frame, selectOptional(target, field));
    };
  }

  #index(call: ResolvedCall): Step {
    const [operand, index] = call.args.map((arg) => this.#steps(arg)) as [Step, Step];
    const optional = call.name === "_[?_]";
    return (frame) => {
      const target = operand(frame);
      if (target instanceof CelError) return target;
      const at = index(frame);
      if (at instanceof CelError) return at;
      if (optional) return chargedIfPresent(frame, indexOptional(target, at));
      frame.charge(readCost);
      return indexValue(target, at);
    };
  }

  // ---- literals with parts

  #list(expr: ListExpr): Planned {
    const parts = expr.elements.map(({ value, optional }) => ({ ...this.#plan(value), optional }));
    if (parts.every((part) => part.constant !== undefined && !part.optional)) {
      return constant(new ArrayList(parts.map((part) => part.constant as Value)));
    }
    const build = (frame: Frame): Value => {
      const items: Value[] = [];
      for (const { step, optional } of parts) {
        const value = step(frame);
        const item = optional && !(value instanceof CelError) ? unwrap(value) : value;
        if (item instanceof CelError) return item;
        if (item !== undefined) items.push(item);
      }
      return new ArrayList(items);
    };
    return { step: charged(build, listCost) };
  }

  #map(expr: MapExpr): Planned {
    const parts = expr.entries.map((entry) => ({
      key: this.#plan(entry.key),
      value: this.#plan(entry.value),
      optional: entry.optional,
    }));
    const build = (frame: Frame): Value => {
      const map = new EntryMap();
      for (const { key, value, optional } of parts) {
        const name = key.step(frame);
        if (name instanceof CelError) return name;
        const given = value.step(frame);
        const item = optional && !(given instanceof CelError) ? unwrap(given) : given;
        if (item instanceof CelError) return item;
        const fault = item === undefined ? undefined : map.insert(name, item);
        if (fault !== undefined) return fault;
      }
      return map;
    };
    const fixed = parts.every(
      (part) => part.key.constant !== undefined && part.value.constant !== undefined && !part.optional,
    );
    return fixed ? folded(build) : { step: charged(build, mapCost) };
  }

  #struct(expr: StructExpr): Planned {
    const type = this.#checked.typeOf(expr);
    const name = type.kind === "object" ? type.name : expr.type;
    const provider = this.#structs.find((candidate) => candidate.find(name) !== undefined);
    const parts = expr.fields.map((field) => ({ ...field, step: this.#step(field.value) }));
    return {
      step: charged((frame) => {
        const fields = new Map<string, Value>();
        for (const part of parts) {
          const given = part.step(frame);
          const value = part.optional && !(given instanceof CelError) ? unwrap(given) : given;
          if (value instanceof CelError) return value;
          if (value !== undefined) fields.set(part.name, value);
        }
        return provider?.construct(name, fields) ?? new CelError(`unknown type: ${name}`);
      }, structCost),
    };
  }

  // ---- calls

  #call(expr: Call): Planned {
    const call = this.#checked.calls.get(expr);
    if (call === undefined) throw new PlanError(`call of ${expr.name} without a meaning`);
    switch (call.name) {
      case "_&&_":
        return {
          step: conjunction(
            call.args.map((arg) => this.#step(arg)),
            false,
          ),
        };
      case "_||_":
        return {
          step: conjunction(
            call.args.map((arg) => this.#step(arg)),
            true,
          ),
        };
      case "or":
      case "orValue":
        return this.#isOptionalMethod(call) ? { step: this.#alternative(call) } : this.#function(call);
      default:
        return this.#growth(call) ?? this.#function(call);
    }
  }

  #isOptionalMethod(call: ResolvedCall): boolean {
    return call.member && call.overloads.every((overload) => overload.id.startsWith("optional_or"));
  }

  /** `a.or(b)` and `a.orValue(b)`: b is evaluated only when a has no value. */
  #alternative(call: ResolvedCall): Step {
    const [first, second] = call.args.map((arg) => this.#step(arg)) as [Step, Step];
    const inner = call.name === "orValue";
    return (frame) => {
      const optional = first(frame);
      if (optional instanceof CelError) return optional;
      if (!(optional instanceof OptionalValue)) return noSuchOverload();
      if (optional.value === undefined) return second(frame);
      return inner ? optional.value : optional;
    };
  }

  /** `accumulator + [item]` in a macro's loop grows the list in place. */
  #growth(call: ResolvedCall): Planned | undefined {
    const [first, second] = call.args;
    if (call.name !== "_+_" || first?.kind !== "ident" || first.name !== accumulator) return undefined;
    if (second?.kind !== "list" || second.elements.length !== 1) return undefined;
    const item = this.#plan((second.elements[0] as { value: Expr }).value);
    return { step: planGrowth(this.#local(accumulator), item.step, item.constant !== undefined) };
  }

  #function(call: ResolvedCall): Planned {
    const parts = call.args.map((arg) => this.#plan(arg));
    checkPattern(call, parts);
    const member = this.#membership(call, parts);
    if (member !== undefined) return member;
    const step = invoke(
      call,
      parts.map((part) => part.step),
    );
    const foldable = parts.length === 1 && conversions.has(call.name) && parts[0]?.constant !== undefined;
    return foldable ? folded(step) : { step };
  }

  /** `x in [literals]` is a look-up and costs nothing but x. */
  #membership(call: ResolvedCall, parts: readonly Planned[]): Planned | undefined {
    const list = parts[1]?.constant;
    const settled = call.overloads.length === 1 && call.overloads[0]?.id === "in_list";
    if (!settled || !(list instanceof ListValue)) return undefined;
    const keys = new Set<string | undefined>();
    for (let i = 0; i < list.size; i++) keys.add(keyOf(list.at(i)));
    if (keys.has(undefined)) return undefined;
    const element = parts[0]?.step as Step;
    return {
      step: (frame) => {
        const value = element(frame);
        return value instanceof CelError ? value : keys.has(keyOf(value));
      },
    };
  }

  // ---- loops and bindings

  #withLocals<T>(locals: readonly Local[], work: () => T): T {
    this.#locals.push(...locals);
    const result = work();
    this.#locals.length -= locals.length;
    return result;
  }

  #newLocal(name: string, init?: Step): Local {
    return { name, slot: this.#slots++, init };
  }

  #bind(expr: Fold): Step {
    const local = this.#newLocal(expr.accuVar, this.#step(expr.accuInit));
    const result = this.#withLocals([local], () => this.#step(expr.result));
    return (frame) => {
      frame.slots[local.slot] = undefined;
      return result(frame);
    };
  }

  #fold(expr: Fold): Step {
    const accu = this.#newLocal(expr.accuVar);
    const first = this.#newLocal(expr.iterVar);
    const second = expr.iterVar2 === undefined ? undefined : this.#newLocal(expr.iterVar2);
    const loopLocals = second === undefined ? [accu, first] : [accu, first, second];
    const range = this.#step(expr.range);
    const init = this.#step(expr.accuInit);
    const steps: FoldSteps = {
      range,
      init,
      growing: isGrowing(expr),
      accuSlot: accu.slot,
      slot: first.slot,
      slot2: second?.slot,
      ...this.#withLocals(loopLocals, () => ({ condition: this.#step(expr.condition), step: this.#step(expr.step) })),
      result: this.#withLocals([accu], () => this.#step(expr.result)),
    };
    return planFold(steps);
  }
}

function unwrap(value: Value): Value | undefined {
  if (!(value instanceof OptionalValue))
    return new CelError("cannot initialize optional entry from non-optional value");
  return value === noneOptional ? undefined : value.value;
}

const charged =
  (build: Step, cost: number): Step =>
  (frame) => {
    const value = build(frame);
    frame.charge(cost);
    return value;
  };

/** Computes a step ahead of time. @throws {PlanError} when it fails: then every evaluation would */
function folded(step: Step): Planned {
  const value = step(detachedFrame());
  if (value instanceof CelError) throw new PlanError(value.message);
  return constant(value);
}

const finders: ReadonlySet<string> = new Set(["find", "findAll"]);

/** A literal pattern that is none fails every evaluation, so it fails now. */
function checkPattern(call: ResolvedCall, parts: readonly Planned[]): void {
  const pattern = parts[1]?.constant;
  if (!finders.has(call.name) || typeof pattern !== "string") return;
  const compiled = compileRegex(pattern);
  if ("error" in compiled) throw new PlanError(compiled.error);
}

/** An optional step that leads nowhere is free. */
function chargedIfPresent(frame: Frame, value: Value): Value {
  if (value !== noneOptional) frame.charge(readCost);
  return value;
}

/** Plans a checked expression. @throws {PlanError} when a part that needs no data fails */
export function plan(checked: Checked, structs: readonly StructProvider[]): Plan {
  return new Planner(checked, structs).run();
}

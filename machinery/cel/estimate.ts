/**
 * Bounds the cost of an expression before there is data, from the sizes that declarations allow.
 * Source: cel-go checker/cost.go; k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel/compilation.go (sizeEstimator)
 */
import { type Call, type Expr, type Fold, type LiteralValue, type Select } from "./ast.ts";
import type { Checked, ResolvedCall } from "./checker.ts";
import {
  type CallEstimate,
  type CallSite,
  listCost,
  mapCost,
  type Range,
  ranges,
  readCost,
  structCost,
} from "./cost.ts";
import type { Declaration } from "./declaration.ts";
import type { Overload } from "./library.ts";
import { unusedVariable } from "./macros.ts";
import { countCodePoints } from "./source.ts";
import { type CelType, dynType } from "./types.ts";
import { optionalElement } from "./unify.ts";

/** Sizes of what a list or map holds. */
interface EntrySizes {
  readonly container: "list" | "map";
  readonly key: Range;
  readonly value: Range;
}

/** What is known of a loop's or binding's variable. */
interface Local {
  readonly path: readonly string[];
  readonly size: Range | undefined;
  readonly entries: EntrySizes | undefined;
}

const zero = ranges.exactly(0);
const one = ranges.exactly(1);
const nothingYet: Range = { min: Number.MAX_VALUE, max: 0 };

const scalars: ReadonlySet<string> = new Set(["bool", "double", "duration", "int", "timestamp", "uint"]);

function isScalar(type: CelType): boolean {
  const inner = optionalElement(type);
  return inner === undefined ? scalars.has(type.kind) : isScalar(inner);
}

function literalSize(value: LiteralValue): Range {
  if (typeof value === "string") return ranges.exactly(countCodePoints(value));
  return ranges.exactly(value instanceof Uint8Array ? value.length : 1);
}

class Estimator {
  readonly #checked: Checked;
  readonly #variables: Readonly<Record<string, Declaration>>;
  /** The way from a variable to what an expression reads: names of fields, @items, @keys, @values. */
  readonly #paths = new Map<Expr, readonly string[]>();
  readonly #sizes = new Map<Expr, Range>();
  readonly #entries = new Map<Expr, EntrySizes>();
  readonly #locals: { readonly name: string; readonly local: Local }[] = [];

  constructor(checked: Checked, variables: Readonly<Record<string, Declaration>>) {
    this.#checked = checked;
    this.#variables = variables;
  }

  cost(expr: Expr): Range {
    switch (expr.kind) {
      case "literal":
        return zero;
      case "ident":
        this.#paths.set(expr, this.#local(expr.name)?.path ?? [expr.name]);
        return ranges.exactly(readCost);
      case "select":
        return this.#select(expr);
      case "call":
        return this.#call(expr);
      case "list":
        return this.#list(expr);
      case "map":
        return this.#map(expr);
      case "struct":
        return expr.fields.reduce((sum, field) => ranges.add(sum, this.cost(field.value)), ranges.exactly(structCost));
      case "fold":
        return expr.iterVar === unusedVariable ? this.#bind(expr) : this.#fold(expr);
    }
  }

  // ---- sizes

  #local(name: string): Local | undefined {
    return this.#locals.findLast((entry) => entry.name === name)?.local;
  }

  #path(expr: Expr): readonly string[] {
    if (expr.kind === "ident") {
      const local = this.#local(expr.name);
      if (local !== undefined) return local.path;
    }
    return this.#paths.get(expr) ?? [];
  }

  #declaredSize(path: readonly string[]): Range | undefined {
    const [first, ...steps] = path;
    if (first === undefined) return undefined;
    // A path that starts at no variable is read from self, as upstream reads it.
    let at: Declaration | undefined = this.#variables[first] ?? this.#variables["self"];
    for (const step of steps) {
      if (at === undefined) return undefined;
      if (step === "@items" || step === "@values") at = at.element;
      else if (step === "@keys") at = at.key;
      else at = at.fields?.get(step);
    }
    return at === undefined || at.unsized === true ? undefined : { min: 0, max: at.maxElements };
  }

  #size(expr: Expr): Range | undefined {
    const known = this.#sizes.get(expr) ?? this.#literalSize(expr);
    if (known !== undefined) return known;
    const declared = this.#declaredSize(this.#path(expr));
    if (declared !== undefined) {
      this.#sizes.set(expr, declared);
      return declared;
    }
    if (isScalar(this.#checked.typeOf(expr))) return one;
    return expr.kind === "ident" ? this.#local(expr.name)?.size : undefined;
  }

  #literalSize(expr: Expr): Range | undefined {
    switch (expr.kind) {
      case "literal":
        return literalSize(expr.value);
      case "list":
        return ranges.exactly(expr.elements.length);
      case "map":
        return ranges.exactly(expr.entries.length);
      default:
        return undefined;
    }
  }

  #sizeOrUnknown(expr: Expr): Range {
    return this.#size(expr) ?? ranges.unknown;
  }

  #setSize(expr: Expr, size: Range | undefined): void {
    if (size !== undefined) this.#sizes.set(expr, size);
  }

  #entrySizes(expr: Expr): EntrySizes | undefined {
    const known = this.#entries.get(expr);
    if (known !== undefined) return known;
    return expr.kind === "ident" ? this.#local(expr.name)?.entries : undefined;
  }

  #setEntries(expr: Expr, entries: EntrySizes | undefined): void {
    if (entries !== undefined) this.#entries.set(expr, entries);
  }

  // ---- reading and building

  #select(expr: Select): Range {
    const reference = this.#checked.references.get(expr);
    if (reference !== undefined) {
      this.#paths.set(expr, [reference.kind === "type" ? "" : reference.name]);
      return ranges.exactly(readCost);
    }
    const operand = this.cost(expr.operand);
    // A presence test is free.
    if (expr.testOnly) return operand;
    this.#paths.set(expr, [...this.#path(expr.operand), expr.field]);
    const kind = this.#checked.typeOf(expr.operand).kind;
    return kind === "map" || kind === "object" || kind === "param" ? ranges.add(operand, one) : operand;
  }

  #list(expr: Expr & { kind: "list" }): Range {
    let sum = ranges.exactly(listCost);
    let item = expr.elements.length === 0 ? zero : nothingYet;
    for (const element of expr.elements) {
      sum = ranges.add(sum, this.cost(element.value));
      item = ranges.union(item, this.#sizeOrUnknown(element.value));
    }
    this.#entries.set(expr, { container: "list", key: one, value: item });
    return sum;
  }

  #map(expr: Expr & { kind: "map" }): Range {
    let sum = ranges.exactly(mapCost);
    let key = expr.entries.length === 0 ? zero : nothingYet;
    let value = key;
    for (const entry of expr.entries) {
      sum = ranges.add(ranges.add(sum, this.cost(entry.key)), this.cost(entry.value));
      key = ranges.union(key, this.#sizeOrUnknown(entry.key));
      value = ranges.union(value, this.#sizeOrUnknown(entry.value));
    }
    this.#entries.set(expr, { container: "map", key, value });
    return sum;
  }

  // ---- loops

  #withLocals<T>(locals: readonly { name: string; local: Local }[], work: () => T): T {
    this.#locals.push(...locals);
    const result = work();
    this.#locals.length -= locals.length;
    return result;
  }

  #bound(name: string, value: Expr): { name: string; local: Local } {
    const local = { path: this.#path(value), size: this.#size(value), entries: this.#entrySizes(value) };
    return { name, local };
  }

  #bind(expr: Fold): Range {
    const start = ranges.add(this.cost(expr.range), this.cost(expr.accuInit));
    const result = this.#withLocals([this.#bound(expr.accuVar, expr.accuInit)], () => {
      const cost = this.cost(expr.result);
      this.#setSize(expr, this.#size(expr.result));
      this.#setEntries(expr, this.#entrySizes(expr.result));
      return cost;
    });
    return ranges.add(start, result);
  }

  #fold(expr: Fold): Range {
    const start = ranges.add(this.cost(expr.range), this.cost(expr.accuInit));
    const total = this.#withLocals([this.#bound(expr.accuVar, expr.accuInit)], () => {
      const each = this.#withLocals(this.#loopVariables(expr), () =>
        ranges.add(this.cost(expr.condition), this.cost(expr.step)),
      );
      return { each, result: this.cost(expr.result) };
    });
    const count = this.#sizeOrUnknown(expr.range);
    this.#setResultSize(expr, count);
    return ranges.add(ranges.add(start, total.result), ranges.multiply(count, total.each));
  }

  #setResultSize(expr: Fold, count: Range): void {
    if (expr.accuInit.kind === "literal") this.#setSize(expr, this.#size(expr.accuInit));
    if (expr.accuInit.kind !== "list" && expr.accuInit.kind !== "map") return;
    this.#setSize(expr, count);
    this.#setEntries(expr, this.#entrySizes(expr.step));
  }

  #loopVariables(expr: Fold): { name: string; local: Local }[] {
    const entries = this.#entrySizes(expr.range);
    const isList = (entries?.container ?? this.#checked.typeOf(expr.range).kind) === "list";
    const path = this.#path(expr.range);
    const value = { path: [...path, isList ? "@items" : "@values"], size: entries?.value, entries: undefined };
    const key = { path: [...path, isList ? "@indices" : "@keys"], size: entries?.key, entries: undefined };
    if (expr.iterVar2 === undefined) return [{ name: expr.iterVar, local: isList ? value : key }];
    return [
      { name: expr.iterVar, local: key },
      { name: expr.iterVar2, local: value },
    ];
  }

  // ---- calls

  #call(expr: Call): Range {
    const call = this.#checked.calls.get(expr);
    if (call === undefined) return zero;
    const costs = call.args.map((arg) => this.cost(arg));
    if (expr.name === "_&&_" || expr.name === "_||_") return shortCircuit(costs);
    if (call.name === "dyn") return this.#dynCall(expr, call.args[0] as Expr, costs[0] ?? zero);
    if (call.name === "_?_:_") return this.#conditional(expr, call.args, costs);
    if (call.name === "_+_") this.#setJoinedEntries(expr, call.args);
    const sum = costs.reduce(ranges.add, zero);
    return ranges.add(sum, this.#overloads(expr, call));
  }

  /** What the function adds to the cost of its arguments: a range over all overloads that can apply. */
  #overloads(expr: Call, call: ResolvedCall): Range {
    const site = this.#site(call.args, call.member);
    let cost: Range | undefined;
    let size: Range | undefined;
    for (const overload of call.overloads) {
      const estimate: CallEstimate = overload.cost?.estimate(site) ?? { cost: one };
      cost = cost === undefined ? estimate.cost : ranges.union(cost, estimate.cost);
      const offered = size === undefined ? estimate.size : ranges.union(size, estimate.size ?? size);
      size = this.#indexed(expr, overload, call.args) ?? offered ?? this.#size(expr);
    }
    this.#setSize(expr, size);
    return cost ?? zero;
  }

  /** Follows the path through an index; the size of what a literal list or map holds, if it is one. */
  #indexed(expr: Call, overload: Overload, args: readonly Expr[]): Range | undefined {
    const container = args[0];
    const step = { index_list: "@items", index_map: "@values" }[overload.id];
    if (container === undefined || step === undefined) return undefined;
    this.#paths.set(expr, [...this.#path(container), step]);
    return this.#entrySizes(container)?.value;
  }

  #dynCall(expr: Call, arg: Expr, cost: Range): Range {
    this.#setSize(expr, this.#size(arg));
    this.#setEntries(expr, this.#entrySizes(arg));
    return ranges.add(one, cost);
  }

  #conditional(expr: Call, args: readonly Expr[], costs: readonly Range[]): Range {
    const [, yes, no] = args as readonly [Expr, Expr, Expr];
    const [condition = zero, yesCost = zero, noCost = zero] = costs;
    this.#setEntries(expr, joinEntries(this.#entrySizes(yes), this.#entrySizes(no)));
    this.#setSize(expr, ranges.union(this.#sizeOrUnknown(yes), this.#sizeOrUnknown(no)));
    return ranges.add(condition, ranges.union(yesCost, noCost));
  }

  #setJoinedEntries(expr: Call, args: readonly Expr[]): void {
    const [left, right] = args as readonly [Expr, Expr];
    this.#setEntries(expr, joinEntries(this.#entrySizes(left), this.#entrySizes(right)));
  }

  #site(args: readonly Expr[], member: boolean): CallSite {
    const at = (index: number): Expr => args[index] as Expr;
    return {
      count: args.length,
      member,
      size: (index) => (index < args.length ? this.#sizeOrUnknown(at(index)) : ranges.unknown),
      elementSize: (index) => {
        const path = this.#path(at(index));
        return (path.length === 0 ? undefined : this.#declaredSize([...path, "@items"])) ?? ranges.unknown;
      },
      type: (index) => (index < args.length ? this.#checked.typeOf(at(index)) : dynType),
      literal: (index) => {
        const arg = args[index];
        return arg?.kind === "literal" ? arg.value : undefined;
      },
    };
  }
}

/** Evaluation may stop after the first operand. */
function shortCircuit(costs: readonly Range[]): Range {
  return { min: costs[0]?.min ?? 0, max: costs.reduce(ranges.add, zero).max };
}

function joinEntries(a: EntrySizes | undefined, b: EntrySizes | undefined): EntrySizes | undefined {
  if (a === undefined || b === undefined) return undefined;
  return { container: a.container, key: ranges.union(a.key, b.key), value: ranges.union(a.value, b.value) };
}

/** Least and most that evaluating a checked expression can cost. */
export function estimateCost(checked: Checked, variables: Readonly<Record<string, Declaration>>): Range {
  return new Estimator(checked, variables).cost(checked.expr);
}

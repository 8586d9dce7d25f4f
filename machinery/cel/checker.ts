/**
 * Gives every part of an expression a type, and every name and call its meaning.
 * Source: cel-go checker/checker.go (rules and words of errors)
 */
import type { Call, Expr, Fold, Ident, ListExpr, MapExpr, Select, StructExpr } from "./ast.ts";
import type { Functions, Overload, StructProvider } from "./library.ts";
import type { Issues } from "./source.ts";
import {
  boolType,
  bytesType,
  type CelType,
  doubleType,
  dynType,
  errorType,
  intType,
  listOf,
  mapOf,
  nullType,
  optionalOf,
  spellType,
  stringType,
  typeOf,
  uintType,
} from "./types.ts";
import { mostGeneral, optionalElement, sameType, Substitutions } from "./unify.ts";
import { Uint } from "./values.ts";

/** What names mean to the checker. */
export interface Scope {
  readonly variables: ReadonlyMap<string, CelType>;
  readonly functions: ReadonlyMap<string, Functions[string]>;
  /** Types by name. */
  readonly types: ReadonlyMap<string, CelType>;
  readonly structs: readonly StructProvider[];
}

/** What an identifier, or a qualified name, stands for. */
export type Reference =
  | { readonly kind: "variable"; readonly name: string }
  | { readonly kind: "local"; readonly name: string }
  | { readonly kind: "type"; readonly type: CelType };

/** The function a call calls, with the overloads that can apply; `args` has the receiver first. */
export interface ResolvedCall {
  readonly name: string;
  readonly overloads: readonly Overload[];
  /** All overloads of the function, whether they can apply or not. */
  readonly all: readonly Overload[];
  readonly args: readonly Expr[];
  readonly member: boolean;
}

/** A checked expression. */
export interface Checked {
  readonly expr: Expr;
  readonly typeOf: (expr: Expr) => CelType;
  readonly references: ReadonlyMap<Expr, Reference>;
  readonly calls: ReadonlyMap<Expr, ResolvedCall>;
}

const logical: ReadonlySet<string> = new Set(["_&&_", "_||_"]);

class Checker {
  readonly #scope: Scope;
  readonly #issues: Issues;
  readonly #found = new Substitutions();
  readonly #types = new Map<Expr, CelType>();
  readonly #references = new Map<Expr, Reference>();
  readonly #calls = new Map<Expr, ResolvedCall>();
  /** Variables of loops and bindings, the innermost last. */
  readonly #locals: { readonly name: string; readonly type: CelType }[] = [];

  constructor(scope: Scope, issues: Issues) {
    this.#scope = scope;
    this.#issues = issues;
  }

  run(expr: Expr): Checked {
    this.#check(expr);
    const closed = new Map<Expr, CelType>();
    for (const [part, type] of this.#types) closed.set(part, this.#found.apply(type, true));
    return {
      expr,
      typeOf: (part) => closed.get(part) ?? dynType,
      references: this.#references,
      calls: this.#calls,
    };
  }

  #check(expr: Expr): CelType {
    const type = this.#typeOf(expr);
    this.#types.set(expr, type);
    return type;
  }

  #typeOf(expr: Expr): CelType {
    switch (expr.kind) {
      case "literal":
        return literalType(expr.value);
      case "ident":
        return this.#ident(expr);
      case "select":
        return this.#select(expr);
      case "call":
        return this.#call(expr);
      case "list":
        return this.#list(expr);
      case "map":
        return this.#map(expr);
      case "struct":
        return this.#struct(expr);
      case "fold":
        return this.#fold(expr);
    }
  }

  #undeclared(offset: number, name: string): CelType {
    this.#issues.add(offset, `undeclared reference to '${name}' (in container '')`);
    return errorType;
  }

  #mismatch(expr: Expr, expected: CelType, found: CelType): void {
    this.#issues.add(expr.offset, `expected type '${spellType(expected)}' but found '${spellType(found)}'`);
  }

  // ---- names

  #ident(expr: Ident): CelType {
    return this.#resolve(expr, expr.name) ?? this.#undeclared(expr.offset, expr.name);
  }

  #resolve(expr: Expr, name: string): CelType | undefined {
    const local = this.#locals.findLast((variable) => variable.name === name);
    if (local !== undefined) {
      this.#references.set(expr, { kind: "local", name });
      return local.type;
    }
    return this.#resolveDeclared(expr, name.startsWith(".") ? name.slice(1) : name);
  }

  #resolveDeclared(expr: Expr, name: string): CelType | undefined {
    const variable = this.#scope.variables.get(name);
    if (variable !== undefined) {
      this.#references.set(expr, { kind: "variable", name });
      return variable;
    }
    const type = this.#scope.types.get(name);
    if (type === undefined) return undefined;
    this.#references.set(expr, { kind: "type", type });
    return typeOf(type);
  }

  #select(expr: Select): CelType {
    const qualified = expr.testOnly ? undefined : qualifiedName(expr);
    const root = qualified?.split(".", 1)[0];
    if (qualified !== undefined && !this.#locals.some((variable) => variable.name === root)) {
      const type = this.#resolveDeclared(expr, qualified.startsWith(".") ? qualified.slice(1) : qualified);
      if (type !== undefined) return type;
    }
    const type = this.#field(expr, expr.operand, { name: expr.field, optional: false });
    return expr.testOnly ? boolType : type;
  }

  #field(expr: Expr, operand: Expr, field: { name: string; optional: boolean }): CelType {
    const operandType = this.#found.apply(this.#check(operand));
    const inner = optionalElement(operandType);
    const type = this.#fieldType(expr, inner ?? operandType, field.name);
    return this.#found.apply(inner !== undefined || field.optional ? optionalOf(type) : type);
  }

  #fieldType(expr: Expr, target: CelType, field: string): CelType {
    switch (target.kind) {
      case "map":
        return target.value;
      case "object":
        return this.#objectField(expr.offset, target, field);
      case "param":
        // Whatever it turns out to be, its fields are not known: it is dyn from here on.
        this.#found.assign(dynType, target);
        return dynType;
      case "dyn":
      case "error":
        return dynType;
      default:
        this.#issues.add(expr.offset, `type '${spellType(target)}' does not support field selection`);
        return dynType;
    }
  }

  #objectField(offset: number, type: CelType & { kind: "object" }, field: string): CelType {
    const declared = type.fields.get(field)?.type ?? this.#structField(type.name, field);
    if (declared === undefined) this.#issues.add(offset, `undefined field '${field}'`);
    return declared ?? errorType;
  }

  #structField(type: string, field: string): CelType | undefined {
    for (const provider of this.#scope.structs) {
      const found = provider.field(type, field);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  // ---- calls

  #call(expr: Call): CelType {
    if (expr.name === "_?._") return this.#optionalSelect(expr);
    for (const arg of expr.args) this.#check(arg);
    if (expr.target === undefined) return this.#functionCall(expr, expr.name.replace(/^\./, ""));
    const prefix = qualifiedName(expr.target);
    const qualified = prefix === undefined ? undefined : `${prefix}.${expr.name}`.replace(/^\./, "");
    if (qualified !== undefined && this.#scope.functions.has(qualified)) return this.#functionCall(expr, qualified);
    this.#check(expr.target);
    const overloads = this.#scope.functions.get(expr.name);
    if (overloads === undefined) return this.#undeclared(expr.offset, expr.name);
    return this.#resolveOverload(expr, { name: expr.name, args: [expr.target, ...expr.args], member: true });
  }

  #functionCall(expr: Call, name: string): CelType {
    if (!this.#scope.functions.has(name)) return this.#undeclared(expr.offset, expr.name);
    return this.#resolveOverload(expr, { name, args: expr.args, member: false });
  }

  #optionalSelect(expr: Call): CelType {
    const [operand, field] = expr.args;
    if (operand === undefined || field?.kind !== "literal" || typeof field.value !== "string") return errorType;
    const overloads = this.#scope.functions.get("_?._") ?? [];
    this.#calls.set(expr, { name: "_?._", overloads, all: overloads, args: expr.args, member: false });
    this.#types.set(field, stringType);
    return this.#field(expr, operand, { name: field.value, optional: true });
  }

  #resolveOverload(expr: Call, call: Omit<ResolvedCall, "overloads" | "all">): CelType {
    const all = this.#scope.functions.get(call.name) ?? [];
    const types = call.args.map((arg) => this.#types.get(arg) ?? dynType);
    if (logical.has(call.name)) return this.#logicalCall(expr, { ...call, overloads: all, all });
    const matching: Overload[] = [];
    let result: CelType | undefined;
    for (const overload of all) {
      if (overload.member !== call.member) continue;
      const offered = this.#tryOverload(overload, types);
      if (offered === undefined) continue;
      matching.push(overload);
      if (result === undefined) result = offered;
      else if (result.kind !== "dyn" && !sameType(result, offered)) result = dynType;
    }
    if (result === undefined) return this.#noOverload(expr, call, types);
    this.#calls.set(expr, { ...call, overloads: matching, all });
    return result;
  }

  /** The result type when the arguments fit, undefined when they do not. */
  #tryOverload(overload: Overload, types: readonly CelType[]): CelType | undefined {
    if (overload.parameters.length !== types.length) return undefined;
    const fresh = new Map<string, CelType>();
    const parameters = overload.parameters.map((type) => this.#instantiate(type, fresh));
    const result = this.#instantiate(overload.result, fresh);
    return this.#found.assignAll(types, parameters) ? this.#found.apply(result) : undefined;
  }

  /** A copy of the type with type variables of its own. */
  #instantiate(type: CelType, fresh: Map<string, CelType>): CelType {
    switch (type.kind) {
      case "param": {
        const variable = fresh.get(type.name) ?? this.#found.freshVariable();
        fresh.set(type.name, variable);
        return variable;
      }
      case "list":
        return listOf(this.#instantiate(type.element, fresh));
      case "map":
        return mapOf(this.#instantiate(type.key, fresh), this.#instantiate(type.value, fresh));
      case "opaque":
        return { ...type, parameters: type.parameters.map((part) => this.#instantiate(part, fresh)) };
      case "type":
        return type.of === undefined ? type : typeOf(this.#instantiate(type.of, fresh));
      default:
        return type;
    }
  }

  #logicalCall(expr: Call, call: ResolvedCall): CelType {
    let failed = false;
    for (const arg of call.args) {
      const type = this.#types.get(arg) ?? dynType;
      if (this.#found.assign(type, boolType)) continue;
      this.#mismatch(arg, boolType, type);
      failed = true;
    }
    this.#calls.set(expr, call);
    return failed ? errorType : boolType;
  }

  #noOverload(expr: Call, call: Omit<ResolvedCall, "overloads" | "all">, types: readonly CelType[]): CelType {
    const shown = types.map((type) => spellType(this.#found.apply(type, true)));
    const receiver = call.member ? `${shown.shift() ?? ""}.` : "";
    this.#issues.add(
      expr.offset,
      `found no matching overload for '${call.name}' applied to '${receiver}(${shown.join(", ")})'`,
    );
    return errorType;
  }

  // ---- literals with parts

  /** The type of all parts so far; dyn when they differ. Whether they may differ is for validateLiterals to say. */
  #join(before: CelType | undefined, type: CelType): CelType {
    if (before === undefined) return type;
    return this.#found.assign(before, type) ? mostGeneral(before, type) : dynType;
  }

  /** The type of a part; when it is given as `?part`, the type inside its optional. */
  #part(value: Expr, optional: boolean): CelType {
    const type = this.#check(value);
    if (!optional) return type;
    const inner = optionalElement(type);
    if (inner === undefined && type.kind !== "dyn") this.#mismatch(value, optionalOf(type), type);
    return inner ?? type;
  }

  #list(expr: ListExpr): CelType {
    let element: CelType | undefined;
    for (const { value, optional } of expr.elements) {
      element = this.#join(element, this.#part(value, optional));
    }
    return listOf(element ?? this.#found.freshVariable());
  }

  #map(expr: MapExpr): CelType {
    let key: CelType | undefined;
    let value: CelType | undefined;
    for (const entry of expr.entries) {
      key = this.#join(key, this.#check(entry.key));
      value = this.#join(value, this.#part(entry.value, entry.optional));
    }
    return mapOf(key ?? this.#found.freshVariable(), value ?? this.#found.freshVariable());
  }

  #struct(expr: StructExpr): CelType {
    const name = expr.type.replace(/^\./, "");
    const type = this.#structType(name);
    if (type === undefined) return this.#undeclared(expr.offset, expr.type);
    if (type.kind !== "object") {
      this.#issues.add(expr.offset, `'${spellType(type)}' is not a message type`);
    }
    for (const field of expr.fields) {
      const given = this.#part(field.value, field.optional);
      if (type.kind !== "object") continue;
      const wanted = this.#objectField(field.offset, type, field.name);
      if (this.#found.assign(wanted, given)) continue;
      this.#issues.add(
        field.offset,
        `expected type of field '${field.name}' is '${spellType(wanted)}' but provided type is '${spellType(given)}'`,
      );
    }
    return type.kind === "object" ? type : errorType;
  }

  #structType(name: string): CelType | undefined {
    for (const provider of this.#scope.structs) {
      const found = provider.find(name);
      if (found !== undefined) return found;
    }
    return this.#scope.types.get(name);
  }

  // ---- loops

  #fold(expr: Fold): CelType {
    const range = this.#found.apply(this.#check(expr.range));
    const accu = this.#check(expr.accuInit);
    const outside = this.#locals.length;
    this.#locals.push({ name: expr.accuVar, type: accu });
    const [first, second] = this.#loopVariables(expr, range);
    this.#locals.push({ name: expr.iterVar, type: first });
    if (expr.iterVar2 !== undefined) this.#locals.push({ name: expr.iterVar2, type: second });
    this.#assert(expr.condition, boolType);
    this.#assert(expr.step, accu);
    this.#locals.length = outside + 1;
    const result = this.#check(expr.result);
    this.#locals.length = outside;
    return this.#found.apply(result);
  }

  #assert(expr: Expr, wanted: CelType): void {
    const type = this.#check(expr);
    if (!this.#found.assign(wanted, type)) this.#mismatch(expr, wanted, type);
  }

  /** Types of the loop's variables: element; or index and element, key and value. */
  #loopVariables(expr: Fold, range: CelType): readonly [CelType, CelType] {
    const two = expr.iterVar2 !== undefined;
    switch (range.kind) {
      case "list":
        return two ? [intType, range.element] : [range.element, errorType];
      case "map":
        return [range.key, range.value];
      case "dyn":
      case "error":
      case "param":
        this.#found.assign(dynType, range);
        return [dynType, dynType];
      default:
        this.#issues.add(
          expr.range.offset,
          `expression of type '${spellType(range)}' cannot be range of a comprehension (must be list, map, or dynamic)`,
        );
        return [errorType, errorType];
    }
  }
}

function literalType(value: unknown): CelType {
  if (value === null) return nullType;
  if (value instanceof Uint) return uintType;
  if (value instanceof Uint8Array) return bytesType;
  switch (typeof value) {
    case "boolean":
      return boolType;
    case "bigint":
      return intType;
    case "number":
      return doubleType;
    default:
      return stringType;
  }
}

/** `a.b.c` of nested selections from an identifier; undefined for anything else. */
function qualifiedName(expr: Expr): string | undefined {
  const names: string[] = [];
  let part = expr;
  while (part.kind === "select" && !part.testOnly) {
    names.push(part.field);
    part = part.operand;
  }
  if (part.kind !== "ident") return undefined;
  names.push(part.name);
  return names.reverse().join(".");
}

/** Checks an expression; errors are added to `issues`. */
export function check(expr: Expr, scope: Scope, issues: Issues): Checked {
  return new Checker(scope, issues).run(expr);
}

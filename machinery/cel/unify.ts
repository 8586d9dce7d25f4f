/**
 * Which types fit which, with type parameters being found on the way.
 * Source: cel-go checker/types.go (isAssignable and its rules for dyn and null)
 */
import { type CelType, dynType, listOf, mapOf, typeOf } from "./types.ts";

const isDyn = (type: CelType): boolean => type.kind === "dyn";
const isDynOrError = (type: CelType): boolean => type.kind === "dyn" || type.kind === "error";

/** The types that a type is made of. */
function parametersOf(type: CelType): readonly CelType[] {
  switch (type.kind) {
    case "list":
      return [type.element];
    case "map":
      return [type.key, type.value];
    case "opaque":
      return type.parameters;
    case "type":
      return type.of === undefined ? [] : [type.of];
    default:
      return [];
  }
}

const nameOf = (type: CelType): string => ("name" in type ? type.name : type.kind);

/** Whether two types are the same, parameters included. */
export function sameType(a: CelType, b: CelType): boolean {
  if (a === b) return true;
  if (a.kind !== b.kind || nameOf(a) !== nameOf(b)) return false;
  const parameters = parametersOf(a);
  const others = parametersOf(b);
  return (
    parameters.length === others.length && parameters.every((type, index) => sameType(type, others[index] ?? dynType))
  );
}

/** The type inside optional_type(T); undefined when it is none. */
export function optionalElement(type: CelType): CelType | undefined {
  return type.kind === "opaque" && type.name === "optional_type" ? type.parameters[0] : undefined;
}

const nullableKinds: ReadonlySet<string> = new Set(["opaque", "object", "timestamp", "duration", "null_type"]);

/** Whether `a` is `b`, or says less with dyn or a type parameter. */
function isSameOrVaguer(a: CelType, b: CelType): boolean {
  if (isDyn(a) || a.kind === "param") return true;
  if (isDyn(b) || b.kind === "param" || a.kind !== b.kind) return false;
  if (a.kind === "type") return true;
  if (nameOf(a) !== nameOf(b)) return false;
  const others = parametersOf(b);
  return parametersOf(a).every((type, index) => isSameOrVaguer(type, others[index] ?? dynType));
}

/** The vaguer of two types that fit each other. */
export const mostGeneral = (a: CelType, b: CelType): CelType => (isSameOrVaguer(a, b) ? a : b);

/** What type parameters stand for, as found so far. */
export class Substitutions {
  readonly #found = new Map<string, CelType>();
  // What was there before each change of the current attempt, to take it back.
  #undo: { readonly name: string; readonly before: CelType | undefined }[] = [];
  #fresh = 0;

  /** A type parameter that nothing is known about. */
  freshVariable(): CelType {
    return { kind: "param", name: `_var${this.#fresh++}` };
  }

  /** Whether `a` fits `b`. When it does, what that says of type parameters is kept; when not, nothing is. */
  assign(a: CelType, b: CelType): boolean {
    return this.assignAll([a], [b]);
  }

  /** Whether each of `from` fits its partner. */
  assignAll(from: readonly CelType[], to: readonly CelType[]): boolean {
    this.#undo = [];
    const fits = this.#fitsAll(from, to);
    if (!fits) {
      for (const { name, before } of this.#undo.toReversed()) {
        if (before === undefined) this.#found.delete(name);
        else this.#found.set(name, before);
      }
    }
    return fits;
  }

  /** The type with parameters replaced by what they stand for; unknown ones stay, or become dyn when `close` is set. */
  apply(type: CelType, close = false): CelType {
    if (type.kind === "param") {
      const found = this.#found.get(type.name);
      if (found !== undefined) return this.apply(found, close);
      return close ? dynType : type;
    }
    switch (type.kind) {
      case "list":
        return listOf(this.apply(type.element, close));
      case "map":
        return mapOf(this.apply(type.key, close), this.apply(type.value, close));
      case "opaque":
        if (type.parameters.length === 0) return type;
        return { ...type, parameters: type.parameters.map((parameter) => this.apply(parameter, close)) };
      case "type":
        return type.of === undefined ? type : typeOf(this.apply(type.of, close));
      default:
        return type;
    }
  }

  #set(name: string, type: CelType): void {
    this.#undo.push({ name, before: this.#found.get(name) });
    this.#found.set(name, type);
  }

  #fitsAll(from: readonly CelType[], to: readonly CelType[]): boolean {
    return from.length === to.length && from.every((type, index) => this.#fits(type, to[index] as CelType));
  }

  #fits(a: CelType, b: CelType): boolean {
    if (b.kind === "param") {
      const known = this.#found.has(b.name);
      if (this.#bind(b, a)) return true;
      if (known) return false;
    }
    if (a.kind === "param") return this.#bind(a, b);
    if (isDynOrError(a) || isDynOrError(b)) return true;
    if (a.kind === "null_type") return nullableKinds.has(b.kind);
    if (b.kind === "null_type") return nullableKinds.has(a.kind);
    if (a.kind !== b.kind) return false;
    if (a.kind === "type") return true;
    return nameOf(a) === nameOf(b) && this.#fitsAll(parametersOf(a), parametersOf(b));
  }

  /** Lets the parameter stand for `type`, if that agrees with what it stands for already. */
  #bind(parameter: CelType & { kind: "param" }, type: CelType): boolean {
    if (sameType(parameter, type)) return true;
    const found = this.#found.get(parameter.name);
    if (found === undefined) {
      if (this.#occurs(parameter.name, type)) return false;
      this.#set(parameter.name, type);
      return true;
    }
    if (sameType(found, type)) return true;
    if (!this.#fits(type, found)) return false;
    const general = mostGeneral(type, found);
    if (!this.#occurs(parameter.name, general)) this.#set(parameter.name, general);
    return true;
  }

  /** Whether the parameter is part of the type: then they cannot be the same. */
  #occurs(name: string, type: CelType): boolean {
    if (type.kind === "param") {
      if (type.name === name) return true;
      const found = this.#found.get(type.name);
      return found !== undefined && this.#occurs(name, found);
    }
    return parametersOf(type).some((part) => this.#occurs(name, part));
  }
}

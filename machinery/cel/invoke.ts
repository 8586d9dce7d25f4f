/**
 * Calls of functions: which overload takes the arguments, what that costs, what is said when none does.
 * Source: cel-go interpreter/interpretable.go, common/decls (MaybeNoSuchOverload)
 */
import { noSuchOverload, type Step } from "./frame.ts";
import type { Overload } from "./library.ts";
import { isOfType, typeNameOf } from "./runtime-type.ts";
import { CelError, ListValue, type Value } from "./values.ts";

/** A call to plan. */
export interface Invocation {
  readonly parts: readonly Step[];
  /** Checking has settled which overload it is: arguments need no look. */
  readonly settled: boolean;
  readonly name: string;
}

/** Evaluates the arguments, then the overload that takes them. The first error among the arguments is the result. */
export function invoke(overloads: readonly Overload[], invocation: Invocation): Step {
  if (invocation.name === "@not_strictly_false") return notStrictlyFalse(invocation.parts[0] as Step);
  const { parts, settled, name } = invocation;
  const only = overloads[0];
  const ambiguous = overloads.length > 1;
  return (frame) => {
    const args: Value[] = [];
    let fault: CelError | undefined;
    for (const part of parts) {
      const value = part(frame);
      if (value instanceof CelError) fault ??= value;
      args.push(value);
    }
    if (fault !== undefined) {
      frame.charge(1);
      return fault;
    }
    const overload = settled ? only : overloads.find((candidate) => takes(candidate, args));
    if (overload === undefined) return noOverload(name, args);
    const { cost } = overload;
    if (cost === undefined || (ambiguous && cost.settledOnly === true)) frame.charge(1);
    else if (cost.byResult !== true) frame.charge(cost.run(args, null, frame));
    const result = overload.evaluate(args, frame);
    if (cost?.byResult === true) frame.charge(cost.run(args, result, frame));
    return result;
  };
}

/** Functions that say no more than that there is no overload. */
const terse: ReadonlySet<string> = new Set(["contains", "startsWith", "endsWith", "matches"]);

/** Types that an operator knows on its left. With any other the error names the operator. */
const operands: Readonly<Record<string, string>> = {
  "_+_": "bytes double google.protobuf.Duration int list string google.protobuf.Timestamp uint",
  "_-_": "double google.protobuf.Duration int google.protobuf.Timestamp uint",
  "_*_": "double int uint",
  "_/_": "double int uint",
  "_%_": "int uint",
  "-_": "double int",
  ...Object.fromEntries(
    ["_<_", "_<=_", "_>_", "_>=_"].map((name) => [
      name,
      "bool bytes double google.protobuf.Duration int string google.protobuf.Timestamp uint",
    ]),
  ),
};

function noOverload(name: string, args: readonly Value[]): CelError {
  const known = operands[name]?.split(" ");
  if (known?.includes(typeNameOf(args[0] as Value)) === false) return new CelError(`no such overload: ${name}`);
  if (/^[_!@-]/.test(name) || terse.has(name)) return noSuchOverload();
  if (name === "size") return new CelError("no such overload: size");
  return new CelError(`no such overload: ${name}(${args.map(typeNameOf).join(", ")})`);
}

function takes(overload: Overload, args: readonly Value[]): boolean {
  if (overload.unguarded === true) return overload.parameters.length === args.length && args[0] instanceof ListValue;
  return overload.parameters.every((type, index) => isOfType(args[index] as Value, type));
}

/** Loops go on unless their condition is plainly false. */
function notStrictlyFalse(part: Step): Step {
  return (frame) => {
    const value = part(frame);
    frame.charge(1);
    return value !== false;
  };
}

/** && (`decides` false) and ||: the first term that decides wins, even over errors before it. */
export function conjunction(terms: readonly Step[], decides: boolean): Step {
  return (frame) => {
    let fault: CelError | undefined;
    for (const term of terms) {
      const value = term(frame);
      if (value === decides) return decides;
      if (value === !decides) continue;
      fault ??= value instanceof CelError ? value : noSuchOverload();
    }
    return fault ?? !decides;
  };
}

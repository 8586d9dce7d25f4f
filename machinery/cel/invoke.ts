/**
 * Calls of functions: which overload takes the arguments, what that costs, what is said when none does.
 * Source: cel-go interpreter/interpretable.go, common/decls (MaybeNoSuchOverload)
 */
import type { ResolvedCall } from "./checker.ts";
import { type Frame, noSuchOverload, type Step } from "./frame.ts";
import type { Overload } from "./library.ts";
import { testOf, typeNameOf } from "./runtime-type.ts";
import { CelError, ListValue, type Value } from "./values.ts";

/** An overload with the tests of its parameters. */
interface Candidate {
  readonly overload: Overload;
  readonly tests: readonly (((value: Value) => boolean) | undefined)[];
}

function candidateOf(overload: Overload): Candidate {
  const guarded = overload.unguarded !== true;
  const tests = guarded ? overload.parameters.map(testOf) : [(value: Value) => value instanceof ListValue];
  return { overload, tests };
}

/** Whether an overload takes arguments. What checking said is not enough: of untyped data it only guesses. */
function takes({ overload, tests }: Candidate, args: readonly Value[]): boolean {
  if (overload.parameters.length !== args.length) return false;
  for (let i = 0; i < tests.length; i++) {
    if (tests[i]?.(args[i] as Value) === false) return false;
  }
  return true;
}

const openFunctions = "bool bytes double duration int string timestamp uint sort".split(" ");

/** Functions that go by their arguments alone, whatever checking took them for. */
const isOpen = (name: string): boolean => /^[_!@-]/.test(name) || openFunctions.includes(name);

/** Evaluates the arguments, then the overload that takes them. The first error among the arguments is the result. */
export function invoke(call: ResolvedCall, parts: readonly Step[]): Step {
  if (call.name === "@not_strictly_false") return notStrictlyFalse(parts[0] as Step);
  const candidates = call.overloads.map(candidateOf);
  const others = isOpen(call.name) ? call.all.filter(({ member }) => member === call.member).map(candidateOf) : [];
  const ambiguous = candidates.length > 1;
  const find = (args: readonly Value[]): Overload | undefined => {
    for (const candidate of candidates) if (takes(candidate, args)) return candidate.overload;
    return others.find((other) => takes(other, args))?.overload;
  };
  return (frame) => {
    const args: Value[] = [];
    for (const part of parts) {
      const value = part(frame);
      args.push(value);
      if (!(value instanceof CelError)) continue;
      // An error ends the call, and costs as one only when nothing was left to evaluate.
      if (args.length === parts.length) frame.charge(1);
      return value;
    }
    const overload = find(args);
    if (overload !== undefined) return run(overload, { args, frame, ambiguous });
    frame.charge(1);
    return noOverload(call.name, args);
  };
}

interface Running {
  readonly args: readonly Value[];
  readonly frame: Frame;
  readonly ambiguous: boolean;
}

/** Pays for a call and makes it; what is priced by its result is paid for afterwards. */
function run(overload: Overload, { args, frame, ambiguous }: Running): Value {
  const { cost } = overload;
  if (cost === undefined || (ambiguous && cost.settledOnly === true)) {
    frame.charge(1);
    const [first] = args;
    if (first instanceof ListValue) frame.strain(first.size * Math.log2(first.size + 1));
    return overload.evaluate(args, frame);
  }
  if (cost.byResult !== true) {
    frame.charge(cost.run(args, null, frame));
    return overload.evaluate(args, frame);
  }
  const result = overload.evaluate(args, frame);
  frame.charge(cost.run(args, result, frame));
  return result;
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

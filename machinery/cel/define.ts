/** Short forms for declaring functions. */
import type { CallCost } from "./cost.ts";
import type { CallContext, Overload } from "./library.ts";
import { type CelType, listOf, mapOf, typeParam } from "./types.ts";
import type { Value } from "./values.ts";

/** Types of a function: what it takes, what it yields, what it costs (1 when absent). */
export interface Signature {
  readonly of: readonly CelType[];
  readonly to: CelType;
  readonly cost?: CallCost;
}

/** Computes a result; each argument fits its parameter. */
export type Evaluate = (args: readonly Value[], context: CallContext) => Value;

function overload(id: string, signature: Signature, rest: Pick<Overload, "member" | "evaluate">): Overload {
  const { of: parameters, to: result, cost } = signature;
  return cost === undefined ? { id, parameters, result, ...rest } : { id, parameters, result, cost, ...rest };
}

/** `name(…)` */
export const global = (id: string, signature: Signature, evaluate: Evaluate): Overload =>
  overload(id, signature, { member: false, evaluate });

/** `receiver.name(…)`; the receiver is the first of the arguments. */
export const method = (id: string, signature: Signature, evaluate: Evaluate): Overload =>
  overload(id, signature, { member: true, evaluate });

/** Type parameters of generic functions. */
export const paramA = typeParam("A");
export const paramB = typeParam("B");
export const listOfA = listOf(paramA);
export const mapOfAB = mapOf(paramA, paramB);

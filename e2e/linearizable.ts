/**
 * Whether a history of operations on one object could have happened one at a time: each at some moment between its call
 * and its answer, each answer right for the state it met. The search is Wing and Gong's, with Lowe's memory of states.
 * Source: Wing and Gong, Testing and Verifying Concurrent Objects (1993); Lowe, Testing for linearizability (2017)
 */

/** What was asked and answered. Values are never written twice, so a value names a version. */
export type Operation =
  | { readonly do: "create"; readonly value: string; readonly result: "ok" | "exists" }
  | {
      readonly do: "replace";
      readonly value: string;
      readonly expected?: string;
      readonly result: "ok" | "missing" | "conflict";
    }
  | { readonly do: "delete"; readonly result: "ok" | "missing" }
  | { readonly do: "read"; readonly result: string | undefined };

/** An operation with the moments of its call and answer, in any unit that only grows. */
export interface Event {
  readonly operation: Operation;
  readonly called: number;
  readonly answered: number;
}

type State = string | undefined;

/** The state after an operation, or "wrong" when its answer does not fit the state before. */
function step(operation: Operation, state: State): { readonly state: State } | "wrong" {
  switch (operation.do) {
    case "create":
      if (operation.result === "exists") return state === undefined ? "wrong" : { state };
      return state === undefined ? { state: operation.value } : "wrong";
    case "replace":
      return replaced(operation, state);
    case "delete":
      if (operation.result === "missing") return state === undefined ? { state } : "wrong";
      return state === undefined ? "wrong" : { state: undefined };
    case "read":
      return operation.result === state ? { state } : "wrong";
  }
}

function replaced(operation: Operation & { do: "replace" }, state: State): { readonly state: State } | "wrong" {
  const { result, expected, value } = operation;
  if (result === "missing") return state === undefined ? { state } : "wrong";
  if (state === undefined) return "wrong";
  const fits = expected === undefined || expected === state;
  if (result === "conflict") return fits ? "wrong" : { state };
  return fits ? { state: value } : "wrong";
}

/** @returns whether some order explains every answer */
export function isLinearizable(history: readonly Event[]): boolean {
  const events = [...history].sort((a, b) => a.called - b.called);
  const seen = new Set<string>();
  const done = new Uint8Array(events.length);
  const search = (left: number, state: State): boolean => {
    if (left === 0) return true;
    const memory = `${Buffer.from(done).toString("latin1")}|${state ?? ""}`;
    if (seen.has(memory)) return false;
    seen.add(memory);
    // Only what was called before the first answer among those left can be next.
    let bound = Number.POSITIVE_INFINITY;
    for (const [i, event] of events.entries()) if (done[i] === 0) bound = Math.min(bound, event.answered);
    for (const [i, { operation, called }] of events.entries()) {
      if (called > bound) break;
      if (done[i] === 1) continue;
      const next = step(operation, state);
      if (next === "wrong") continue;
      done[i] = 1;
      if (search(left - 1, next.state)) return true;
      done[i] = 0;
    }
    return false;
  };
  return search(events.length, undefined);
}

/**
 * Tries policies on what the cluster has, without applying anything: which objects would newly break them, break them still, or
 * no more, and into which something would be written. Source: docs/rfd/0039-trying-policies.md
 */
import { mostNamed, type Trial, type Tried, type Verdict } from "@atoll/api/fleet/trial";
import type { Client } from "@atoll/client/client";
import type { Resource } from "@atoll/client/resource";
import type { Clock } from "@atoll/machinery/clock";
import type { ApiObject } from "@atoll/machinery/object";
import { mutatorsOf } from "./mutations.ts";
import type { Resources } from "./resources.ts";
import { look, type Seen } from "./scan.ts";
import { type Judge, Judges } from "./violations.ts";

/** Where policies are tried. */
export interface Place {
  readonly client: Client;
  readonly resources: Resources;
  readonly clock: Clock;
}

/** What one policy says of an object: as it is, as it would be, and whether it would write into it. */
interface Opinion {
  readonly source: string;
  concerns(resource: Resource): boolean;
  of(seen: Seen): { readonly before?: boolean; readonly after?: boolean; readonly changes?: boolean };
}

/** Whatever the hub says. */
const longestMs = 30_000;

class TimeIsUp extends Error {
  override readonly name = "TimeIsUp";
}

/** Looks through the cluster for as long as it may. @param signal nobody waits any more @throws when it cannot list */
export async function tryPolicies({ clock, ...place }: Place, trial: Trial, signal: AbortSignal): Promise<Verdict> {
  const ending = new AbortController();
  const withinMs = Math.min(trial.withinMs, longestMs);
  const isLate = timeOf(clock, withinMs);
  const timer = clock.after(withinMs, () => ending.abort(new TimeIsUp()));
  const opinions = opinionsOf(trial);
  const counts = new Map(opinions.map(({ source }) => [source, new Count()]));
  let looked = 0;
  const see = (seen: Seen, concerned: readonly Opinion[]) => {
    looked += 1;
    for (const opinion of concerned) counts.get(opinion.source)?.add(seen, opinion.of(seen));
    // The timer waits until a page is through.
    if (isLate()) ending.abort(new TimeIsUp());
  };
  try {
    await look(place, opinions, { see, signal: AbortSignal.any([signal, ending.signal]) });
    return { tried: told(counts), looked, complete: true };
  } catch (error) {
    if (!(ending.signal.reason instanceof TimeIsUp)) throw error;
    return { tried: told(counts), looked, complete: false };
  } finally {
    timer.cancel();
  }
}

function timeOf(clock: Clock, withinMs: number): () => boolean {
  const endMs = clock.monotonicMs() + withinMs;
  return () => clock.monotonicMs() > endMs;
}

function told(counts: ReadonlyMap<string, Count>): readonly Tried[] {
  return [...counts].map(([policy, count]) => count.told(policy));
}

/** Each policy of the two states once. */
function opinionsOf({ before, after }: Trial): readonly Opinion[] {
  const judgesOf = (objects: Trial["before"]) =>
    new Map(new Judges().of([{ spec: { objects } }]).map((judge) => [judge.source, judge]));
  const [were, are] = [judgesOf(before), judgesOf(after)];
  const judging = [...new Set([...were.keys(), ...are.keys()])].map((source) => {
    return judgement(source, were.get(source), are.get(source));
  });
  const writing = mutatorsOf(after).map(({ source, concerns, changes }): Opinion => {
    return { source, concerns, of: ({ object, resource, home }) => ({ changes: changes(object, resource, home) }) };
  });
  return [...judging, ...writing];
}

function judgement(source: string, was: Judge | undefined, next: Judge | undefined): Opinion {
  const breaks = (judge: Judge | undefined, { object, resource, home }: Seen) =>
    judge?.concerns(resource) === true && judge.judge(object, resource, home)?.exceptions.length === 0;
  return {
    source,
    concerns: (resource) => was?.concerns(resource) === true || next?.concerns(resource) === true,
    of: (seen) => ({ before: breaks(was, seen), after: breaks(next, seen) }),
  };
}

/** Counts all of one policy, names the first. */
class Count {
  readonly #counts = { newly: 0, still: 0, mended: 0, changed: 0 };
  readonly #first: string[] = [];

  add(seen: Seen, { before = false, after = false, changes = false }: ReturnType<Opinion["of"]>): void {
    const isNew = after && !before;
    if (changes) this.#counts.changed += 1;
    if (isNew) this.#counts.newly += 1;
    else if (after) this.#counts.still += 1;
    else if (before) this.#counts.mended += 1;
    if ((changes || isNew) && this.#first.length < mostNamed) this.#first.push(nameOf(seen));
  }

  told(policy: string): Tried {
    return { policy, ...this.#counts, first: this.#first };
  }
}

function nameOf({ object: { metadata }, resource }: { object: ApiObject; resource: Resource }): string {
  const { namespace, name = "" } = metadata;
  return `${resource.kind} ${namespace === undefined ? name : `${namespace}/${name}`}`;
}

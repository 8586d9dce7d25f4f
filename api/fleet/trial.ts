/**
 * Trying policies on a cluster before they are applied: what the gateway asks an agent over its tunnel, and the answer. Nothing
 * of it is stored, or applied. Source: docs/rfd/0039-trying-policies.md
 */
import type { Work } from "./v1alpha1/work.ts";

/** On the request of the gateway's own; what people send never carries it. */
export const trialHeader = "x-atoll-trial";
/** Said by an agent that opens a tunnel for trials alone: people do not reach its cluster. */
export const trialsOnlyHeader = "x-atoll-trials-only";

/** Policies of a cluster that would change, as they are and as they would be. */
export interface Trial {
  readonly before: Work["spec"]["objects"];
  readonly after: Work["spec"]["objects"];
  /** The agent looks at no more objects after this, and answers with what it has. */
  readonly withinMs: number;
}

/** What existing objects have to do with one policy. */
export interface Tried {
  /** KIND/NAME of the policy on the hub. */
  readonly policy: string;
  /** Objects that break it as it would be, and do not as it is. */
  readonly newly: number;
  /** Objects that break it both ways. */
  readonly still: number;
  /** Objects that would break it no more. */
  readonly mended: number;
  /** Objects into which it would write something if they were made now, and does not yet. */
  readonly changed: number;
  /** The first of those that newly break it or would be changed, as `Pod shop/web`. */
  readonly first: readonly string[];
}

/** An agent's answer. */
export interface Verdict {
  readonly tried: readonly Tried[];
  /** How many objects were looked at. */
  readonly looked: number;
  /** Whether these are all there are. */
  readonly complete: boolean;
}

/** Objects that a Tried names at most. */
export const mostNamed = 5;
const mostTried = 1000;
const longestName = 640;

/** Reads an answer, which is a stranger's. Characters that steer terminals are not passed on. @returns undefined: it is none */
export function readVerdict(answer: unknown): Verdict | undefined {
  const { tried, looked, complete } = recordOf(answer);
  if (!Array.isArray(tried) || tried.length > mostTried || !isCount(looked) || typeof complete !== "boolean") {
    return undefined;
  }
  const read = tried.map(readTried);
  return read.includes(undefined) ? undefined : { tried: read as Tried[], looked, complete };
}

function readTried(given: unknown): Tried | undefined {
  const { policy, newly, still, mended, changed, first } = recordOf(given);
  if (typeof policy !== "string" || ![newly, still, mended, changed].every(isCount) || !Array.isArray(first)) {
    return undefined;
  }
  const counts = { newly, still, mended, changed } as Pick<Tried, "newly" | "still" | "mended" | "changed">;
  return { policy: clean(policy), ...counts, first: first.slice(0, mostNamed).map((name) => clean(String(name))) };
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function clean(text: string): string {
  return text.slice(0, longestName).replace(/[\p{Cc}\p{Cf}]/gu, "?");
}

/**
 * How far and how fast a count may go: stabilization, rates, and the least and the most.
 * Source: k8s.io/kubernetes/pkg/controller/podautoscaler/horizontal.go
 */
import type { HorizontalPodAutoscaler } from "@atoll/client/builtin";

type Behavior = NonNullable<HorizontalPodAutoscaler["spec"]["behavior"]>;
type Rules = NonNullable<Behavior["scaleUp"]>;

/** What is remembered of one autoscaler; a new process begins without. */
export interface Memory {
  /** Counts that were called for. */
  readonly calls: { readonly replicas: number; readonly atMs: number }[];
  readonly ups: Change[];
  readonly downs: Change[];
}

interface Change {
  readonly by: number;
  readonly atMs: number;
}

/** A condition's reason and message. */
export interface Said {
  readonly reason: string;
  readonly message: string;
}

/** Where a count ended. */
export interface Limited {
  readonly replicas: number;
  readonly able: Said;
  readonly limited: Said & { readonly status: "True" | "False" };
}

/** What is to be limited. */
export interface Wish {
  readonly current: number;
  readonly wanted: number;
  readonly min: number;
  readonly max: number;
  readonly behavior: Behavior | undefined;
  readonly nowMs: number;
}

/** Source: HorizontalPodAutoscalerDownscaleStabilizationWindow, pkg/apis/autoscaling/v2/defaults.go */
const downWindowSeconds = 300;
const usual = {
  up: {
    stabilizationWindowSeconds: 0,
    selectPolicy: "Max",
    policies: [
      { type: "Pods", value: 4, periodSeconds: 15 },
      { type: "Percent", value: 100, periodSeconds: 15 },
    ],
  },
  down: {
    stabilizationWindowSeconds: downWindowSeconds,
    selectPolicy: "Max",
    policies: [{ type: "Percent", value: 100, periodSeconds: 15 }],
  },
} satisfies Record<string, Rules>;

const windowOf = (rules: Rules | undefined, fallback: number): number =>
  (rules?.stabilizationWindowSeconds ?? fallback) * 1_000;

/** Takes a count in, and says what becomes of it. */
export function limit(wish: Wish, memory: Memory): Limited {
  const stable = stabilized(wish, memory);
  const able =
    stable.replicas === wish.wanted
      ? { reason: "ReadyForNewScale", message: "recommended size matches current size" }
      : stable.why;
  const { replicas, ...why } = bounded({ ...wish, wanted: stable.replicas }, memory);
  return { replicas, able, limited: { ...why, status: replicas === stable.replicas ? "False" : "True" } };
}

const lower = "recent recommendations were lower than current one, applying the lowest recent recommendation";
const higher = "recent recommendations were higher than current one, applying the highest recent recommendation";

/** The lowest recent count on the way up, the highest on the way down; without a behavior, the highest both ways. */
function stabilized({ current, wanted, behavior, nowMs }: Wish, { calls }: Memory) {
  const isUp = behavior !== undefined && wanted >= current;
  const upMs = windowOf(behavior?.scaleUp, 0);
  const downMs = windowOf(behavior?.scaleDown, downWindowSeconds);
  const recent = calls.filter(({ atMs }) => nowMs - atMs < (isUp ? upMs : downMs)).map(({ replicas }) => replicas);
  const keep = calls.filter(({ atMs }) => nowMs - atMs < Math.max(upMs, downMs));
  calls.splice(0, calls.length, ...keep, { replicas: wanted, atMs: nowMs });
  if (isUp) return { replicas: Math.min(wanted, ...recent), why: { reason: "ScaleUpStabilized", message: lower } };
  return { replicas: Math.max(wanted, ...recent), why: { reason: "ScaleDownStabilized", message: higher } };
}

const within: Said = { reason: "DesiredWithinRange", message: "the desired count is within the acceptable range" };
const tooMany = {
  reason: "TooManyReplicas",
  message: "the desired replica count is more than the maximum replica count",
};
const tooFew = {
  reason: "TooFewReplicas",
  message: "the desired replica count is less than the minimum replica count",
};
const tooFast = {
  up: {
    reason: "ScaleUpLimit",
    message: "the desired replica count is increasing faster than the maximum scale rate",
  },
  down: {
    reason: "ScaleDownLimit",
    message: "the desired replica count is decreasing faster than the maximum scale rate",
  },
};

function bounded(wish: Wish, memory: Memory): Said & { readonly replicas: number } {
  const { current, wanted, min, max, behavior } = wish;
  const isUp = behavior === undefined ? wanted >= min : wanted > current;
  if (isUp) {
    const most = behavior === undefined ? Math.max(2 * current, 4) : Math.max(upLimit(wish, memory), current);
    const allowed = Math.min(max, most);
    if (wanted > allowed) return { replicas: allowed, ...(max > most ? tooFast.up : tooMany) };
  } else {
    const least = behavior === undefined ? min : Math.min(downLimit(wish, memory), current);
    const allowed = Math.max(min, least);
    if (wanted < allowed) return { replicas: allowed, ...(min < least ? tooFast.down : tooFew) };
  }
  return { replicas: wanted, ...within };
}

/** How many Pods there may be now, by the policies for growing. */
function upLimit({ current, behavior, nowMs }: Wish, { ups, downs }: Memory): number {
  const rules = { ...usual.up, ...behavior?.scaleUp };
  if (rules.selectPolicy === "Disabled") return current;
  const limits = (rules.policies ?? usual.up.policies).map(({ type, value, periodSeconds }) => {
    const start = current - changes(ups, periodSeconds, nowMs) + changes(downs, periodSeconds, nowMs);
    return type === "Pods" ? start + value : Math.ceil(start * (1 + value / 100));
  });
  return rules.selectPolicy === "Min" ? Math.min(...limits) : Math.max(...limits);
}

function downLimit({ current, behavior, nowMs }: Wish, { ups, downs }: Memory): number {
  const rules = { ...usual.down, ...behavior?.scaleDown };
  if (rules.selectPolicy === "Disabled") return current;
  const limits = (rules.policies ?? usual.down.policies).map(({ type, value, periodSeconds }) => {
    const start = current - changes(ups, periodSeconds, nowMs) + changes(downs, periodSeconds, nowMs);
    return type === "Pods" ? start - value : Math.trunc(start * (1 - value / 100));
  });
  return rules.selectPolicy === "Min" ? Math.max(...limits) : Math.min(...limits);
}

function changes(all: readonly Change[], periodSeconds: number, nowMs: number): number {
  return all.filter(({ atMs }) => nowMs - atMs < periodSeconds * 1_000).reduce((sum, { by }) => sum + by, 0);
}

/** Longest period a policy may name. Source: pkg/apis/autoscaling/validation */
const longestPeriodMs = 1_800_000;

/** Remembers that the count was changed. */
export function remember(
  { ups, downs }: Memory,
  { from, to, nowMs }: { from: number; to: number; nowMs: number },
): void {
  for (const list of [ups, downs]) {
    const keep = list.filter(({ atMs }) => nowMs - atMs < longestPeriodMs);
    list.splice(0, list.length, ...keep);
  }
  if (to > from) ups.push({ by: to - from, atMs: nowMs });
  else downs.push({ by: from - to, atMs: nowMs });
}

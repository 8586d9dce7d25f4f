/**
 * The deletion of a namespace, but for its doing: which resources go in which order, what the conditions say, and
 * whether the end has come. Pure.
 * Source: k8s.io/kubernetes/pkg/controller/namespace/deletion (namespaced_resources_deleter.go, status_condition_utils.go)
 */
import type { NamespaceCondition } from "@atoll/api/builtin/core/v1.types";
import type { Discovery, DiscoveredResource } from "@atoll/client/discovery";
import type { Namespace } from "@atoll/client/builtin";
import { groupResource } from "@atoll/client/resource";
import { formatTime, parseTime } from "@atoll/machinery/clock";

/** The finalizer in spec.finalizers that is ours. */
export const ourFinalizer = "kubernetes";

/** What stays of one resource after it was asked to go. */
export interface Remains {
  readonly group: string;
  readonly plural: string;
  readonly count: number;
  /** How many objects each finalizer holds. */
  readonly finalizers: Readonly<Record<string, number>>;
  /** How long it may take until these are gone, s. */
  readonly estimateSeconds: number;
}

/** How a pass over a namespace's content went. */
export interface Pass {
  readonly discoveryFailures: Discovery["failed"];
  /** What could not be deleted, in words. */
  readonly failures: readonly string[];
  /** Only of resources of which something stays. */
  readonly remains: readonly Remains[];
}

/** Resources with content in namespaces that can be deleted, pods apart: they go first, since others may serve them. */
export function deletable({ resources }: Discovery): {
  pods: readonly DiscoveredResource[];
  rest: readonly DiscoveredResource[];
} {
  const all = resources.filter(
    ({ namespaced, preferred, verbs }) => namespaced && preferred && verbs.includes("delete"),
  );
  const isPods = (resource: DiscoveredResource) => groupResource(resource) === "pods";
  return { pods: all.filter(isPods), rest: all.filter((resource) => !isPods(resource)) };
}

const okay: readonly { readonly type: string; readonly reason: string; readonly message: string }[] = [
  {
    type: "NamespaceDeletionDiscoveryFailure",
    reason: "ResourcesDiscovered",
    message: "All resources successfully discovered",
  },
  {
    type: "NamespaceDeletionGroupVersionParsingFailure",
    reason: "ParsedGroupVersions",
    message: "All legacy kube types successfully parsed",
  },
  {
    type: "NamespaceDeletionContentFailure",
    reason: "ContentDeleted",
    message: "All content successfully deleted, may be waiting on finalization",
  },
  { type: "NamespaceContentRemaining", reason: "ContentRemoved", message: "All content successfully removed" },
  { type: "NamespaceFinalizersRemaining", reason: "ContentRemoved", message: "All content successfully removed" },
];

function discoveryTrouble({ discoveryFailures }: Pass): { reason: string; message: string } | undefined {
  if (discoveryFailures.length === 0) return undefined;
  const each = discoveryFailures.map(({ group, version, error }) => `${group}/${version}: ${error.message}`).sort();
  const message = `Discovery failed for some groups, ${each.length} failing: unable to retrieve the complete list of server APIs: ${each.join(", ")}`;
  return { reason: "DiscoveryFailed", message };
}

function contentTrouble({ failures }: Pass): { reason: string; message: string } | undefined {
  if (failures.length === 0) return undefined;
  const message = `Failed to delete all resource types, ${failures.length} remaining: ${[...failures].sort().join(", ")}`;
  return { reason: "ContentDeletionFailed", message };
}

function remaining({ remains }: Pass): { reason: string; message: string } | undefined {
  if (remains.length === 0) return undefined;
  const each = remains.map(({ plural, group, count }) => `${plural}.${group} has ${count} resource instances`).sort();
  return { reason: "SomeResourcesRemain", message: `Some resources are remaining: ${each.join(", ")}` };
}

function finalizersRemaining({ remains }: Pass): { reason: string; message: string } | undefined {
  const totals = new Map<string, number>();
  for (const { finalizers } of remains) {
    for (const [name, count] of Object.entries(finalizers)) totals.set(name, (totals.get(name) ?? 0) + count);
  }
  if (totals.size === 0) return undefined;
  const each = [...totals].map(([name, count]) => `${name} in ${count} resource instances`).sort();
  return { reason: "SomeFinalizersRemain", message: `Some finalizers are remaining: ${each.join(", ")}` };
}

/** The namespace's conditions after a pass. Times change only with a status. */
export function conditionsAfter(
  pass: Pass,
  before: readonly NamespaceCondition[],
  nowMs: number,
): NamespaceCondition[] {
  const troubles: Readonly<Record<string, { reason: string; message: string } | undefined>> = {
    NamespaceDeletionDiscoveryFailure: discoveryTrouble(pass),
    NamespaceDeletionContentFailure: contentTrouble(pass),
    NamespaceContentRemaining: remaining(pass),
    NamespaceFinalizersRemaining: finalizersRemaining(pass),
  };
  const ours = okay.map(({ type, ...good }): NamespaceCondition => {
    const trouble = troubles[type];
    const status = trouble === undefined ? "False" : "True";
    const old = before.find((condition) => condition.type === type);
    const lastTransitionTime = old !== undefined && old.status === status ? old.lastTransitionTime : formatTime(nowMs);
    return { type, status, lastTransitionTime, ...(trouble ?? good) };
  });
  return [...before.filter(({ type }) => !okay.some((condition) => condition.type === type)), ...ours];
}

/** How long content must have been seen gone before the namespace may go, ms: a create that was let in just before the
 *  deletion began may still be under way, on this or another API server. */
export const settleMs = 2_000;

/** What follows a pass. */
export type Next =
  | { readonly do: "retry"; readonly why: string }
  | { readonly do: "wait"; readonly afterMs: number }
  | { readonly do: "finalize" };

/** What follows a pass over a namespace as it was before it. */
export function next(namespace: Namespace, pass: Pass, nowMs: number): Next {
  const [group] = pass.discoveryFailures;
  if (pass.failures.length > 0) return { do: "retry", why: pass.failures.join(", ") };
  if (group !== undefined) return { do: "retry", why: group.error.message };
  if (pass.remains.length > 0) {
    const estimate = Math.max(...pass.remains.map(({ estimateSeconds }) => estimateSeconds));
    return { do: "wait", afterMs: 1000 * Math.floor(estimate / 2) + 1000 };
  }
  // The condition is from our own earlier pass, so its time is by our clock, or by that of a leader before us.
  const seenSince = namespace.status.conditions?.find(({ type }) => type === "NamespaceDeletionDiscoveryFailure");
  if (seenSince === undefined) return { do: "wait", afterMs: settleMs };
  const leftMs = parseTime(seenSince.lastTransitionTime ?? "") + settleMs - nowMs;
  return leftMs > 0 && leftMs <= settleMs ? { do: "wait", afterMs: leftMs } : { do: "finalize" };
}

const finalizerEstimateSeconds = 15;

interface Remaining {
  readonly metadata: { readonly finalizers?: readonly string[] };
  readonly spec?: { readonly terminationGracePeriodSeconds?: number };
  readonly status?: { readonly phase?: string };
}

/**
 * Sums up what stays of a resource.
 * @param deletedMs since when the namespace is being deleted, ms
 * @returns undefined when something stays that nothing explains: it should be gone
 */
export function sumUp(
  { group, plural }: { readonly group: string; readonly plural: string },
  objects: readonly Remaining[],
  deletedMs: number,
): Remains | undefined {
  const finalizers: Record<string, number> = {};
  for (const { metadata } of objects) {
    for (const name of metadata.finalizers ?? []) finalizers[name] = (finalizers[name] ?? 0) + 1;
  }
  const grace = group === "" && plural === "pods" ? longestGraceSeconds(objects, deletedMs) : 0;
  const held = Object.keys(finalizers).length > 0 ? finalizerEstimateSeconds : 0;
  const estimateSeconds = grace > 0 ? grace : held;
  return estimateSeconds === 0 ? undefined : { group, plural, count: objects.length, finalizers, estimateSeconds };
}

/** The longest grace of pods that still run; 0 once it must be over. */
function longestGraceSeconds(pods: readonly Remaining[], deletedMs: number): number {
  const running = pods.filter(({ status }) => status?.phase !== "Succeeded" && status?.phase !== "Failed");
  const longest = Math.max(0, ...running.map(({ spec }) => spec?.terminationGracePeriodSeconds ?? 0));
  return deletedMs >= longest * 1000 ? 0 : longest;
}

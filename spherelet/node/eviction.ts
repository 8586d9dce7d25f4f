/**
 * Which Pod goes when a host runs short of something. Pure.
 * Source: k8s.io/kubernetes/pkg/kubelet/eviction (helpers.go: rankMemoryPressure, rankDiskPressureFunc; hard thresholds)
 */
import type { Pod } from "@atoll/client/builtin";
import { bytesOf, podRequests } from "../translate/resources.ts";

/** What a host can run short of. */
export type Shortage = "memory" | "ephemeral-storage";

/** How much of a host is left. */
export interface Remaining {
  readonly memoryBytes: number;
  readonly diskBytes: number;
  readonly diskTotalBytes: number;
}

/** A Pod that runs, and what it uses. */
export interface Candidate {
  readonly pod: Pod;
  readonly usedBytes: number;
}

/** Below these a host is short. Source: the kubelet's evictionHard */
export const thresholds = { memoryBytes: 100 << 20, diskShare: 0.1 } as const;

/** What the host is short of now. */
export function shortageOf({ memoryBytes, diskBytes, diskTotalBytes }: Remaining): Shortage | undefined {
  if (memoryBytes < thresholds.memoryBytes) return "memory";
  return diskBytes < diskTotalBytes * thresholds.diskShare ? "ephemeral-storage" : undefined;
}

/** The Pod that goes first: one that uses more than it asked for, of low priority, the one that exceeds the most. */
export function firstToEvict(candidates: readonly Candidate[], shortage: Shortage): Candidate | undefined {
  const ranked = candidates.map((candidate) => {
    const { spec } = candidate.pod;
    const excess = candidate.usedBytes - askedBytes(candidate.pod, shortage);
    return { candidate, exceeds: excess > 0, priority: spec.priority ?? 0, excess };
  });
  ranked.sort((a, b) => Number(b.exceeds) - Number(a.exceeds) || a.priority - b.priority || b.excess - a.excess);
  return ranked[0]?.candidate;
}

function askedBytes({ spec }: Pod, shortage: Shortage): number {
  if (shortage === "memory") return podRequests(spec).memoryBytes;
  const requests = (spec.containers ?? []).map(({ resources }) => bytesOf(resources?.requests?.["ephemeral-storage"]));
  return requests.reduce((sum, bytes) => sum + bytes, 0);
}

/** What the Pod's status says of it. */
export function evictionFailure(
  { pod, usedBytes }: Candidate,
  shortage: Shortage,
): { reason: string; message: string } {
  const asked = askedBytes(pod, shortage);
  const use = `Its machine was using ${Math.ceil(usedBytes / 1024)}Ki, request is ${Math.ceil(asked / 1024)}Ki.`;
  return { reason: "Evicted", message: `The node was low on resource: ${shortage}. ${use} ` };
}

/**
 * How long a Job waits before it replaces Pods that failed: 10 s, doubling with each failure since the last success, at
 * most 10 minutes. Read from the Pods that are there, so a restart of the controller changes nothing.
 * Source: k8s.io/kubernetes/pkg/controller/job/backoff_utils.go
 */
import type { Job, Pod } from "@atoll/client/builtin";
import { endedAtMs } from "../pods/state.ts";
import { hasFailed } from "./pods.ts";

const firstMs = 10_000;
const longestMs = 600_000;

/** How long to wait still, ms; 0 for not at all. */
export function backoffInMs(job: Job, pods: readonly Pod[], nowMs: number): number {
  const successes = pods.filter(({ status }) => status?.phase === "Succeeded").map(endedAtMs);
  const lastSuccess = Math.max(0, ...successes);
  const failures = pods
    .filter((pod) => hasFailed(job, pod))
    .map(endedAtMs)
    .filter((atMs) => atMs > lastSuccess);
  if (failures.length === 0) return 0;
  const delayMs = Math.min(firstMs * 2 ** (failures.length - 1), longestMs);
  return Math.max(0, Math.max(...failures) + delayMs - nowMs);
}

/**
 * What a Job's policies make of Pods that failed and of indexes that succeeded.
 * Source: k8s.io/kubernetes/pkg/controller/job (pod_failure_policy.go, success_policy.go)
 */
import type { PodFailurePolicyRule } from "@atoll/api/builtin/batch/v1.types";
import type { ContainerStatus } from "@atoll/api/builtin/core/v1.types";
import type { Job, Pod } from "@atoll/client/builtin";
import { keyOf } from "@atoll/client/resource";
import { Indexes } from "./indexes.ts";

/** What a failure means. `message` is for the condition of a Job that fails by it. */
export interface Verdict {
  readonly action: "Count" | "Ignore" | "FailJob" | "FailIndex";
  readonly message: string;
}

const counted: Verdict = { action: "Count", message: "" };

/** What the first rule that fits says about a failed Pod; without one it is counted. */
export function judge({ spec }: Job, pod: Pod): Verdict {
  for (const [i, rule] of (spec.podFailurePolicy?.rules ?? []).entries()) {
    const found = reasonBy(rule, pod);
    if (found !== undefined)
      return {
        action: rule.action as Verdict["action"],
        message: `${found} matching ${rule.action} rule at index ${i}`,
      };
  }
  return counted;
}

function reasonBy(rule: PodFailurePolicyRule, pod: Pod): string | undefined {
  if (rule.onExitCodes !== undefined) {
    const container = exited(pod, rule.onExitCodes);
    if (container === undefined) return undefined;
    const code = container.state?.terminated?.exitCode;
    return `Container ${container.name} for pod ${keyOf(pod)} failed with exit code ${code}`;
  }
  const patterns = rule.onPodConditions ?? [];
  const condition = (pod.status?.conditions ?? []).find(({ type, status }) =>
    patterns.some((pattern) => pattern.type === type && pattern.status === status),
  );
  return condition === undefined ? undefined : `Pod ${keyOf(pod)} has condition ${condition.type}`;
}

function exited(
  { status }: Pod,
  { containerName, operator, values }: NonNullable<PodFailurePolicyRule["onExitCodes"]>,
): ContainerStatus | undefined {
  const all = [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])];
  return all.find(({ name, state }) => {
    const code = state?.terminated?.exitCode ?? 0;
    if (code === 0 || (containerName !== undefined && containerName !== name)) return false;
    return (values ?? []).includes(code) === (operator === "In");
  });
}

/** Why the indexes that succeeded are enough; undefined while they are not. */
export function enough({ spec }: Job, succeeded: Indexes): string | undefined {
  for (const [i, rule] of (spec.successPolicy?.rules ?? []).entries()) {
    const { succeededIndexes, succeededCount } = rule;
    const asked = succeededIndexes === undefined ? undefined : Indexes.parse(succeededIndexes, spec.completions ?? 0);
    const have = asked === undefined ? succeeded.size : asked.shared(succeeded);
    const need = succeededCount ?? asked?.size ?? Number.POSITIVE_INFINITY;
    if (have >= need) return `Matched rules at index ${i}`;
  }
  return undefined;
}

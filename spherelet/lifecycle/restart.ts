/**
 * Which containers run again, and when.
 * Source: k8s.io/kubernetes/pkg/kubelet/container (ShouldContainerBeRestarted, RestartPolicyRules), client-go/util/flowcontrol/backoff.go
 */
import type { Container, EphemeralContainer } from "@atoll/api/builtin/core/v1.types";
import type { Pod } from "@atoll/client/builtin";
import type { BackOff, Cast, Termination } from "./world.ts";

/** Delay after the second crash, and the longest, ms. The first crash costs none. */
const crashDelays = { firstMs: 10_000, longestMs: 300_000 } as const;

/** Whether a container that ended that way is to run again. */
export function shouldRestart(pod: Pod, { container, role }: Cast, end: Termination): boolean {
  if (role === "sidecar") return true;
  if (role === "ephemeral") return false;
  if (ruledRestart(container, end.exitCode)) return true;
  const policy = container.restartPolicy ?? pod.spec.restartPolicy ?? "Always";
  // An init container that succeeded is done, whatever the policy.
  if (policy === "Always") return role === "main" || end.exitCode !== 0;
  return policy === "OnFailure" && end.exitCode !== 0;
}

function ruledRestart({ restartPolicyRules }: Container | EphemeralContainer, exitCode: number): boolean {
  const rule = restartPolicyRules?.find(({ exitCodes }) => {
    const listed = exitCodes?.values?.includes(exitCode) ?? false;
    return exitCodes?.operator === "NotIn" ? !listed : listed;
  });
  return rule?.action === "Restart";
}

/** When a container that ended may start again, ms since the epoch. */
export function restartMs(backOff: BackOff | undefined, end: Termination): number {
  if (backOff === undefined || hasExpired(backOff, end.finishedMs)) return 0;
  return end.finishedMs + backOff.delayMs;
}

/** The back-off after one more start. */
export function nextBackOff(backOff: BackOff | undefined, end: Termination, nowMs: number): BackOff {
  if (backOff === undefined || hasExpired(backOff, end.finishedMs)) {
    return { delayMs: crashDelays.firstMs, setMs: nowMs };
  }
  return { delayMs: Math.min(backOff.delayMs * 2, crashDelays.longestMs), setMs: nowMs };
}

/** A container that ran for long enough crashes for the first time again. */
function hasExpired({ setMs }: BackOff, finishedMs: number): boolean {
  return finishedMs - setMs > 2 * crashDelays.longestMs;
}

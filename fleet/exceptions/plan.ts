/** What a PolicyException's status says. Pure. */
import type { PolicyException } from "@atoll/api/fleet/v1alpha1/policyexception";
import { formatTime, parseTime } from "@atoll/machinery/clock";

/** Whether it holds. @param exists whether its policy does */
export function statusOf(
  { metadata, spec, status }: PolicyException,
  exists: boolean,
  nowMs: number,
): NonNullable<PolicyException["status"]> {
  const expired = parseTime(spec.expires) <= nowMs;
  const [reason, message] = reasonOf(expired, exists);
  const holds = reason === "Active" ? "True" : "False";
  const before = status?.conditions?.find(({ type }) => type === "Active");
  const lastTransitionTime = before?.status === holds ? before.lastTransitionTime : formatTime(nowMs);
  const observedGeneration = metadata.generation ?? 0;
  return { conditions: [{ type: "Active", status: holds, reason, message, lastTransitionTime, observedGeneration }] };
}

function reasonOf(expired: boolean, exists: boolean): readonly [reason: string, message: string] {
  if (expired) return ["Expired", "Its day is over: the policy holds for its objects again."];
  if (!exists) return ["NoPolicy", "There is no such policy."];
  return ["Active", "The policy lets its objects pass."];
}

/** What a PolicyException's status says. Pure. */
import type { PolicyException } from "@atoll/api/fleet/v1alpha1/policyexception";
import { conditionOf } from "../compile/policies/admission.ts";
import { formatTime, parseTime } from "@atoll/machinery/clock";

/** What is known around an exception. */
interface Around {
  /** Whether its policy is there. */
  readonly exists: boolean;
  /** What each cluster reports of objects that pass by an exception alone. */
  readonly counts: readonly Readonly<Record<string, number>>[];
  readonly nowMs: number;
}

/** Whether it holds, and how many objects would break the policy today without it. */
export function statusOf(
  { metadata, spec, status }: PolicyException,
  { exists, counts, nowMs }: Around,
): NonNullable<PolicyException["status"]> {
  const expired = parseTime(spec.expires) <= nowMs;
  const [reason, message] = reasonOf(expired, exists);
  const holds = reason === "Active" ? "True" : "False";
  const before = status?.conditions?.find(({ type }) => type === "Active");
  const lastTransitionTime = before?.status === holds ? before.lastTransitionTime : formatTime(nowMs);
  const observedGeneration = metadata.generation ?? 0;
  const condition = conditionOf(metadata.name ?? "");
  const told = counts.flatMap((each) => each[condition] ?? []);
  const needed = holds === "True" && told.length > 0 ? { violations: told.reduce((sum, count) => sum + count, 0) } : {};
  return {
    ...needed,
    conditions: [{ type: "Active", status: holds, reason, message, lastTransitionTime, observedGeneration }],
  };
}

function reasonOf(expired: boolean, exists: boolean): readonly [reason: string, message: string] {
  if (expired) return ["Expired", "Its day is over: the policy holds for its objects again."];
  if (!exists) return ["NoPolicy", "There is no such policy."];
  return ["Active", "The policy lets its objects pass."];
}

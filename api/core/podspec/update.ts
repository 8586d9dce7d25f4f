/**
 * What may change in a pod that exists: images, a shorter deadline, more tolerations, fewer gates, and while it is
 * gated where it may go.
 * Source: pkg/apis/core/validation (ValidatePodUpdate)
 */
import { deepEqual } from "@atoll/machinery/equal";
import type {
  Container,
  NodeAffinity,
  NodeSelectorTerm,
  Pod,
  PodSpec,
  Toleration,
} from "../../builtin/core/v1.types.ts";
import { appArmorPrefix, mirrorKey } from "./annotations.ts";
import type { Place } from "./place.ts";
import { checkTolerations } from "./scheduling.ts";

const deadlineMax = 2 ** 31 - 1;
const changeable = [
  "`spec.containers[*].image`",
  "`spec.initContainers[*].image`",
  "`spec.activeDeadlineSeconds`",
  "`spec.tolerations` (only additions to existing tolerations)",
  "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)",
];

/** The change from `old`, beside the rules within the new pod; `at` is the specification's place. */
export function checkPodChange({ spec }: Pod, { spec: old }: Pod, at: Place): void {
  if (!checkImages(spec.containers, old.containers, [at, "containers"])) return;
  if (!checkImages(spec.initContainers, old.initContainers, [at, "initContainers"])) return;
  if (!checkDeadline(spec.activeDeadlineSeconds, old.activeDeadlineSeconds, at)) return;
  checkTolerationsKept(spec.tolerations ?? [], old.tolerations ?? [], at);
  checkGatesKept(spec, old, at);
  if (deepEqual(spec, old)) return;
  const allowed: PodSpec = {
    ...spec,
    ...picked(old, ["activeDeadlineSeconds", "schedulingGates", "tolerations"]),
    ...withImages(spec, old),
  };
  const grace = old.terminationGracePeriodSeconds;
  if (grace !== undefined && grace < 0 && spec.terminationGracePeriodSeconds === 1) {
    allowed.terminationGracePeriodSeconds = grace;
  }
  if ((old.schedulingGates ?? []).length > 0) allowGated(allowed, old, at);
  if (!deepEqual(allowed, old)) {
    at.forbidden("", `pod updates may not change fields other than ${changeable.join(",")}`);
  }
}

/** Those fields of the old specification, absent ones as absent. */
function picked(old: PodSpec, fields: readonly (keyof PodSpec)[]): Partial<PodSpec> {
  return Object.fromEntries(fields.map((field) => [field, old[field]])) as Partial<PodSpec>;
}

function withImages(spec: PodSpec, old: PodSpec): Partial<PodSpec> {
  const as = (now: readonly Container[], before: readonly Container[]): Container[] =>
    now.map((container, i) => ({ ...container, ...picture(before[i]) }));
  const made: Partial<PodSpec> = { containers: as(spec.containers ?? [], old.containers ?? []) };
  if (spec.initContainers !== undefined) made.initContainers = as(spec.initContainers, old.initContainers ?? []);
  return made;
}

function picture(container: Container | undefined): Pick<Container, "image"> {
  return container?.image === undefined ? {} : { image: container.image };
}

/** @returns whether the lists are as long as they were, without which nothing else can be compared */
function checkImages(
  now: readonly Container[] | undefined | null,
  before: readonly Container[] | undefined | null,
  [at, field]: [Place, string],
): boolean {
  const containers = now ?? [];
  if (containers.length !== (before ?? []).length) {
    at.forbidden(field, "pod updates may not add or remove containers");
    return false;
  }
  for (const [i, { image = "" }] of containers.entries()) {
    if (image === "") at.item(field, i).required("image");
    if (image.trim() !== image) {
      at.item(field, i).invalid("image", image, "must not have leading or trailing whitespace");
    }
  }
  return true;
}

/** A deadline may be set, and be brought forward. @returns whether to go on */
function checkDeadline(now: number | undefined, before: number | undefined, at: Place): boolean {
  const field = "activeDeadlineSeconds";
  if (now === undefined) {
    if (before !== undefined) at.invalid(field, null, "must not update from a positive integer to nil value");
    return true;
  }
  if (now < 0 || now > deadlineMax) {
    at.invalid(field, now, `must be between 0 and ${deadlineMax}, inclusive`);
    return false;
  }
  if (before === undefined || before >= now) return true;
  at.invalid(field, now, "must be less than or equal to previous value");
  return false;
}

function checkTolerationsKept(now: readonly Toleration[], before: readonly Toleration[], at: Place): void {
  const kept = before.every((old) =>
    now.some((toleration) => {
      const { tolerationSeconds: _, ...rest } = toleration;
      const { tolerationSeconds: __, ...wanted } = old;
      return deepEqual(rest, wanted);
    }),
  );
  // Upstream looks at all tolerations here once more, and reports twice what is wrong with one.
  if (kept) checkTolerations(now, at);
  else at.forbidden("tolerations", "existing toleration can not be modified except its tolerationSeconds");
}

function checkGatesKept({ schedulingGates: now = [] }: PodSpec, { schedulingGates: before = [] }: PodSpec, at: Place) {
  for (const [i, { name }] of now.entries()) {
    if (before.some((old) => old.name === name)) continue;
    at.item("schedulingGates", i).forbidden(
      "name",
      `only deletion is allowed, but found new scheduling gate '${name}'`,
    );
  }
}

/** A gated pod's node selector and affinity may become narrower; takes what may from `allowed`. */
function allowGated(allowed: PodSpec, old: PodSpec, at: Place): void {
  const selector = allowed.nodeSelector ?? {};
  if (Object.entries(old.nodeSelector ?? {}).some(([key, value]) => selector[key] !== value)) {
    at.invalid("nodeSelector", selector, "only additions to spec.nodeSelector are allowed (no mutations or deletions)");
  }
  Object.assign(allowed, picked(old, ["nodeSelector"]));
  const now = allowed.affinity?.nodeAffinity;
  const before = old.affinity?.nodeAffinity;
  if (deepEqual(now, before)) return;
  checkNarrower(now, before, at.child("affinity").child("nodeAffinity"));
  const { nodeAffinity: _, ...others } = allowed.affinity ?? {};
  const affinity = before === undefined ? others : { ...others, nodeAffinity: before };
  if (old.affinity === undefined && Object.keys(affinity).length === 0) delete allowed.affinity;
  else allowed.affinity = affinity;
}

function checkNarrower(now: NodeAffinity | undefined, before: NodeAffinity | undefined, at: Place): void {
  const required = "requiredDuringSchedulingIgnoredDuringExecution";
  const old = before?.[required]?.nodeSelectorTerms ?? [];
  if (old.length === 0) return;
  const terms = now?.[required]?.nodeSelectorTerms ?? [];
  const here = at.child(required);
  if (terms.length !== old.length) {
    const detail = "no additions/deletions to non-empty NodeSelectorTerms list are allowed";
    return here.invalid("nodeSelectorTerms", terms, detail);
  }
  for (const [i, term] of old.entries()) {
    if (onlyAdds(terms[i] ?? {}, term)) continue;
    const detail = "only additions are allowed (no mutations or deletions)";
    here.item("nodeSelectorTerms", i).invalid("", terms[i], detail);
  }
}

function onlyAdds(now: NodeSelectorTerm, old: NodeSelectorTerm): boolean {
  const fields = ["matchExpressions", "matchFields"] as const;
  const wasEmpty = fields.every((field) => (old[field] ?? []).length === 0);
  if (wasEmpty) return fields.every((field) => (now[field] ?? []).length === 0);
  return fields.every((field) => {
    const before = old[field] ?? [];
    return deepEqual((now[field] ?? []).slice(0, before.length), before);
  });
}

/** Annotations that stay as they were; `at` is the metadata's place. */
export function checkAnnotationsKept(pod: Pod, old: Pod, at: Place): void {
  const now = pod.metadata.annotations ?? {};
  const before = old.metadata.annotations ?? {};
  for (const key of new Set([...Object.keys(before), ...Object.keys(now)])) {
    if (now[key] === before[key]) continue;
    const verb = Object.hasOwn(before, key) ? "remove or update" : "add";
    if (key.startsWith(appArmorPrefix))
      at.entry("annotations", key).forbidden("", `may not ${verb} AppArmor annotations`);
    if (key === mirrorKey) at.entry("annotations", key).forbidden("", `may not ${verb} mirror pod annotation`);
  }
}

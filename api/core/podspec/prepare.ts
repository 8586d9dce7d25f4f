/**
 * What a new pod gets from the server beside its defaults.
 * Source: pkg/registry/core/pod/strategy.go (mutatePodAffinity, mutateTopologySpreadConstraints, applyAppArmorVersionSkew)
 */
import type { AppArmorProfile, Pod, PodAffinityTerm } from "../../builtin/core/v1.types.ts";
import type { LabelSelector } from "../../builtin/meta/v1.types.ts";
import { appArmorPrefix } from "./annotations.ts";
import { containersOf } from "./defaults.ts";

/** Label keys whose values the pod's own labels give become part of the selectors. */
export function mergeLabelKeys({ metadata, spec }: Pod): void {
  const labels = metadata.labels ?? {};
  for (const affinity of [spec.affinity?.podAffinity, spec.affinity?.podAntiAffinity]) {
    const terms = affinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
    const wishes = affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
    for (const term of terms) mergeTerm(term, labels);
    for (const { podAffinityTerm } of wishes) mergeTerm(podAffinityTerm, labels);
  }
}

function mergeTerm(term: PodAffinityTerm, labels: Readonly<Record<string, string>>): void {
  const { labelSelector, matchLabelKeys = [], mismatchLabelKeys = [] } = term;
  if (labelSelector === undefined) return;
  mergeKeys(labelSelector, matchLabelKeys, { labels, operator: "In" });
  mergeKeys(labelSelector, mismatchLabelKeys, { labels, operator: "NotIn" });
}

function mergeKeys(
  selector: LabelSelector,
  keys: readonly string[],
  { labels, operator }: { labels: Readonly<Record<string, string>>; operator: "In" | "NotIn" },
): void {
  for (const key of keys) {
    const value = labels[key];
    if (value === undefined) continue;
    selector.matchExpressions ??= [];
    selector.matchExpressions.push({ key, operator, values: [value] });
  }
}

/** AppArmor profiles are said in a field and in an annotation for older nodes; each is made from the other. */
export function matchAppArmor({ metadata, spec }: Pod): void {
  if (spec.os?.name === "windows") return;
  const own = spec.securityContext?.appArmorProfile;
  for (const container of containersOf(spec)) {
    const key = appArmorPrefix + container.name;
    const annotation = metadata.annotations?.[key];
    const profile = container.securityContext?.appArmorProfile;
    if (annotation === undefined) {
      const text = annotationOf(profile ?? own);
      if (text !== undefined) metadata.annotations = { ...metadata.annotations, [key]: text };
    } else if (profile === undefined) {
      const made = profileOf(annotation);
      if (made !== undefined && made.type !== own?.type) {
        container.securityContext = { ...container.securityContext, appArmorProfile: made };
      }
    }
  }
}

function annotationOf(profile: AppArmorProfile | undefined): string | undefined {
  switch (profile?.type) {
    case "Unconfined":
      return "unconfined";
    case "RuntimeDefault":
      return "runtime/default";
    case "Localhost":
      return profile.localhostProfile === undefined ? undefined : `localhost/${profile.localhostProfile}`;
    default:
      return undefined;
  }
}

function profileOf(annotation: string): AppArmorProfile | undefined {
  if (annotation === "unconfined") return { type: "Unconfined" };
  if (annotation === "runtime/default") return { type: "RuntimeDefault" };
  if (!annotation.startsWith("localhost/")) return undefined;
  const localhostProfile = annotation.slice("localhost/".length);
  return localhostProfile === "" ? undefined : { type: "Localhost", localhostProfile };
}

/** The templates from which controllers make pods: what is wrong with one is told to who writes it, not only in events. */
import type { PodSpec } from "@atoll/api/builtin/core/v1.types";
import type { AdmissionRequest } from "./admission.ts";

/** Where kinds keep the template of their pods. */
const places: ReadonlyMap<string, readonly string[]> = new Map([
  ["/replicationcontrollers", ["spec", "template"]],
  ["/podtemplates", ["template"]],
  ["apps/replicasets", ["spec", "template"]],
  ["apps/deployments", ["spec", "template"]],
  ["apps/statefulsets", ["spec", "template"]],
  ["apps/daemonsets", ["spec", "template"]],
  ["batch/jobs", ["spec", "template"]],
  ["batch/cronjobs", ["spec", "jobTemplate", "spec", "template"]],
]);

/** What pods are made from. */
export interface PodTemplate {
  readonly metadata: { readonly annotations?: Readonly<Record<string, string>> };
  readonly spec: PodSpec;
}

/** Whether objects of a kind hold a template. */
export function hasTemplate({ group, plural }: { readonly group: string; readonly plural: string }): boolean {
  return places.has(`${group}/${plural}`);
}

/** The template that an object holds; undefined when it holds none, or none with a spec. */
export function templateOf({ kind, object }: Pick<AdmissionRequest, "kind" | "object">): PodTemplate | undefined {
  let at: unknown = object;
  for (const field of places.get(`${kind.group}/${kind.plural}`) ?? []) {
    at = (at as Readonly<Record<string, unknown>> | undefined)?.[field];
  }
  const { metadata = {}, spec } = (at ?? {}) as Partial<PodTemplate>;
  return spec === undefined ? undefined : { metadata, spec };
}

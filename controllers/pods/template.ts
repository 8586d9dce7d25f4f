/**
 * Pods made from a template.
 * Source: k8s.io/kubernetes/pkg/controller/controller_utils.go (GetPodFromTemplate, ComputeHash)
 */
import type { PodTemplateSpec } from "@atoll/api/builtin/core/v1.types";
import type { Pod } from "@atoll/client/builtin";
import type { Given } from "@atoll/client/client";
import type { AnyResource } from "@atoll/client/resource";
import { deepEqual } from "@atoll/machinery/equal";
import type { ApiObject, ObjectMeta } from "@atoll/machinery/object";
import { controllerReference } from "@atoll/runtime/children";

/** The label that tells the Pods of one template of a Deployment from those of another. */
export const templateHashLabel = "pod-template-hash";

/** A Pod to be created: the template's, belonging to its owner, by default named after it. */
export function podFrom(template: PodTemplateSpec, kind: AnyResource, owner: ApiObject): Given<Pod> {
  const { labels, annotations, finalizers } = template.metadata ?? {};
  const metadata: ObjectMeta = {
    generateName: `${owner.metadata.name ?? ""}-`,
    ...(owner.metadata.namespace !== undefined && { namespace: owner.metadata.namespace }),
    ...(labels !== undefined && { labels }),
    ...(annotations !== undefined && { annotations }),
    ...(finalizers !== undefined && { finalizers }),
    ownerReferences: [controllerReference(kind, owner.metadata)],
  };
  return { metadata, spec: template.spec };
}

// Without vowels and look-alikes. Source: k8s.io/apimachinery/pkg/util/rand (SafeEncodeString)
const letters = "bcdfghjklmnpqrstvwxz2456789";

/** A value whose keys are sorted all the way down, so that equal values are spelled alike. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, each]) => [key, sorted(each)]));
}

/**
 * A short name for a template. `collisions` gives another name to the same template.
 * (Upstream hashes Go's memory layout, so its names are others; nothing depends on their being the same, since templates are
 * compared as such.)
 */
export function hashOf(template: unknown, collisions = 0): string {
  const text = JSON.stringify(sorted(template)) + (collisions === 0 ? "" : String(collisions));
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return [...String(hash)].map((digit) => letters[Number(digit.charCodeAt(0) % letters.length)]).join("");
}

/** The template without the label that a Deployment adds. */
function withoutHash(template: PodTemplateSpec): PodTemplateSpec {
  const { [templateHashLabel]: _, ...labels } = template.metadata?.labels ?? {};
  return { ...template, metadata: { ...template.metadata, labels } };
}

/** Whether two templates make the same Pods. */
export function sameTemplate(a: PodTemplateSpec, b: PodTemplateSpec): boolean {
  return deepEqual(withoutHash(a), withoutHash(b));
}

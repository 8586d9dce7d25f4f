/**
 * Who the Pods of a StatefulSet are: name, ordinal, labels, host name, volumes.
 * Source: k8s.io/kubernetes/pkg/controller/statefulset/stateful_set_utils.go
 */
import type { PodTemplateSpec, Volume } from "@atoll/api/builtin/core/v1.types";
import type { PersistentVolumeClaim, Pod } from "@atoll/client/builtin";
import { StatefulSet } from "@atoll/client/builtin";
import type { Given } from "@atoll/client/client";
import type { Key } from "@atoll/client/resource";
import { toKey } from "@atoll/client/resource";
import { podFrom } from "../pods/template.ts";
import { revisionLabel } from "../revisions/revision.ts";

const podNameLabel = "statefulset.kubernetes.io/pod-name";
const podIndexLabel = "apps.kubernetes.io/pod-index";

/** A template by the name of its revision. */
export interface Version {
  readonly name: string;
  readonly template: PodTemplateSpec;
}

/** The first ordinal, and the one after the last. */
export function ordinals({ spec }: StatefulSet): { start: number; end: number } {
  const start = spec.ordinals?.start ?? 0;
  return { start, end: start + (spec.replicas ?? 1) };
}

/** A Pod's ordinal within its set; undefined when its name is none of the set's. */
export function ordinalOf(set: StatefulSet, { metadata }: Pod): number | undefined {
  const [, parent, ordinal] = /^(.*)-(0|[1-9]\d*)$/.exec(metadata.name ?? "") ?? [];
  return parent === set.metadata.name && ordinal !== undefined ? Number(ordinal) : undefined;
}

/** The name of the revision that a Pod was made from. */
export function versionOf({ metadata }: Pod): string | undefined {
  return metadata.labels?.[revisionLabel];
}

/** The claims of one ordinal, by the names of their templates. */
function claimNames(set: StatefulSet, ordinal: number): ReadonlyMap<string, string> {
  const templates = set.spec.volumeClaimTemplates ?? [];
  return new Map(
    templates.map(({ metadata }) => [metadata.name ?? "", `${metadata.name}-${set.metadata.name}-${ordinal}`]),
  );
}

/** The keys of the claims of one ordinal. */
export function claimKeys(set: StatefulSet, ordinal: number): readonly Key[] {
  return [...claimNames(set, ordinal).values()].map((name) => toKey(set.metadata.namespace, name));
}

/** The labels that tell a Pod's place. */
function placeLabels(name: string, ordinal: number): Record<string, string> {
  return { [podNameLabel]: name, [podIndexLabel]: String(ordinal) };
}

/** A Pod of an ordinal, to be created. */
export function podOf(set: StatefulSet, ordinal: number, version: Version): Given<Pod> {
  const name = `${set.metadata.name}-${ordinal}`;
  const { metadata, spec } = podFrom(version.template, StatefulSet, set);
  const { generateName: _, ...kept } = metadata;
  const labels = { ...kept.labels, ...placeLabels(name, ordinal), [revisionLabel]: version.name };
  const identity = { hostname: name, subdomain: set.spec.serviceName };
  return {
    metadata: { ...kept, name, labels },
    spec: { ...spec, ...identity, volumes: volumesOf(set, ordinal, version) },
  } as Given<Pod>;
}

/** The set's claims, and what else the template mounts. */
function volumesOf(set: StatefulSet, ordinal: number, { template }: Version): Volume[] {
  const claims = [...claimNames(set, ordinal)].map(([name, claimName]) => ({
    name,
    persistentVolumeClaim: { claimName },
  }));
  const others = (template.spec?.volumes ?? []).filter(({ name }) => claims.every((claim) => claim.name !== name));
  return [...claims, ...others];
}

/** A Pod with the labels of its place, when it lacks them; undefined when it has them. */
export function relabelled(pod: Pod, ordinal: number): Pod | undefined {
  const wanted = placeLabels(pod.metadata.name ?? "", ordinal);
  const labels = pod.metadata.labels ?? {};
  if (Object.entries(wanted).every(([name, value]) => labels[name] === value)) return undefined;
  return { ...pod, metadata: { ...pod.metadata, labels: { ...labels, ...wanted } } };
}

/** The claims of an ordinal, to be created. */
export function claimsOf(set: StatefulSet, ordinal: number): readonly Given<PersistentVolumeClaim>[] {
  const names = claimNames(set, ordinal);
  return (set.spec.volumeClaimTemplates ?? []).map(({ metadata, spec }) => {
    const { namespace } = set.metadata;
    const labels = { ...metadata.labels, ...set.spec.selector?.matchLabels };
    const { annotations } = metadata;
    return {
      metadata: {
        name: names.get(metadata.name ?? "") ?? "",
        ...(namespace !== undefined && { namespace }),
        labels,
        ...(annotations !== undefined && { annotations }),
      },
      spec,
    };
  });
}

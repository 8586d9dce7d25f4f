/**
 * From what an organization wrote to what one cluster is to have. Pure: delivery, `atoll plan` and `atoll why` are the
 * same function on different input.
 */
import type { ClusterGroup } from "@atoll/api/fleet/v1alpha1/clustergroup";
import type { FleetCluster } from "@atoll/api/fleet/v1alpha1/fleetcluster";
import { SecurityPolicy } from "@atoll/api/fleet/v1alpha1/securitypolicy";
import type { ApiObject } from "@atoll/machinery/object";
import { admissionPolicy, type Enforcement, type Envelope, type LabelSelector } from "./admission.ts";
import { levelFor, placeOf, type Target } from "./levels.ts";
import { securityJudgement } from "./security.ts";

/** What an organization wrote. */
export interface Organization {
  readonly groups: ReadonlyMap<string, ClusterGroup>;
  readonly policies: readonly Policy[];
}

/** A policy of any kind. */
export type Policy = SecurityPolicy;

/** The kinds of policies. */
export const policyKinds = [SecurityPolicy] as const;

/** An object that a cluster is to have, and what asks for it. */
export interface Wanted {
  /** KIND/NAME of the policy. */
  readonly source: string;
  readonly generation: number;
  /** Where the policy was written, as `group prod`. */
  readonly level: string;
  readonly manifest: ApiObject;
}

/** Marks what Mission Control made on a cluster. */
export const managedLabel = "fleet.atoll.dev/managed";
/** Says which policy asks for an object. */
export const sourceAnnotation = "fleet.atoll.dev/source";

/** All that one cluster is to have, in a stable order. */
export function compile(cluster: FleetCluster, { groups, policies }: Organization): readonly Wanted[] {
  const place = placeOf(cluster, groups);
  return policies
    .toSorted((a, b) => order(sourceOf(a), sourceOf(b)))
    .flatMap((policy) => {
      const level = levelFor(policy.spec.target as Target, place);
      if (level === undefined) return [];
      const source = sourceOf(policy);
      const generation = policy.metadata.generation ?? 0;
      return manifestsOf(policy).map((manifest) => ({ source, generation, level, manifest: marked(manifest, source) }));
    });
}

/** KIND/NAME. */
export function sourceOf({ kind, metadata }: ApiObject): string {
  return `${kind}/${metadata.name ?? ""}`;
}

function manifestsOf(policy: Policy): readonly ApiObject[] {
  switch (policy.kind) {
    case "SecurityPolicy":
      return admissionPolicy(envelopeOf(policy), securityJudgement(policy.spec));
    default:
      return [];
  }
}

function envelopeOf({ kind, metadata, spec }: Policy): Envelope {
  const { workspace, namespace } = spec.target as Target;
  return {
    name: `fleet-${kind.toLowerCase()}-${metadata.name ?? ""}`,
    enforcement: (spec.enforcement ?? "Enforce") as Enforcement,
    reach: {
      workspace,
      namespace: namespace?.name,
      namespaceSelector: spec.namespaceSelector as LabelSelector | undefined,
    },
  };
}

function marked(manifest: ApiObject, source: string): ApiObject {
  const { labels, annotations } = manifest.metadata;
  return {
    ...manifest,
    metadata: {
      ...manifest.metadata,
      labels: { ...labels, [managedLabel]: "true" },
      annotations: { ...annotations, [sourceAnnotation]: source },
    },
  };
}

function order(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

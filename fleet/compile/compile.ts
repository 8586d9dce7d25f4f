/**
 * From what an organization wrote to what one cluster is to have. Pure: delivery, `atoll plan` and `atoll why` are the
 * same function on different input.
 */
import { AccessPolicy } from "@atoll/api/fleet/v1alpha1/accesspolicy";
import type { ClusterGroup } from "@atoll/api/fleet/v1alpha1/clustergroup";
import { CustomPolicy } from "@atoll/api/fleet/v1alpha1/custompolicy";
import type { FleetCluster } from "@atoll/api/fleet/v1alpha1/fleetcluster";
import type { FleetNamespace } from "@atoll/api/fleet/v1alpha1/fleetnamespace";
import { ImagePolicy } from "@atoll/api/fleet/v1alpha1/imagepolicy";
import { MutationPolicy } from "@atoll/api/fleet/v1alpha1/mutationpolicy";
import type { PolicyException } from "@atoll/api/fleet/v1alpha1/policyexception";
import { QuotaPolicy } from "@atoll/api/fleet/v1alpha1/quotapolicy";
import { SecurityPolicy } from "@atoll/api/fleet/v1alpha1/securitypolicy";
import { TrafficPolicy } from "@atoll/api/fleet/v1alpha1/trafficpolicy";
import type { OwnKind, OwnObject } from "@atoll/api/own/kind";
import { parseTime } from "@atoll/machinery/clock";
import type { ApiObject } from "@atoll/machinery/object";
import { levelFor, type Place, placeOf, type Target } from "./levels.ts";
import { accessObjects } from "./policies/access.ts";
import { customObjects } from "./policies/custom.ts";
import {
  type Enforcement,
  type Envelope,
  type LabelSelector,
  namespacesOf,
  type Output,
  workspaceLabel,
} from "./policies/envelope.ts";
import { imageObjects } from "./policies/image.ts";
import { mutationObjects } from "./policies/mutation.ts";
import { quotaObjects } from "./policies/quota.ts";
import { securityObjects } from "./policies/security.ts";
import { trafficObjects } from "./policies/traffic.ts";

/** A policy of any kind: the envelope, and what is its kind's own. */
export type Policy = OwnObject<
  { readonly target: object; readonly enforcement?: Enforcement; readonly namespaceSelector?: object },
  NonNullable<SecurityPolicy["status"]>
>;

/** What an organization wrote. */
export interface Organization {
  readonly groups: ReadonlyMap<string, ClusterGroup>;
  readonly policies: readonly Policy[];
  readonly namespaces: readonly FleetNamespace[];
  readonly exceptions: readonly PolicyException[];
  /** Exceptions end with time. */
  readonly nowMs: number;
}

/** An object that a cluster is to have, and what asks for it. */
export interface Wanted extends Output {
  /** KIND/NAME of what asks for it. */
  readonly source: string;
  readonly generation: number;
  /** Where that was written, as `group prod`. */
  readonly level: string;
}

interface PolicyKind {
  readonly kind: OwnKind<Policy>;
  objects(policy: Policy, envelope: Envelope): readonly Output[];
}

function policyKind<T extends ApiObject>(
  kind: OwnKind<T>,
  objects: (policy: T, envelope: Envelope) => readonly Output[],
): PolicyKind {
  // Each compiler gets its own kind alone: they are looked up by it.
  return { kind, objects } as unknown as PolicyKind;
}

const kinds: readonly PolicyKind[] = [
  policyKind(AccessPolicy, accessObjects),
  policyKind(CustomPolicy, customObjects),
  policyKind(ImagePolicy, imageObjects),
  policyKind(MutationPolicy, mutationObjects),
  policyKind(QuotaPolicy, quotaObjects),
  policyKind(SecurityPolicy, securityObjects),
  policyKind(TrafficPolicy, trafficObjects),
];

/** The kinds of policies. */
export const policyKinds: readonly OwnKind<Policy>[] = kinds.map(({ kind }) => kind);

/** Marks what Mission Control made on a cluster. */
const managedLabel = "fleet.atoll.dev/managed";
/** Says which policy asks for an object. */
const sourceAnnotation = "fleet.atoll.dev/source";

/** All that one cluster is to have, in a stable order. */
export function compile(cluster: FleetCluster, organization: Organization): readonly Wanted[] {
  const place = placeOf(cluster, organization.groups);
  const namespaces = organization.namespaces
    .filter((namespace) => isOn(namespace, place))
    .map((namespace) => wantedNamespace(namespace));
  const policies = organization.policies.flatMap((policy) => wantedOf(policy, place, organization));
  return [...namespaces, ...policies].toSorted((a, b) => order(a.source, b.source));
}

/** KIND/NAME. */
export function sourceOf({ kind, metadata }: Pick<ApiObject, "kind" | "metadata">): string {
  return `${kind}/${metadata.name ?? ""}`;
}

/** Whether a FleetNamespace is wanted on a cluster. */
export function isOn({ spec }: FleetNamespace, { cluster, groups }: Place): boolean {
  return (spec.clusters ?? []).includes(cluster) || (spec.group !== undefined && groups.includes(spec.group));
}

function wantedOf(policy: Policy, place: Place, organization: Organization): readonly Wanted[] {
  const level = levelFor(policy.spec.target as Target, place);
  const compiler = kinds.find(({ kind }) => kind.kind === policy.kind);
  if (level === undefined || compiler === undefined) return [];
  const source = sourceOf(policy);
  const generation = policy.metadata.generation ?? 0;
  return compiler
    .objects(policy, envelopeOf(policy, place, organization))
    .map((output) => ({ ...output, manifest: marked(output.manifest, source), source, generation, level }));
}

/** What a policy's objects on clusters are called, or begin with. */
export function policyObjectName({ kind, metadata }: Pick<ApiObject, "kind" | "metadata">): string {
  return `fleet-${kind.toLowerCase()}-${metadata.name ?? ""}`;
}

function envelopeOf(policy: Policy, { cluster }: Place, { exceptions, nowMs }: Organization): Envelope {
  const { spec } = policy;
  const { workspace, namespace } = spec.target as Target;
  const namespaceSelector = spec.namespaceSelector as LabelSelector | undefined;
  const exemptions = exceptions
    .filter((exception) => exception.spec.policy === sourceOf(policy))
    .filter((exception) => exception.spec.cluster === undefined || exception.spec.cluster === cluster)
    .filter((exception) => parseTime(exception.spec.expires) > nowMs)
    .map((exception) => ({
      exception: exception.metadata.name ?? "",
      namespace: exception.spec.namespace,
      name: exception.spec.name ?? "",
    }));
  return {
    name: policyObjectName(policy),
    enforcement: spec.enforcement ?? "Enforce",
    namespaces: namespacesOf({ workspace, namespace: namespace?.name, namespaceSelector }),
    everywhere: workspace === undefined && namespace === undefined && namespaceSelector === undefined,
    exemptions,
  };
}

function wantedNamespace(namespace: FleetNamespace): Wanted {
  const { metadata, spec } = namespace;
  const labels = { ...spec.labels, [workspaceLabel]: spec.workspace };
  const manifest = {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name: spec.namespace ?? metadata.name ?? "", labels },
  };
  const source = sourceOf(namespace);
  return {
    source,
    generation: metadata.generation ?? 0,
    level: `workspace ${spec.workspace}`,
    manifest: marked(manifest, source),
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

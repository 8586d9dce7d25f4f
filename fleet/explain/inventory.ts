/** What all clusters have, searched. Pure. */
import type { ClusterInventory } from "@atoll/api/fleet/v1alpha1/clusterinventory";
import type { FleetCluster } from "@atoll/api/fleet/v1alpha1/fleetcluster";

/** One thing of one cluster. */
export interface Found {
  readonly cluster: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly version: string;
  readonly state: string;
  readonly healthy: boolean;
  /** When its agent looked last; absent: never. */
  readonly asOf?: string;
}

/** What is searched for; what is absent makes no difference. */
export interface Search {
  /** All must occur in what is told of a thing, wherever, in upper or lower case. */
  readonly words?: readonly string[];
  /** Kinds, singular or plural, in upper or lower case. */
  readonly kinds?: readonly string[];
  readonly cluster?: string;
  readonly namespace?: string;
  /** Only what is not as it should be. */
  readonly unhealthy?: boolean;
}

/** What is found, and what could not be looked for. */
export interface Findings {
  readonly found: readonly Found[];
  /** Sentences about kinds of which not all is told, or nothing. */
  readonly gaps: readonly string[];
}

/**
 * Searches.
 * @param inventories of whatever clusters: whose they are, their namespace says, in which each agent is locked up
 */
export function searched(
  clusters: readonly FleetCluster[],
  inventories: Iterable<ClusterInventory>,
  search: Search,
): Findings {
  const { kinds, cluster: wanted } = search;
  const ofHome = new Map(
    clusters
      .filter(({ metadata }) => wanted === undefined || metadata.name === wanted)
      .map((cluster) => [cluster.status?.namespace ?? "", cluster]),
  );
  const isWanted = (kind: string) =>
    kinds === undefined || kinds.some((each) => namesOf(kind).includes(each.toLowerCase()));
  const found = [...ofHome.values()].filter(() => isWanted("Cluster")).map(itself);
  const gaps: string[] = [];
  for (const { metadata, spec } of inventories) {
    const cluster = ofHome.get(metadata.namespace ?? "");
    if (cluster === undefined || !isWanted(spec.kind)) continue;
    const { name = "" } = cluster.metadata;
    if (spec.problem !== undefined) gaps.push(`${name}: ${spec.kind}: ${spec.problem}`);
    if (spec.items.length < spec.total)
      gaps.push(`${name}: of ${spec.total} ${metadata.name} ${spec.items.length} are told, the unhealthy ones first`);
    for (const item of spec.items)
      found.push({ cluster: name, kind: spec.kind, ...item, ...asOf(cluster.status?.inventoryTime) });
  }
  return { found: found.filter((one) => fits(one, search)).toSorted(byPlace), gaps };
}

function asOf(time: string | undefined): Pick<Found, "asOf"> {
  return time === undefined ? {} : { asOf: time };
}

/** A cluster is found among what it has. */
function itself({ metadata: { name = "" }, status }: FleetCluster): Found {
  const { phase = "Pending", version = "", nodes, lastSeen } = status ?? {};
  const state = nodes === undefined ? phase : `${phase}, ${nodes.ready}/${nodes.total} nodes ready`;
  const healthy = phase === "Ready" && nodes?.ready === nodes?.total;
  return { cluster: name, kind: "Cluster", namespace: "", name, version, state, healthy, ...asOf(lastSeen) };
}

function namesOf(kind: string): readonly string[] {
  const singular = kind.toLowerCase();
  return [singular, `${singular}s`];
}

function fits(one: Found, { words = [], namespace, unhealthy = false }: Search): boolean {
  if (unhealthy && one.healthy) return false;
  if (namespace !== undefined && one.namespace !== namespace && !(one.kind === "Namespace" && one.name === namespace))
    return false;
  const told = [one.cluster, one.kind, one.namespace, one.name, one.version, one.state].join("\n").toLowerCase();
  return words.every((word) => told.includes(word.toLowerCase()));
}

/** By cluster, kind, namespace and name. */
function byPlace(a: Found, b: Found): number {
  const [one, other] = [a, b].map(({ cluster, kind, namespace, name }) => [cluster, kind, namespace, name].join("\0"));
  if (one === other) return 0;
  return (one ?? "") < (other ?? "") ? -1 : 1;
}

/** An organization as a tree: groups in groups, clusters in them, and the policies that hold at each place. */
import type { ClusterGroup } from "@atoll/api/fleet/v1alpha1/clustergroup";
import type { FleetCluster } from "@atoll/api/fleet/v1alpha1/fleetcluster";
import { type Policy, policyKinds } from "@atoll/fleet/compile/compile";
import { levelFor, type Place, placeOf, type Target } from "@atoll/fleet/compile/levels";
import type { Resource } from "./resources.ts";

/** The kinds of policies, as they are watched. */
export const policyResources: readonly Resource[] = policyKinds;

/** A place in the tree. */
export interface Spot {
  readonly kind: "organization" | "group" | "cluster";
  readonly name: string;
}

/** A place with what is below it. */
export interface Branch extends Spot {
  /** Of a cluster: its phase. */
  readonly phase: string;
  readonly branches: readonly Branch[];
}

/** What the tree is made of. */
export interface Grown {
  readonly organization: string;
  readonly groups: readonly ClusterGroup[];
  readonly clusters: readonly FleetCluster[];
}

const nameOf = ({ metadata }: { metadata: { name?: string } }): string => metadata.name ?? "";
const byName = (a: Branch, b: Branch): number => a.name.localeCompare(b.name);

/** The tree. A group whose parent is not there, or is below itself, hangs at the organization. */
export function treeOf({ organization, groups, clusters }: Grown): Branch {
  const known = groupMap(groups);
  const clustersIn = (group: string): readonly Branch[] =>
    clusters
      .filter(({ spec }) => (known.has(spec.group ?? "") ? spec.group : "") === group)
      .map((cluster) => {
        return {
          kind: "cluster",
          name: nameOf(cluster),
          phase: cluster.status?.phase ?? "Pending",
          branches: [],
        } as const;
      });
  const groupsIn = (parent: string): readonly Branch[] =>
    groups
      .filter((group) => parentOf(group, known) === parent)
      .map((group) => ({ kind: "group", name: nameOf(group), phase: "", branches: below(nameOf(group)) }) as const);
  const below = (group: string) => [...groupsIn(group).toSorted(byName), ...clustersIn(group).toSorted(byName)];
  return { kind: "organization", name: organization, phase: "", branches: below("") };
}

function parentOf(group: ClusterGroup, known: ReadonlyMap<string, ClusterGroup>): string {
  const { parent = "" } = group.spec;
  const path = placeInGroup(parent, known).groups;
  const isRound =
    path.includes(nameOf(group)) ||
    path.some((each) => placeInGroup(known.get(each)?.spec.parent ?? "", known).groups.includes(each));
  return !known.has(parent) || isRound ? "" : parent;
}

/** The groups, by name. */
const groupMap = (groups: readonly ClusterGroup[]): ReadonlyMap<string, ClusterGroup> =>
  new Map(groups.map((group) => [nameOf(group), group]));

/** What holds for something that stands in a group, for itself nothing. */
function placeInGroup(group: string, known: ReadonlyMap<string, ClusterGroup>): Place {
  return placeOf({ metadata: { name: "" }, spec: { group } } as FleetCluster, known);
}

/** A policy that holds at a place. */
export interface Holding {
  readonly policy: Policy;
  /** Where it was written, as `group prod`. */
  readonly level: string;
  readonly isInherited: boolean;
  /** Of a cluster: how far it is there, and why. */
  readonly state: string;
  readonly reason: string;
}

/** The policies that hold at a place, those written there first. */
export function holdingsAt(spot: Spot, { groups, clusters }: Grown, policies: readonly Policy[]): readonly Holding[] {
  const place = placeOfSpot(spot, groupMap(groups), clusters);
  const holdings = policies.flatMap((policy): readonly Holding[] => {
    const level = levelFor(policy.spec.target as Target, place);
    if (level === undefined) return [];
    const { state = "", reason = "" } = policy.status?.clusters?.find(({ name }) => name === place.cluster) ?? {};
    return [{ policy, level, isInherited: level !== levelOf(spot), state, reason }];
  });
  return holdings.toSorted(
    (a, b) => Number(a.isInherited) - Number(b.isInherited) || nameOf(a.policy).localeCompare(nameOf(b.policy)),
  );
}

const levelOf = ({ kind, name }: Spot): string => (kind === "organization" ? kind : `${kind} ${name}`);

function placeOfSpot(
  { kind, name }: Spot,
  groups: ReadonlyMap<string, ClusterGroup>,
  clusters: readonly FleetCluster[],
): Place {
  const cluster = clusters.find((each) => kind === "cluster" && nameOf(each) === name);
  if (cluster !== undefined) return placeOf(cluster, groups);
  return placeInGroup(kind === "group" ? name : "", groups);
}

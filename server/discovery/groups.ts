/**
 * What is served, by group and version, in the order discovery lists it: groups by the largest priority of their
 * versions, then by name; versions by their priority, then as Kubernetes orders version names.
 * Source: k8s.io/kube-aggregator/pkg/apiserver/handler_apis.go, k8s.io/apiserver/pkg/endpoints/discovery/aggregated
 */
import type { Kind } from "@atoll/api/kind";
import { builtinPriorities, customPriority, type GroupPriority } from "@atoll/api/resources";
import { compareVersions } from "@atoll/machinery/versions";

/** A version of a group that another server serves, by an APIService. */
export interface RemoteVersion {
  readonly group: string;
  readonly version: string;
  /** groupPriorityMinimum and versionPriority of the APIService. */
  readonly priority: GroupPriority;
  /** Its resources as that server's aggregated discovery tells of them; undefined while it cannot be asked. */
  readonly resources: readonly unknown[] | undefined;
}

/** One version of a group. */
export interface ServedVersion {
  readonly version: string;
  readonly priority: GroupPriority;
  /** Sorted by plural; empty when another server serves it. */
  readonly kinds: readonly Kind[];
  readonly remote: RemoteVersion | undefined;
}

/** One group, its preferred version first. */
export interface ServedGroup {
  readonly name: string;
  readonly versions: readonly [ServedVersion, ...ServedVersion[]];
}

/** The group that has no APIService, and always comes first. */
const registration = "apiregistration.k8s.io";

function byName(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function localVersions(kinds: readonly Kind[]): ServedVersion[] {
  const groups = Map.groupBy(kinds, ({ group, version }) => `${group}/${version}`);
  return [...groups].map(([key, members]) => ({
    version: members[0]?.version ?? "",
    priority: builtinPriorities[key] ?? customPriority,
    kinds: members.toSorted((a, b) => byName(a.plural, b.plural)),
    remote: undefined,
  }));
}

function compareServed(a: ServedVersion, b: ServedVersion): number {
  return b.priority.version - a.priority.version || compareVersions(a.version, b.version);
}

function priorityOf({ name, versions }: ServedGroup): number {
  if (name === registration) return Number.POSITIVE_INFINITY;
  return Math.max(...versions.map(({ priority }) => priority.group));
}

/**
 * Groups of the kinds served here and of those other servers serve, in order; the core's group has the name "" and is
 * among them. Where an APIService names a version that is served here too, the APIService wins.
 */
export function servedGroups(kinds: readonly Kind[], remotes: readonly RemoteVersion[] = []): readonly ServedGroup[] {
  const taken = new Set(remotes.map(({ group, version }) => `${group}/${version}`));
  const local = kinds.filter(({ group, version }) => !taken.has(`${group}/${version}`));
  const byGroup = new Map<string, ServedVersion[]>();
  for (const [group, members] of Map.groupBy(local, (kind) => kind.group)) byGroup.set(group, localVersions(members));
  for (const remote of remotes) {
    const versions = byGroup.get(remote.group) ?? [];
    versions.push({ version: remote.version, priority: remote.priority, kinds: [], remote });
    byGroup.set(remote.group, versions);
  }
  const groups = [...byGroup].flatMap(([name, versions]) => {
    const [first, ...rest] = versions.sort(compareServed);
    return first === undefined ? [] : [{ name, versions: [first, ...rest] as const }];
  });
  return groups.sort((a, b) => {
    const difference = priorityOf(b) - priorityOf(a);
    // Two infinities differ by NaN.
    return Number.isNaN(difference) || difference === 0 ? byName(a.name, b.name) : difference;
  });
}

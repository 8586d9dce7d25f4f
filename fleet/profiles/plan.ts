/** The ClusterProfile of a FleetCluster. Pure. */
import type { FleetCluster } from "@atoll/api/fleet/v1alpha1/fleetcluster";
import { type ClusterProfile, managerLabel, memberLabel } from "@atoll/api/multicluster/clusterprofile";
import { formatTime } from "@atoll/machinery/clock";

type Status = NonNullable<ClusterProfile["status"]>;
type Property = NonNullable<Status["properties"]>[number];

/** What Atoll calls itself there. */
export const manager = "atoll";
const healthy = "ControlPlaneHealthy";

/** The profile, but for its status. It goes with its cluster. */
export function profileOf({ metadata }: FleetCluster): ClusterProfile {
  const { name = "", namespace = "", uid = "" } = metadata;
  return {
    apiVersion: "multicluster.x-k8s.io/v1alpha1",
    kind: "ClusterProfile",
    metadata: {
      name,
      namespace,
      labels: { [managerLabel]: manager, [memberLabel]: uid },
      ownerReferences: [{ apiVersion: "fleet.atoll.dev/v1alpha1", kind: "FleetCluster", name, uid, controller: true }],
    },
    spec: { displayName: name, clusterManager: { name: manager } },
  };
}

/**
 * What is known of the cluster. An agent that is not heard of leaves the health unknown, and its last word on the rest
 * stands; what is seen again as it was keeps the time when it was seen first, so that reports without news write nothing.
 * @param before the profile's status as it is
 */
export function statusOf(cluster: FleetCluster, before: Status | undefined, nowMs: number): Status {
  const { status = {} } = cluster;
  return {
    conditions: [healthOf(cluster, before, nowMs)],
    ...(status.version === undefined ? {} : { version: { kubernetes: status.version } }),
    properties: propertiesOf(cluster).map(([name, value]) => {
      const known = before?.properties?.find((each) => each.name === name && each.value === value);
      return known ?? ({ name, value, lastObservedTime: status.lastSeen ?? formatTime(nowMs) } as Property);
    }),
  } as Status;
}

function healthOf({ status = {} }: FleetCluster, before: Status | undefined, nowMs: number) {
  const ready = status.conditions?.find(({ type }) => type === "Ready");
  const judged = {
    type: healthy,
    status: status.phase === "Ready" ? "True" : "Unknown",
    reason: ready?.reason ?? "Pending",
    message: ready?.message ?? "Nothing is known of the cluster yet.",
  };
  const last = before?.conditions?.find(({ type }) => type === healthy);
  const isSame = last?.status === judged.status;
  return { ...judged, lastTransitionTime: isSame ? last.lastTransitionTime : formatTime(nowMs) };
}

/** Well-known names first. Source: KEP-2149 */
function propertiesOf({ metadata, spec, status = {} }: FleetCluster): readonly (readonly [string, string])[] {
  const { nodes, capacity = {} } = status;
  return [
    ["clusterset.k8s.io/cluster-id", metadata.uid ?? ""],
    ...(spec.group === undefined ? [] : [["fleet.atoll.dev/group", spec.group] as const]),
    ...(nodes === undefined ? [] : [["fleet.atoll.dev/nodes", String(nodes.total)] as const]),
    ...["cpu", "memory"].flatMap((name) => {
      const quantity = capacity[name];
      return quantity === undefined ? [] : [[`fleet.atoll.dev/capacity-${name}`, quantity] as const];
    }),
  ];
}

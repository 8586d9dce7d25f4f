/**
 * What a FleetCluster needs on the hub, and where it stands. Pure.
 */
import type { ClusterReport } from "@atoll/api/fleet/v1alpha1/clusterreport";
import type { FleetCluster } from "@atoll/api/fleet/v1alpha1/fleetcluster";
import type { Condition } from "@atoll/api/own/kind";
import { formatTime, parseTime } from "@atoll/machinery/clock";
import type { ApiObject } from "@atoll/machinery/object";
import { agentUser, clusterLabel, furnishedAnnotation, furnishing, gatewayUser, organizationLabel } from "./names.ts";

type Status = NonNullable<FleetCluster["status"]>;

/** An agent that has not reported for so long is away: three of its reports. */
export const awayAfterMs = 90_000;

/** The cluster's namespace. @param furnished all that belongs to it has been made */
export function hubNamespace(cluster: FleetCluster, namespace: string, furnished: boolean): ApiObject {
  const { name = "", namespace: organization = "" } = cluster.metadata;
  const labels = { [organizationLabel]: organization, [clusterLabel]: name };
  const annotations = furnished ? { annotations: { [furnishedAnnotation]: furnishing } } : {};
  return { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace, labels, ...annotations } };
}

/**
 * What belongs to it: the agent may do there what follows from its part, and nothing elsewhere; the gateway may speak in
 * this agent's name.
 * @param owner the namespace as it was made: with it goes what is not in it
 */
export function hubObjects(namespace: string, owner: ApiObject): readonly ApiObject[] {
  const rbac = "rbac.authorization.k8s.io";
  const metadata = { name: "fleet-agent", namespace };
  const group = "fleet.atoll.dev";
  const { uid = "" } = owner.metadata;
  const speaking = {
    name: `fleet-gateway-${namespace}`,
    ownerReferences: [{ apiVersion: "v1", kind: "Namespace", name: namespace, uid }],
  };
  return [
    {
      apiVersion: `${rbac}/v1`,
      kind: "Role",
      metadata,
      rules: [
        { apiGroups: [group], resources: ["works"], verbs: ["get", "list", "watch"] },
        { apiGroups: [group], resources: ["works/status"], verbs: ["get", "update", "patch"] },
        { apiGroups: [group], resources: ["clusterreports"], verbs: ["get", "create", "update", "patch"] },
        { apiGroups: [group], resources: ["clusterinventories"], verbs: ["get", "create", "update", "delete"] },
      ],
    },
    {
      apiVersion: `${rbac}/v1`,
      kind: "RoleBinding",
      metadata,
      roleRef: { apiGroup: rbac, kind: "Role", name: metadata.name },
      subjects: [{ apiGroup: rbac, kind: "User", name: agentUser(namespace) }],
    },
    {
      apiVersion: `${rbac}/v1`,
      kind: "ClusterRole",
      metadata: speaking,
      rules: [{ apiGroups: [""], resources: ["users"], verbs: ["impersonate"], resourceNames: [agentUser(namespace)] }],
    },
    {
      apiVersion: `${rbac}/v1`,
      kind: "ClusterRoleBinding",
      metadata: speaking,
      roleRef: { apiGroup: rbac, kind: "ClusterRole", name: speaking.name },
      subjects: [{ apiGroup: rbac, kind: "User", name: gatewayUser }],
    },
  ];
}

/** Where the cluster stands, by what its agent said last. */
export function statusOf(
  cluster: FleetCluster,
  report: ClusterReport | undefined,
  { namespace, nowMs }: { readonly namespace: string; readonly nowMs: number },
): Status {
  const runs = runsOf(cluster, report);
  const phase = phaseOf({ ...cluster, status: { ...cluster.status, ...runs } }, report, nowMs);
  const { version, agentVersion, nodes, capacity, usage } = report?.spec ?? {};
  return {
    ...(usage === undefined ? cluster.status : withUsage(cluster.status, usage)),
    ...runs,
    phase,
    namespace,
    ...(report === undefined
      ? {}
      : {
          version,
          agentVersion,
          nodes,
          capacity,
          violations: report.spec.violationsTotal,
          lastSeen: report.spec.time,
          ...(report.spec.inventoryTime === undefined ? {} : { inventoryTime: report.spec.inventoryTime }),
        }),
    conditions: [readyCondition(cluster, { phase, nowMs })],
  } as Status;
}

/** What is used stands there only while it is known. */
function withUsage(
  status: FleetCluster["status"],
  { time, requested, used, problem }: NonNullable<ClusterReport["spec"]["usage"]>,
): Partial<Status> {
  const { used: _, usageProblem: __, ...kept } = status ?? {};
  return {
    ...kept,
    requested,
    usageTime: time,
    ...(used === undefined ? {} : { used }),
    ...(problem === undefined ? {} : { usageProblem: problem }),
  };
}

/**
 * Which runs of the agent reported. Each names itself anew, so one that comes back after another is beside it: two agents
 * have one identity, and neither is to be believed until one registers with a new token.
 */
function runsOf({ status = {} }: FleetCluster, report: ClusterReport | undefined): Partial<Status> {
  const { instance, formerInstance, agentKey } = status;
  const now = report?.spec.instance;
  if (now === undefined || now === instance) return {};
  const fenced = now === formerInstance && agentKey !== undefined ? { fencedKey: agentKey } : {};
  return { instance: now, ...(instance === undefined ? {} : { formerInstance: instance }), ...fenced };
}

function phaseOf(
  cluster: FleetCluster,
  report: ClusterReport | undefined,
  nowMs: number,
): NonNullable<Status["phase"]> {
  if (cluster.metadata.deletionTimestamp !== undefined) return "Detaching";
  if (cluster.spec.revoked === true) return "Revoked";
  const { fencedKey, agentKey } = cluster.status ?? {};
  if (fencedKey !== undefined && fencedKey === agentKey) return "Fenced";
  if (report === undefined) return "Pending";
  return nowMs - parseTime(report.spec.time) > awayAfterMs ? "Disconnected" : "Ready";
}

const sentences: Readonly<Record<NonNullable<Status["phase"]>, string>> = {
  Pending: "Waiting for the cluster's agent to report for the first time.",
  Ready: "The cluster's agent reports.",
  Disconnected: "The cluster's agent has not reported lately; it goes on enforcing what it has.",
  Revoked: "The cluster's agent is not let in any more.",
  Fenced: "Two agents use one identity, and neither is let in. Attach the cluster anew, and end the other agent.",
  Detaching:
    "Waiting for the agent to remove what it made; annotate fleet.atoll.dev/force-detach=true to stop waiting.",
};

function readyCondition(cluster: FleetCluster, at: { phase: NonNullable<Status["phase"]>; nowMs: number }): Condition {
  const status = at.phase === "Ready" ? "True" : "False";
  const before = cluster.status?.conditions?.find(({ type }) => type === "Ready");
  const same = before?.status === status && before.reason === at.phase;
  return {
    type: "Ready",
    status,
    reason: at.phase,
    message: sentences[at.phase],
    lastTransitionTime: same ? before.lastTransitionTime : formatTime(at.nowMs),
  };
}

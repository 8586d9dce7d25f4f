/** Where pods of the system itself are; nobody but the administrator makes any there. */
export const systemNamespace = "atoll-system";

/**
 * Label of a pod of the system itself that may call its host's own addresses over TCP, as a fleet's agent whose hub is on the same
 * host. It says nothing elsewhere.
 */
export const reachesHostLabel = "supervisor.atoll.dev/reaches-host";

/** Of a Service: further namespaces whose pods it opens the way for, with commas. */
const exportAnnotation = "supervisor.atoll.dev/exported-to";

/** The namespaces that a Service is exported to. */
export function exportedTo({
  annotations,
  namespace,
}: {
  readonly annotations?: Readonly<Record<string, string>>;
  readonly namespace?: string;
}): readonly string[] {
  const listed = annotations?.[exportAnnotation]?.split(",") ?? [];
  return listed.map((each) => each.trim()).filter((each) => each !== "" && each !== namespace);
}

/**
 * Of a Node: ports that the host itself listens at, beyond its loopback, as `22/TCP,53/UDP`. Told by the node; only a host
 * that has told them lends its own address to LoadBalancers.
 */
export const takenPortsAnnotation = "supervisor.atoll.dev/taken-ports";

/** Condition of a LoadBalancer that has an address: its message is the name of the Node that answers to it. */
export const announcedCondition = "supervisor.atoll.dev/Announced";

/** Annotations of a Node: the ranges of addresses of the cluster that it is in. */
export const podRangeAnnotation = "supervisor.atoll.dev/pod-range";
export const serviceRangeAnnotation = "supervisor.atoll.dev/service-range";

/** Of a Node: its own uid, by which its host says that it has left for good, and nothing runs there any more. */
export const leftAnnotation = "supervisor.atoll.dev/left";

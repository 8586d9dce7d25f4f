/** What of a Pod is for the network of its host. Pure. */
import { reachesHostLabel, systemNamespace } from "@atoll/api/supervisor/annotations";
import type { Pod } from "@atoll/client/builtin";
import type { PodIdentity } from "@atoll/net/network";
import { namedPortsOf } from "@atoll/net/policies/facts";

/** What a Pod is to the network of its host. */
export function identityOf({ metadata, spec }: Pod): PodIdentity {
  const { uid = "", namespace = "", name = "", labels = {} } = metadata;
  const reachesHost = namespace === systemNamespace && labels[reachesHostLabel] === "true";
  return { uid, namespace, name, labels, ports: namedPortsOf(spec), reachesHost };
}

/** What of a Pod need be remembered. */
export function trimPod({ apiVersion, kind, metadata, spec, status }: Pod): Pod {
  const { name = "", namespace = "", uid = "", resourceVersion = "", labels } = metadata;
  const { phase, podIP } = status;
  const ports = namedPortsOf(spec).map(({ port, ...rest }) => ({ ...rest, containerPort: port }));
  return {
    apiVersion,
    kind,
    metadata: { name, namespace, uid, resourceVersion, ...(labels === undefined ? {} : { labels }) },
    spec: { containers: [{ name: "", ports }] } as unknown as Pod["spec"],
    status: { phase, podIP } as Pod["status"],
  };
}

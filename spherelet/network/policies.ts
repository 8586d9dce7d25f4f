/** Pods, namespaces and NetworkPolicies as the facts that decide who may talk to whom. Pure. */
import { networkLabel } from "@atoll/api/supervisor/v1alpha1/supervisornamespace";
import type { Namespace, NetworkPolicy, Pod } from "@atoll/client/builtin";
import type { PodIdentity } from "@atoll/net/network";
import type { Policy, PolicyNamespace, PolicyPod } from "@atoll/net/policies/world";

/** What a Pod is to the network of its host. */
export function identityOf({ metadata, spec }: Pod): PodIdentity {
  const { uid = "", namespace = "", name = "", labels = {} } = metadata;
  return { uid, namespace, name, labels, ports: portsOf(spec) };
}

/** A Pod as policies see it. One that has ended is nobody, for its address may be another's. */
export function policyPodOf({ metadata, spec, status }: Pod): PolicyPod {
  const { uid = "", namespace = "", name = "", labels = {} } = metadata;
  const ended = status.phase === "Succeeded" || status.phase === "Failed";
  return { uid, namespace, name, labels, address: ended ? undefined : status.podIP, ports: portsOf(spec) };
}

function portsOf({ containers, initContainers }: Pod["spec"]): PolicyPod["ports"] {
  return [...(containers ?? []), ...(initContainers ?? [])].flatMap(({ ports = [] }) =>
    ports.flatMap(({ name, protocol = "TCP", containerPort }) =>
      name === undefined ? [] : [{ name, protocol, port: containerPort }],
    ),
  );
}

/** A NetworkPolicy. */
export function policyOf({ metadata: { namespace = "", name = "" }, spec }: NetworkPolicy): Policy {
  return { namespace, name, spec };
}

/** A namespace. */
export function policyNamespaceOf({ metadata: { labels = {} } }: Namespace): PolicyNamespace {
  return { labels, flat: labels[networkLabel] === "Flat" };
}

/** What of a Pod need be remembered. */
export function trimPod({ apiVersion, kind, metadata, spec, status }: Pod): Pod {
  const { name = "", namespace = "", uid = "", resourceVersion = "", labels } = metadata;
  const { phase, podIP } = status;
  const ports = portsOf(spec).map(({ port, ...rest }) => ({ ...rest, containerPort: port }));
  return {
    apiVersion,
    kind,
    metadata: { name, namespace, uid, resourceVersion, ...(labels === undefined ? {} : { labels }) },
    spec: { containers: [{ name: "", ports }] } as unknown as Pod["spec"],
    status: { phase, podIP } as Pod["status"],
  };
}

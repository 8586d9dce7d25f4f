/** Pods, namespaces and NetworkPolicies of the API as the facts that decide who may talk to whom. Pure. */
import type { Namespace, Pod, PodSpec } from "@atoll/api/builtin/core/v1.types";
import type { NetworkPolicy } from "@atoll/api/builtin/networking.k8s.io/v1.types";
import { networkLabel } from "@atoll/api/supervisor/v1alpha1/supervisornamespace";
import type { Policy, PolicyNamespace, PolicyPod } from "./world.ts";

/** A Pod as policies see it. One that has ended is nobody, for its address may be another's. */
export function policyPodOf({ metadata, spec, status }: Pod): PolicyPod {
  const { uid = "", namespace = "", name = "", labels = {} } = metadata;
  const ended = status.phase === "Succeeded" || status.phase === "Failed";
  return { uid, namespace, name, labels, address: ended ? undefined : status.podIP, ports: namedPortsOf(spec) };
}

/** Ports by which policies may name a Pod. */
export function namedPortsOf({ containers, initContainers }: PodSpec): PolicyPod["ports"] {
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

/** TrafficPolicy: who may talk to whom. */
import type { TrafficPolicy } from "@atoll/api/fleet/v1alpha1/trafficpolicy";
import type { Envelope, Output } from "./envelope.ts";

type Spec = TrafficPolicy["spec"];

/** A NetworkPolicy in each namespace. Source: networking.k8s.io/v1 */
export function trafficObjects({ spec }: TrafficPolicy, { name, namespaces }: Envelope): readonly Output[] {
  const body = { podSelector: spec.podSelector ?? {}, ...rulesOf(spec) };
  const manifest = { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata: { name }, spec: body };
  return [{ eachNamespace: namespaces, manifest }];
}

// A list with one empty rule allows everything; no list denies everything.
const anything = [{}];

function rulesOf({ recipe, rules = [] }: Spec): object {
  switch (recipe) {
    case "AllowAll":
      return { policyTypes: ["Ingress", "Egress"], ingress: anything, egress: anything };
    case "AllowAllToPods":
      return { policyTypes: ["Ingress"], ingress: anything };
    case "AllowAllEgress":
      return { policyTypes: ["Egress"], egress: anything };
    case "DenyAll":
      return { policyTypes: ["Ingress", "Egress"] };
    case "DenyAllToPods":
      return { policyTypes: ["Ingress"] };
    case "DenyAllEgress":
      return { policyTypes: ["Egress"] };
    case "CustomIngress":
      return { policyTypes: ["Ingress"], ingress: rules };
    case "CustomEgress":
      return { policyTypes: ["Egress"], egress: rules };
  }
}

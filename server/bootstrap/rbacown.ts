/** Atoll's own roles: what its parts need beyond the roles that Kubernetes has for such parts. */
import type { PolicyRule, Subject } from "@atoll/api/builtin/rbac.authorization.k8s.io/v1.types";
import { group, on, user } from "./rbacnotation.ts";

/** A ClusterRole, and who has it. */
export interface OwnPolicy {
  readonly name: string;
  readonly rules: readonly PolicyRule[];
  readonly subjects: readonly Subject[];
  /** Rules that earlier releases gave, taken back as they stood; what somebody else added stays. */
  readonly withdrawn?: readonly PolicyRule[];
}

/** The group of tokens by which hosts join. */
export const hostJoinGroup = "system:bootstrappers:atoll:hosts";

/** Whatever else runs. */
export const ownPolicies: readonly OwnPolicy[] = [
  {
    // A node makes the ways to Services, answers for their names, and isolates pods, by itself.
    name: "atoll:node-network",
    rules: [
      on("core", "read", "namespaces services"),
      on("discovery.k8s.io", "read", "endpointslices"),
      on("networking.k8s.io", "read", "networkpolicies"),
    ],
    subjects: [group("system:nodes")],
  },
  {
    // A node renews its own certificate, and its kubelet's API has one of the cluster from the first minute, only for
    // addresses of the node's own.
    name: "atoll:node-certificates",
    rules: [
      on(
        "certificates.k8s.io",
        "create",
        "certificatesigningrequests/selfnodeclient certificatesigningrequests/selfnodeserver",
      ),
    ],
    subjects: [group("system:nodes")],
  },
  {
    // Who has a token of `atoll host token` may ask for the certificate of a node that is not there yet, and no more.
    name: "atoll:host-join",
    rules: [
      on("certificates.k8s.io", "create get", "certificatesigningrequests"),
      on("certificates.k8s.io", "create", "certificatesigningrequests/nodeclient"),
    ],
    subjects: [group(hostJoinGroup)],
  },
  {
    // The server itself, as nodes see it.
    name: "atoll:kubelet-client",
    rules: [on("core", "*", "nodes/configz nodes/healthz nodes/log nodes/metrics nodes/pods nodes/proxy nodes/stats")],
    subjects: [user("kube-apiserver-kubelet-client")],
  },
];

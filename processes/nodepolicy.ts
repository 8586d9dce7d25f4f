/** What nodes may do beside what Kubernetes lets them: read what their network is made of, and tell of their machines. */
import { group } from "@atoll/server/bootstrap/rbacnotation";
import type { OwnPolicy } from "@atoll/server/bootstrap/rbacown";

const verbs = ["get", "list", "watch"];

/**
 * Services, endpoints, and who NetworkPolicies are about, become rules of the host. Source: upstream's
 * system:node-proxier, and what agents of policy engines are given
 */
export const nodesPolicy: OwnPolicy = {
  name: "atoll:nodes",
  rules: [
    { verbs, apiGroups: [""], resources: ["services", "namespaces", "pods"] },
    { verbs, apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"] },
    { verbs, apiGroups: ["networking.k8s.io"], resources: ["networkpolicies"] },
    // An admission policy holds each node to its own.
    { verbs: [...verbs, "create", "update", "delete"], apiGroups: ["supervisor.atoll.dev"], resources: ["hostvms"] },
  ],
  subjects: [group("system:nodes")],
};

/**
 * What nodes may do beside what Kubernetes lets them: read what their network is made of. Their machines and what they know
 * of others' pods the Node authorizer decides about, which knows whose is whose.
 */
import { group } from "@atoll/server/bootstrap/rbacnotation";
import type { OwnPolicy } from "@atoll/server/bootstrap/rbacown";

const verbs = ["get", "list", "watch"];

/**
 * Services, endpoints and NetworkPolicies become rules of the host, namespaces are names. Other nodes' pods are none of a
 * node's business. Source: upstream's system:node-proxier
 */
export const nodesPolicy: OwnPolicy = {
  name: "atoll:nodes",
  rules: [
    { verbs, apiGroups: [""], resources: ["services", "namespaces"] },
    { verbs, apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"] },
    { verbs, apiGroups: ["networking.k8s.io"], resources: ["networkpolicies"] },
    // Which there are to look for.
    { verbs, apiGroups: ["supervisor.atoll.dev"], resources: ["datastores"] },
  ],
  subjects: [group("system:nodes")],
  // Of all nodes' machines; the Node authorizer now lets each have its own.
  withdrawn: [
    { verbs: [...verbs, "create", "update", "delete"], apiGroups: ["supervisor.atoll.dev"], resources: ["hostvms"] },
  ],
};

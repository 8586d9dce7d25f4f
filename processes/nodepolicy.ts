/** What nodes may read beside what Kubernetes gives to them: their network is made of it. */
import { group } from "@atoll/server/bootstrap/rbacnotation";
import type { OwnPolicy } from "@atoll/server/bootstrap/rbacown";

const verbs = ["get", "list", "watch"];

/** Services and endpoints become rules of the host, namespaces are names. Source: upstream's system:node-proxier */
export const nodesPolicy: OwnPolicy = {
  name: "atoll:nodes",
  rules: [
    { verbs, apiGroups: [""], resources: ["services", "namespaces"] },
    { verbs, apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"] },
  ],
  subjects: [group("system:nodes")],
};

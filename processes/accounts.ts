/**
 * Who the parts of the system are to the API server: each has a certificate and a role of its own, and none is in
 * system:masters.
 */
import { join } from "node:path";
import type { PolicyRule } from "@atoll/api/builtin/rbac.authorization.k8s.io/v1.types";
import { systemClock } from "@atoll/machinery/clock";
import { group, user } from "@atoll/server/bootstrap/rbacnotation";
import type { OwnPolicy } from "@atoll/server/bootstrap/rbacown";
import { issue } from "@atoll/server/pki/authority";
import { type Pki, servesYet } from "@atoll/server/pki/folder";
import { writePrivate } from "@atoll/server/pki/private";
import { gatewayUser, previewName } from "@atoll/fleet/cluster/names";
import { consoleUser } from "@atoll/portal/links";
import { controllersRules } from "./controllersrules.ts";
import { formatKubeconfig, readKubeconfig } from "./kubeconfig.ts";

const manager = "system:kube-controller-manager";
const days = 365;

/** Writes the parts' kubeconfigs into a data directory, with new certificates unless those there serve still. */
export async function writeAccounts(
  data: string,
  pki: Pki,
  { url, node }: { url: string; node: string },
): Promise<void> {
  const write = async (file: string, commonName: string, organizations: readonly string[] = []) => {
    const known = await readKubeconfig(join(data, file));
    const isGood = known?.server === url && known.ca === pki.ca.cert && known.user === commonName;
    if (isGood && servesYet(known.identity, pki.ca, systemClock.nowMs())) return;
    const identity = await issue(pki.ca, { commonName, organizations, usage: "client", days }, systemClock.nowMs());
    const text = formatKubeconfig({ server: url, ca: pki.ca.cert, user: commonName, identity });
    await writePrivate(join(data, file), text);
  };
  await Promise.all([
    write("controllers.kubeconfig", manager),
    write("scheduler.kubeconfig", "system:kube-scheduler"),
    write("gateway.kubeconfig", gatewayUser),
    write("console.kubeconfig", consoleUser),
    write("node.kubeconfig", `system:node:${node}`, ["system:nodes"]),
  ]);
}

const policies = ["access", "custom", "image", "mutation", "quota", "security", "traffic"].map((of) => `${of}policies`);

/** What the gateway of Mission Control does: lets agents in, has their certificates signed, and speaks in their names. */
export const gatewayPolicy: OwnPolicy = {
  name: "atoll:gateway",
  rules: [
    rule(["get", "create"], "", ["namespaces"]),
    rule(["get", "create", "delete"], "", ["secrets"]),
    rule(["get", "create", "patch"], "", ["configmaps"]),
    rule(["get", "list", "watch"], "fleet.atoll.dev", ["fleetclusters"]),
    rule(["update"], "fleet.atoll.dev", ["fleetclusters/status"]),
    // What a dry run would change on clusters.
    rule(["list"], "fleet.atoll.dev", ["clustergroups", "fleetnamespaces", "policyexceptions", ...policies]),
    {
      ...rule(["get", "create", "patch"], "admissionregistration.k8s.io", ["validatingwebhookconfigurations"]),
      resourceNames: [previewName],
    },
    // Who a person is that wants to reach a cluster, and whether they may.
    rule(["create"], "authentication.k8s.io", ["tokenreviews"]),
    rule(["create"], "authorization.k8s.io", ["subjectaccessreviews"]),
    rule(["get", "create"], "certificates.k8s.io", ["certificatesigningrequests"]),
    rule(["update"], "certificates.k8s.io", ["certificatesigningrequests/approval"]),
    {
      ...rule(["approve"], "certificates.k8s.io", ["signers"]),
      resourceNames: ["kubernetes.io/kube-apiserver-client"],
    },
  ],
  subjects: [user(gatewayUser)],
};

/** The controllers' role: what they declare to write, and no more. */
export const controllersPolicy: OwnPolicy = {
  name: "atoll:controllers",
  rules: controllersRules,
  subjects: [user(manager), group("atoll:controllers")],
};

function rule(verbs: string[], apiGroup: string, resources: string[]): PolicyRule {
  return { verbs, apiGroups: [apiGroup], resources };
}

/**
 * Who the parts of the system are to the API server: each has a certificate and a role of its own, and none is in
 * system:masters.
 */
import { join } from "node:path";
import type { PolicyRule } from "@atoll/api/builtin/rbac.authorization.k8s.io/v1.types";
import type { AnyResource } from "@atoll/client/resource";
import type { Claim, Write } from "@atoll/runtime/claims";
import type { Controller } from "@atoll/runtime/controller";
import { systemClock } from "@atoll/machinery/clock";
import { group, user } from "@atoll/server/bootstrap/rbacnotation";
import type { OwnPolicy } from "@atoll/server/bootstrap/rbacown";
import { issue } from "@atoll/server/pki/authority";
import { type Pki, servesYet } from "@atoll/server/pki/folder";
import { writePrivate } from "@atoll/server/pki/private";
import { gatewayUser } from "@atoll/fleet/cluster/names";
import { consoleUser } from "@atoll/portal/links";
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

/** What the gateway of Mission Control does: lets agents in, has their certificates signed, and speaks in their names. */
export const gatewayPolicy: OwnPolicy = {
  name: "atoll:gateway",
  rules: [
    rule(["get", "create"], "", ["namespaces"]),
    rule(["get", "create", "delete"], "", ["secrets"]),
    rule(["get", "create", "patch"], "", ["configmaps"]),
    rule(["get", "list", "watch"], "fleet.atoll.dev", ["fleetclusters"]),
    rule(["update"], "fleet.atoll.dev", ["fleetclusters/status"]),
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

/** Beside what a controller declares: to speak of what happened, to lead, to sign, and to name owners. */
const common: readonly PolicyRule[] = [
  rule(["create", "patch", "update"], "", ["events"]),
  rule(["create", "patch", "update"], "events.k8s.io", ["events"]),
  rule(["create", "get", "patch", "update"], "coordination.k8s.io", ["leases"]),
  rule(["approve", "sign"], "certificates.k8s.io", ["signers"]),
  rule(["escalate"], "rbac.authorization.k8s.io", ["clusterroles"]),
  // What the agent of an attached cluster may do in its namespace, the controllers themselves need not.
  rule(["bind", "escalate"], "rbac.authorization.k8s.io", ["roles"]),
  // In whose name the gateway may speak. Whoever may change ClusterRoles could give themselves as much: this account is to
  // be guarded like the admin's.
  rule(["bind"], "rbac.authorization.k8s.io", ["clusterroles"]),
  // What nodes and pods use.
  rule(["get"], "", ["nodes/proxy"]),
  // The kinds of Atoll's own.
  rule(["create", "patch"], "apiextensions.k8s.io", ["customresourcedefinitions"]),
  rule(["create", "patch"], "admissionregistration.k8s.io", [
    "validatingadmissionpolicies",
    "validatingadmissionpolicybindings",
  ]),
  rule(["get", "list", "watch"], "*", ["*"]),
  rule(["update"], "*", ["*/finalizers"]),
];

/** The controllers' role: what they declare to write, and no more. */
export function controllersPolicy(controllers: readonly Controller[]): OwnPolicy {
  const rules = controllers.flatMap(({ writes }) => writes.flatMap(rulesOf));
  const different = new Map([...common, ...rules].map((each) => [JSON.stringify(each), each]));
  return {
    name: "atoll:controllers",
    rules: [...different.values()],
    subjects: [user(manager), group("atoll:controllers")],
  };
}

function rule(verbs: string[], apiGroup: string, resources: string[]): PolicyRule {
  return { verbs, apiGroups: [apiGroup], resources };
}

const writes = ["create", "delete", "deletecollection", "patch", "update"] as const;
const subresources = ["approval", "binding", "eviction", "finalize", "resize", "scale", "status"];
const nameless = { metadata: {} };

/** What of the API a claim may make one write. Claims that depend on the object are taken to be about any. */
function rulesOf(claim: Claim): readonly PolicyRule[] {
  const { resource } = claim;
  const covered = (subresource: string) =>
    writes.filter((verb) => covers(claim, { verb, subresource, object: nameless }));
  const below = subresources.filter((each) => covered(each).length > 0 && covered("nothing there is").length === 0);
  const [apiGroup, plural] = placeOf(resource);
  if (below.length > 0 && covered("").length === 0) {
    return below.map((each) =>
      rule([...covered(each)], apiGroup, [plural === "*" ? `*/${each}` : `${plural}/${each}`]),
    );
  }
  const verbs = covered("");
  return [rule(verbs.length === 0 ? [...writes] : [...verbs], apiGroup, [plural])];
}

/** A claim that cannot bear an object without a name is one that depends on the object. */
function covers(claim: Claim, write: Write): boolean {
  try {
    return claim.covers(write);
  } catch {
    return false;
  }
}

function placeOf(resource: AnyResource | "any"): readonly [string, string] {
  return resource === "any" ? ["*", "*"] : [resource.group, resource.plural];
}

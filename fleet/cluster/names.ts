/** How things of a cluster are called on the hub. */
import { createHash } from "node:crypto";
import type { FleetCluster } from "@atoll/api/fleet/v1alpha1/fleetcluster";

const longest = 63;

/** A cluster's namespace on the hub. The hash keeps apart what the dashes would not. */
export function clusterNamespace(organization: string, cluster: string): string {
  const hash = createHash("sha256").update(`${organization}/${cluster}`).digest("hex").slice(0, 8);
  return `${`fleet-${organization}-${cluster}`.slice(0, longest - 9).replace(/[^a-z0-9]+$/, "")}-${hash}`;
}

/** The same, by what its status says already; for where there are many clusters. */
export function homeOf({ metadata: { namespace = "", name = "" }, status }: FleetCluster): string {
  return status?.namespace ?? clusterNamespace(namespace, name);
}

/** What a cluster's agent is called on the hub. */
export function agentUser(namespace: string): string {
  return `${agentPrefix}${namespace}`;
}

/** What every agent's name begins with. */
export const agentPrefix = "fleet.atoll.dev:agent:";

/** The account of the gateway, which speaks in agents' names. */
export const gatewayUser = "atoll:gateway";

/** On a cluster's namespace: everything that belongs to it has been made. */
export const furnishedAnnotation = "fleet.atoll.dev/furnished";
/** On a cluster's namespace: whose it is. */
export const organizationLabel = "fleet.atoll.dev/organization";
export const clusterLabel = "fleet.atoll.dev/cluster";
/** As what; it rises when what belongs to a cluster becomes another, so that those attached before get it, too. */
export const furnishing = "2";

/** The ValidatingWebhookConfiguration by which the hub asks the gateway what a dry run would change. */
export const previewName = "plan.fleet.atoll.dev";

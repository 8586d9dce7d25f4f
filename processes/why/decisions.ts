/** `atoll why KIND/NAME -n NS --cluster C`: which policies decide on an object of a cluster. */
import { discover } from "@atoll/client/discovery";
import type { Resource } from "@atoll/client/resource";
import { compile, isOn } from "@atoll/fleet/compile/compile";
import { placeOf } from "@atoll/fleet/compile/levels";
import { workspaceLabel } from "@atoll/fleet/compile/policies/envelope";
import { type Fleet, readFleet } from "@atoll/fleet/explain/organization";
import { decisionsOn } from "@atoll/fleet/explain/why";
import { parseTime, systemClock } from "@atoll/machinery/clock";
import { UsageError } from "../flags.ts";
import { table, withHub } from "../hub.ts";
import type { WhyOptions } from "./options.ts";

/**
 * @param what KIND/NAME
 * @throws {UsageError} there is no such kind or cluster
 */
export async function whyDecisions(
  kubeconfig: string,
  what: string,
  { cluster: name, namespace, org }: Required<Pick<WhyOptions, "cluster" | "namespace" | "org">>,
): Promise<string> {
  const [kind = "", called = ""] = what.split("/");
  if (called === "") throw new UsageError("which object? ./atoll why Pod/NAME --cluster CLUSTER");
  return await withHub(kubeconfig, async (client) => {
    const { resources } = await discover(client);
    const resource = resources.find((one) => [one.kind.toLowerCase(), one.plural].includes(kind.toLowerCase()));
    if (resource === undefined) throw new UsageError(`the hub knows no kind ${kind}`);
    const fleet = await readFleet(client, org, systemClock.nowMs());
    const cluster = fleet.clusters.find(({ metadata }) => metadata.name === name);
    if (cluster === undefined) throw new UsageError(`there is no cluster ${name} in ${org}`);
    const home = resource.namespaced ? namespace : "";
    const labels = labelsOf(home, placeOf(cluster, fleet.organization.groups), fleet);
    const subject = { resource: resource as unknown as Resource, name: called, namespace: home, labels };
    const rows = decisionsOn(subject, compile(cluster, fleet.organization)).map((one) => {
      const beside = one.equalTo.length === 0 ? "" : `equal to ${one.equalTo.join(", ")}`;
      const shadow = one.shadowedBy === undefined ? beside : `shadowed by ${one.shadowedBy}`;
      const holds = one.holds === "yes" ? "yes" : "by the namespace's labels";
      const excepted = exceptionTo(one.policy, { cluster: name, namespace: home, name: called }, fleet);
      return [one.policy, one.level, one.enforcement, excepted ?? holds, shadow];
    });
    const pods = withPods.includes(resource.kind) ? podsNote : "";
    if (rows.length === 0) return `No policy decides on ${kind}/${called} on ${name}.\n${pods}`;
    return table([["POLICY", "LEVEL", "ENFORCEMENT", "HOLDS", "BESIDE"], ...rows]) + pods;
  });
}

const withPods = ["Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job", "CronJob", "ReplicationController"];
const podsNote = "Its pods are judged by themselves, as they are made: ask for Pod/NAME.\n";

interface Asked {
  readonly cluster: string;
  readonly namespace: string;
  readonly name: string;
}

/** By which exception an object passes a policy now, and until when. */
function exceptionTo(policy: string, { cluster, namespace, name }: Asked, { organization }: Fleet): string | undefined {
  const found = organization.exceptions.find(
    ({ spec }) =>
      spec.policy === policy &&
      spec.namespace === namespace &&
      (spec.cluster ?? cluster) === cluster &&
      name.startsWith(spec.name ?? "") &&
      parseTime(spec.expires) > organization.nowMs,
  );
  return found === undefined
    ? undefined
    : `not until ${found.spec.expires}: PolicyException/${found.metadata.name ?? ""}`;
}

/** Labels that the fleet itself gives the namespace there. */
function labelsOf(namespace: string, place: ReturnType<typeof placeOf>, { organization }: Fleet) {
  const own = organization.namespaces
    .filter((one) => isOn(one, place) && (one.spec.namespace ?? one.metadata.name) === namespace)
    .map(({ spec }) => ({ ...spec.labels, [workspaceLabel]: spec.workspace }));
  return Object.assign({}, ...own) as Record<string, string>;
}

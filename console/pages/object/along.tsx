/** What goes along with something that is deleted: in words, and by name. */
import { useTable } from "../../live/use.ts";
import type { AnyObject } from "../../model/object.ts";
import { known, placedKind, type Resource } from "../../model/resources.ts";
import { useConsole } from "../../parts/context.ts";
import { podSelector, type Target } from "./actions.ts";

const most = 6;

/** In words. */
const alongOf: Readonly<Record<string, string>> = {
  Deployment: "Its replica sets and all their pods go with it.",
  ReplicaSet: "Its pods go with it.",
  StatefulSet: "Its pods go with it; the volumes that they claimed stay.",
  DaemonSet: "Its pods on every host go with it.",
  Job: "Its pods and their logs go with it.",
  CronJob: "Its jobs and their pods go with it.",
  Pod: "What it wrote outside of claimed volumes goes with it. Its owner, if it has one, makes another.",
  Namespace: "Everything in it goes with it: workloads, secrets, volumes.",
  Node: "Only its record goes: the host registers again while its spherelet runs.",
  Service: "Pods that may be reached only through it can no longer be reached.",
  Ingress: "What it leads to from outside can no longer be reached there.",
  NetworkPolicy: "What it closed opens, and what it opened closes, unless another policy says otherwise.",
  ConfigMap: "Pods that need it do not start again.",
  Secret: "Pods that need it do not start again.",
  PersistentVolumeClaim: "Its volume goes too, unless its class keeps volumes. Pods that name it do not start again.",
  PersistentVolume: "Its disk goes too, unless its policy is to keep it.",
  StorageClass: "Disks that were made by it stay; claims that name it get none any more.",
  Datastore: "Disks on it stay; no class can make more there.",
  HostVM: "Only its record goes; its host writes it again.",
  HostNetwork: "Only its record goes; it is written again.",
  FleetCluster: "The cluster runs on, detached: policies are no longer applied to it.",
  ClusterGroup: "Its clusters stay, without its policies; groups below it hang at the organization.",
  Workspace: "Its namespaces stay on their clusters, without its policies.",
  FleetNamespace: "The namespace goes on its cluster, with everything in it.",
  SupervisorNamespace: "Its Namespace and everything in it go with it.",
};
const policies = /Policy$/;
const ofPolicies = "What it asks for is no longer applied, and what it made on clusters is taken away.";

/** Kinds that are counted where a whole namespace goes. */
const inside = ["pods", "deployments.apps", "statefulsets.apps", "services", "secrets", "persistentvolumeclaims"];
const namespaceKinds = new Set(["Namespace", "SupervisorNamespace"]);
const podKinds = new Set(["Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job"]);

/** In words, then whom it concerns now. */
export function Along({ target: { resource, object } }: { target: Target }) {
  const kind = placedKind(resource);
  const words =
    alongOf[kind] ?? (policies.test(kind) ? ofPolicies : "What belongs to it goes with it. This cannot be undone.");
  return (
    <>
      <p>{words}</p>
      {namespaceKinds.has(kind) && <Inside namespace={object.metadata.name} />}
      {podKinds.has(kind) && <Pods object={object} />}
    </>
  );
}

function Inside({ namespace }: { namespace: string }) {
  const { serves } = useConsole();
  return (
    <ul className="tally" aria-label="What goes with it">
      {inside
        .map((slug) => known(slug))
        .filter(serves)
        .map((resource) => (
          <Count key={resource.plural} resource={resource} namespace={namespace} />
        ))}
    </ul>
  );
}

function Count({ resource, namespace }: { resource: Resource; namespace: string }) {
  const { all, rows, phase } = useTable(resource, { namespace }, { to: most });
  if (phase === "refused" || all === 0) return null;
  return (
    <li>
      <span>
        {all} {all === 1 ? resource.kind : resource.plural}
      </span>
      <span className="count">{namesOf(rows, all)}</span>
    </li>
  );
}

function Pods({ object }: { object: AnyObject }) {
  const labelSelector = podSelector(object);
  const selection = { namespace: object.metadata.namespace ?? "", labelSelector };
  const { all, rows } = useTable(known("pods"), selection, { to: most });
  if (labelSelector === undefined || all === 0) return null;
  return (
    <p className="count">
      {all} {all === 1 ? "pod" : "pods"}: {namesOf(rows, all)}
    </p>
  );
}

function namesOf(rows: readonly { readonly metadata: { readonly name: string } }[], all: number): string {
  const names = rows.map(({ metadata }) => metadata.name).join(", ");
  return all > rows.length ? `${names} and ${all - rows.length} more` : names;
}

/** The kinds that have a place in the console, and where each is served. Whatever else is served has pages by discovery (served.ts). */

/** Where objects of a kind are served, and what they are called. */
export interface Resource {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly namespaced: boolean;
}

/** A part of the navigation. */
export type Area = "workloads" | "infrastructure" | "fleet";

interface Placed extends Resource {
  readonly area: Area;
  /** What the navigation calls them. */
  readonly title: string;
}

function at(area: Area, groupVersion: string): (kind: string, title: string, options?: { wide?: boolean }) => Placed {
  const [version = "", group = ""] = groupVersion.split("/").toReversed();
  return (kind, title, { wide = false } = {}) => {
    const plural = pluralOf(kind);
    return { area, group, version, kind, plural, title, namespaced: !wide };
  };
}

/** Source: k8s.io/apimachinery/pkg/api/meta UnsafeGuessKindToResource, as far as the kinds here need it */
function pluralOf(kind: string): string {
  const lower = kind.toLowerCase();
  if (lower.endsWith("y")) return `${lower.slice(0, -1)}ies`;
  return lower.endsWith("s") ? `${lower}es` : `${lower}s`;
}

const core = at("workloads", "v1");
const apps = at("workloads", "apps/v1");
const batch = at("workloads", "batch/v1");
const networking = at("workloads", "networking.k8s.io/v1");
const hosts = at("infrastructure", "v1");
const storage = at("infrastructure", "storage.k8s.io/v1");
const supervisor = at("infrastructure", "supervisor.atoll.dev/v1alpha1");
const fleet = at("fleet", "fleet.atoll.dev/v1alpha1");
const wide = { wide: true };

/** In the order of the navigation. */
export const placed: readonly Placed[] = [
  core("Pod", "Pods"),
  apps("Deployment", "Deployments"),
  apps("StatefulSet", "Stateful sets"),
  apps("DaemonSet", "Daemon sets"),
  apps("ReplicaSet", "Replica sets"),
  batch("Job", "Jobs"),
  batch("CronJob", "Cron jobs"),
  core("Service", "Services"),
  networking("Ingress", "Ingresses"),
  networking("NetworkPolicy", "Network policies"),
  core("ConfigMap", "Config maps"),
  core("Secret", "Secrets"),
  core("PersistentVolumeClaim", "Volume claims"),
  core("Event", "Events"),
  hosts("Node", "Hosts", wide),
  supervisor("HostVM", "Machines", wide),
  supervisor("HostNetwork", "Host networks", wide),
  supervisor("SupervisorNamespace", "Supervisor namespaces", wide),
  supervisor("SupervisorNamespaceTemplate", "Namespace templates", wide),
  supervisor("SupervisorNamespaceRequest", "Namespace requests", wide),
  hosts("Namespace", "Namespaces", wide),
  supervisor("Datastore", "Datastores", wide),
  storage("StorageClass", "Storage classes", wide),
  hosts("PersistentVolume", "Volumes", wide),
  fleet("FleetCluster", "Clusters"),
  fleet("ClusterGroup", "Groups"),
  fleet("Workspace", "Workspaces"),
  fleet("FleetNamespace", "Fleet namespaces"),
  fleet("AccessPolicy", "Access policies"),
  fleet("SecurityPolicy", "Security policies"),
  fleet("QuotaPolicy", "Quota policies"),
  fleet("ImagePolicy", "Image policies"),
  fleet("TrafficPolicy", "Traffic policies"),
  fleet("CustomPolicy", "Custom policies"),
  fleet("MutationPolicy", "Mutation policies"),
  fleet("PolicyException", "Exceptions"),
];

/** Names a kind in URLs: `pods`, `deployments.apps`. */
export const slugOf = ({ plural, group }: Resource): string => (group === "" ? plural : `${plural}.${group}`);

/** The kind of a name in URLs; undefined when it has no place. */
export const resourceOf = (slug: string): Placed | undefined => placed.find((each) => slugOf(each) === slug);

/** One that has a place. @throws {Error} it has none */
export function known(slug: string): Resource {
  const resource = resourceOf(slug);
  if (resource === undefined) throw new Error(`${slug} has no place`);
  return resource;
}

/** A kind's name where it has a place, "" else: what somebody else calls a Job need not be one. */
export const placedKind = (resource: Resource): string =>
  resourceOf(slugOf(resource)) === undefined ? "" : resource.kind;

/** What kubectl calls a kind: by its group, too, where it has no place. */
export const kubectlName = (resource: Resource): string =>
  placedKind(resource) === "" ? slugOf(resource) : resource.kind.toLowerCase();

/** The kind of a name; undefined when it has no place. */
export const resourceOfKind = (kind: string): Placed | undefined => placed.find((each) => each.kind === kind);

/** `v1`, `apps/v1`. */
export const apiVersionOf = ({ group, version }: Resource): string => (group === "" ? version : `${group}/${version}`);

/** Path of a collection at the API server. "" for all namespaces. */
export function collectionPath(resource: Resource, namespace: string): string {
  const root = resource.group === "" ? "/api" : "/apis";
  const within = resource.namespaced && namespace !== "" ? `/namespaces/${namespace}` : "";
  return `${root}/${apiVersionOf(resource)}${within}/${resource.plural}`;
}

/** Path of an object at the API server. */
export const objectPath = (resource: Resource, namespace: string, name: string): string =>
  `${collectionPath(resource, namespace)}/${encodeURIComponent(name)}`;

/** What an administrator of hosts looks at: capacity and load, images, where disks lie, and how guests are reached. */
import { announcedCondition } from "@atoll/api/supervisor/annotations";
import type { HostNetwork } from "@atoll/api/supervisor/v1alpha1/hostnetwork";
import type { HostVM } from "@atoll/api/supervisor/v1alpha1/hostvm";
import type { Node, PersistentVolume, Pod, Service, StorageClass } from "@atoll/client/builtin";
import { amountOf } from "./amount.ts";

/** How much of something there is, how much is promised, and how much is used as far as that was measured. */
export interface Share {
  readonly of: number;
  readonly promised: number;
  readonly used: number | undefined;
}

/** A host. Memory and disk in bytes, processors in cores. */
export interface Host {
  readonly name: string;
  readonly uid: string;
  readonly state: string;
  readonly address: string;
  /** Of its pods: `10.244.1.0/24`. */
  readonly ranges: readonly string[];
  readonly guests: number;
  readonly mostGuests: number;
  readonly cpu: Share;
  readonly memory: Share;
  readonly diskBytes: number;
  /** `KVM`, `TCG: why`; "" when it does not say. */
  readonly accelerator: string;
}

/** What a host was measured to use. Source: metrics.k8s.io/v1beta1 NodeMetrics */
export interface Load {
  readonly metadata: { readonly name: string };
  readonly timestamp: string;
  readonly usage: { readonly cpu?: string; readonly memory?: string };
}

const conditionOf = (node: Node, type: string) => node.status?.conditions?.find((each) => each.type === type);

function stateOf(node: Node): string {
  const ready = conditionOf(node, "Ready")?.status === "True" ? "Ready" : "NotReady";
  return node.spec?.unschedulable === true ? `${ready},SchedulingDisabled` : ready;
}

const isOver = ({ status }: Pod): boolean => status?.phase === "Succeeded" || status?.phase === "Failed";

const promisedBy = ({ spec }: Pod, what: "cpu" | "memory"): number =>
  (spec.containers ?? []).reduce((sum, { resources }) => sum + amountOf(resources?.requests?.[what]), 0);

/** The hosts, by name. */
export function hostsOf(
  nodes: readonly Node[],
  pods: readonly Pod[],
  loads: ReadonlyMap<string, Load>,
): readonly Host[] {
  const byNode = Map.groupBy(
    pods.filter((pod) => !isOver(pod)),
    ({ spec }) => spec.nodeName ?? "",
  );
  return nodes
    .map((node) => {
      const { name = "", uid = "" } = node.metadata;
      const own = byNode.get(name) ?? [];
      const { allocatable, addresses, capacity } = node.status ?? {};
      const shareOf = (what: "cpu" | "memory"): Share => {
        const used = loads.get(name)?.usage[what];
        const promised = own.reduce((sum, pod) => sum + promisedBy(pod, what), 0);
        return { of: amountOf(allocatable?.[what]), promised, used: used === undefined ? undefined : amountOf(used) };
      };
      const accelerated = conditionOf(node, "Accelerated");
      return {
        name,
        uid,
        state: stateOf(node),
        address: addresses?.find(({ type }) => type === "InternalIP")?.address ?? "",
        ranges: node.spec?.podCIDRs ?? [],
        guests: own.length,
        mostGuests: amountOf(allocatable?.["pods"]),
        cpu: shareOf("cpu"),
        memory: shareOf("memory"),
        diskBytes: amountOf(capacity?.["ephemeral-storage"]),
        accelerator: accelerated === undefined ? "" : (accelerated.reason ?? ""),
      };
    })
    .toSorted(byName);
}

const byName = (a: { readonly name: string }, b: { readonly name: string }): number => a.name.localeCompare(b.name);

/** A Pod or a claim, as it is linked to. */
export interface Named {
  readonly namespace: string;
  readonly name: string;
}

const namedOf = ({ metadata }: { metadata: { namespace?: string; name?: string } }): Named => ({
  namespace: metadata.namespace ?? "",
  name: metadata.name ?? "",
});

/** An image that some host holds. */
export interface Image {
  readonly name: string;
  readonly digest: string;
  readonly bytes: number;
  readonly hosts: readonly string[];
  readonly users: readonly Named[];
}

/** Images by their size, the largest first. */
export function imagesOf(nodes: readonly Node[], pods: readonly Pod[]): readonly Image[] {
  const held = nodes.flatMap((node) =>
    (node.status?.images ?? []).map((image) => ({
      ...image,
      names: image.names ?? [],
      host: node.metadata.name ?? "",
    })),
  );
  const users = pods.filter((pod) => !isOver(pod)).map((pod) => ({ pod: namedOf(pod), images: imagesOfPod(pod) }));
  return [...Map.groupBy(held, ({ names }) => digestOf(names) || (names[0] ?? ""))]
    .map(([key, same]) => {
      const names = [...new Set(same.flatMap((each) => each.names))];
      return {
        name: names.find((name) => !name.includes("@")) ?? key,
        digest: digestOf(names),
        bytes: Math.max(...same.map(({ sizeBytes = 0 }) => Number(sizeBytes))),
        hosts: same.map(({ host }) => host).toSorted(),
        users: users.filter(({ images }) => names.some((name) => images.has(name))).map(({ pod }) => pod),
      };
    })
    .toSorted((a, b) => b.bytes - a.bytes || byName(a, b));
}

const digestOf = (names: readonly string[]): string =>
  names.find((name) => name.includes("@"))?.replace(/^.*@/, "") ?? "";

function imagesOfPod({ spec, status }: Pod): ReadonlySet<string> {
  const asked = [...(spec.containers ?? []), ...(spec.initContainers ?? [])].flatMap(({ image }) => image ?? []);
  const run = (status?.containerStatuses ?? []).flatMap(({ image, imageID }) => [image ?? "", imageID ?? ""]);
  return new Set([...asked, ...run]);
}

/** A disk. */
export interface Disk {
  readonly name: string;
  readonly uid: string;
  readonly bytes: number;
  readonly state: string;
  readonly claim: Named | undefined;
  readonly hosts: readonly string[];
  readonly users: readonly Named[];
}

/** A storage policy, and the disks that were made by it. */
export interface Store {
  readonly name: string;
  readonly provisioner: string;
  readonly isDefault: boolean;
  /** What becomes of a disk whose claim goes: `Delete`, `Retain`. */
  readonly keeps: string;
  /** The datastore that its disks lie on; "" for the hosts themselves. */
  readonly datastore: string;
  readonly bytes: number;
  readonly disks: readonly Disk[];
}

/** Source: k8s.io/kubernetes/pkg/apis/storage/util IsDefaultStorageClassAnnotation */
const defaultMark = "storageclass.kubernetes.io/is-default-class";

/** The policies by name; last, if there are any, disks that belong to none. */
export function storesOf(
  classes: readonly StorageClass[],
  volumes: readonly PersistentVolume[],
  pods: readonly Pod[],
): readonly Store[] {
  const byClass = Map.groupBy(volumes, ({ spec }) => spec?.storageClassName ?? "");
  const usersOf = (claim: Named): readonly Named[] =>
    pods
      .filter((pod) => !isOver(pod) && pod.metadata.namespace === claim.namespace && claims(pod, claim.name))
      .map(namedOf);
  const disksOf = (name: string): readonly Disk[] => (byClass.get(name) ?? []).map((volume) => diskOf(volume, usersOf));
  const known = classes.map(({ metadata, provisioner, reclaimPolicy, parameters }) => ({
    name: metadata.name ?? "",
    provisioner: provisioner ?? "",
    isDefault: metadata.annotations?.[defaultMark] === "true",
    keeps: reclaimPolicy ?? "Delete",
    datastore: parameters?.["datastore"] ?? "",
  }));
  const names = new Set(known.map(({ name }) => name));
  const orphaned = [...byClass.keys()]
    .filter((name) => !names.has(name))
    .map((name) => ({ name, provisioner: "", isDefault: false, keeps: "", datastore: "" }));
  return [...known.toSorted(byName), ...orphaned].map((store) => {
    const disks = disksOf(store.name);
    return { ...store, disks, bytes: disks.reduce((sum, { bytes }) => sum + bytes, 0) };
  });
}

const claims = ({ spec }: Pod, claim: string): boolean =>
  spec.volumes?.some(({ persistentVolumeClaim: by }) => by?.claimName === claim) === true;

function diskOf({ metadata, spec, status }: PersistentVolume, usersOf: (claim: Named) => readonly Named[]): Disk {
  const { claimRef, capacity, nodeAffinity } = spec ?? {};
  const claim = claimRef === undefined ? undefined : { namespace: claimRef.namespace ?? "", name: claimRef.name ?? "" };
  const terms = nodeAffinity?.required?.nodeSelectorTerms ?? [];
  return {
    name: metadata.name ?? "",
    uid: metadata.uid ?? "",
    bytes: amountOf(capacity?.["storage"]),
    state: status?.phase ?? "Pending",
    claim,
    hosts: terms.flatMap(({ matchExpressions = [] }) => matchExpressions.flatMap(({ values = [] }) => values)),
    users: claim === undefined ? [] : usersOf(claim),
  };
}

/** A host on the network between hosts. */
export interface Wire {
  readonly name: string;
  readonly address: string;
  readonly ranges: readonly string[];
  /** Number of the overlay; undefined while nothing is told. */
  readonly overlay: number | undefined;
  readonly peers: number;
  /** Guests of other hosts that this one has to know of. */
  readonly known: number;
  readonly guests: number;
}

/** What every host's network has to do with the others. */
export function wiresOf(
  hosts: readonly Host[],
  networks: readonly HostNetwork[],
  machines: readonly HostVM[],
): readonly Wire[] {
  return hosts.map(({ name, address, ranges }) => {
    const spec = networks.find(({ metadata }) => metadata.name === name)?.spec;
    return {
      name,
      address,
      ranges,
      overlay: spec?.network,
      peers: spec?.peers.length ?? 0,
      known: spec?.pods.length ?? 0,
      guests: machines.filter((machine) => machine.spec.node === name).length,
    };
  });
}

/** A Service that is reached from outside. */
export interface Entrance extends Named {
  readonly uid: string;
  readonly type: string;
  /** `192.0.2.7:80/TCP`; of node ports every host's. */
  readonly places: readonly string[];
  /** The host that answers; "" for each. */
  readonly host: string;
  /** Why it is not reached. */
  readonly problem: string;
}

/** Services of type LoadBalancer and NodePort, by namespace and name. */
export function entrancesOf(services: readonly Service[]): readonly Entrance[] {
  return services
    .filter(({ spec }) => spec?.type === "LoadBalancer" || spec?.type === "NodePort")
    .map(entranceOf)
    .toSorted((a, b) => a.namespace.localeCompare(b.namespace) || byName(a, b));
}

function entranceOf(service: Service): Entrance {
  const { metadata, spec, status } = service;
  const told = status?.conditions?.find(({ type }) => type === announcedCondition);
  const said = (verdict: string): string => (told?.status === verdict ? (told.message ?? "") : "");
  return {
    ...namedOf({ metadata }),
    uid: metadata.uid ?? "",
    type: spec?.type ?? "",
    places: spec?.type === "LoadBalancer" ? balancedPlaces(service) : nodePlaces(service),
    host: said("True"),
    problem: said("False"),
  };
}

function balancedPlaces({ spec, status }: Service): readonly string[] {
  const addresses = (status?.loadBalancer?.ingress ?? []).flatMap(({ ip }) => ip ?? []);
  const ports = spec?.ports ?? [];
  return addresses.flatMap((address) => ports.map(({ port, protocol = "TCP" }) => `${address}:${port}/${protocol}`));
}

const nodePlaces = ({ spec }: Service): readonly string[] =>
  (spec?.ports ?? []).flatMap(({ nodePort, protocol = "TCP" }) =>
    nodePort === undefined ? [] : [`every host:${nodePort}/${protocol}`],
  );

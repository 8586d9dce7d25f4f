/**
 * Which LoadBalancer is reached where: at an address of the pool, to which one host answers, or, without a pool, at a
 * host's own address, by the Service's ports where they are free there. Who has something keeps it; of two who have the
 * same, the older does. Pure.
 * Source: docs/rfd/0026-loadbalancer.md
 */
import { createHash } from "node:crypto";
import { announcedCondition, takenPortsAnnotation } from "@atoll/api/supervisor/annotations";
import type { Node, Service } from "@atoll/client/builtin";
import { type Key, keyOf } from "@atoll/client/resource";
import { firstFree, holds, type Pool, sizeOfPool } from "./pool.ts";

/** One place where a Service is reached, as its status tells it. */
export type Ingress = NonNullable<NonNullable<NonNullable<Service["status"]>["loadBalancer"]>["ingress"]>[number];

/** What a LoadBalancer is told: where it is reached, or why nowhere. */
export type Outcome = { readonly ingress: Ingress; readonly node: string; readonly moved: readonly string[] } | Refusal;

/** Why it is reached nowhere, and what mends that. */
export interface Refusal {
  readonly reason: string;
  readonly message: string;
}

/** Everything that decides. */
export interface Given {
  readonly pool: Pool | undefined;
  readonly services: readonly Service[];
  readonly nodes: readonly Node[];
  /** Nodes with endpoints that serve, of a Service. */
  readonly endpointNodes: (service: Service) => ReadonlySet<string>;
}

/** Keeps a host from being used. Source: k8s.io/api/core/v1/well_known_labels.go */
const excludedLabel = "node.kubernetes.io/exclude-from-external-load-balancers";
const firstOther = 30_000;
const lastOther = 32_767;

/** Whether it is one of those here: one of another class is somebody else's. */
export const isBalanced = ({ metadata, spec }: Service): boolean =>
  spec.type === "LoadBalancer" && spec.loadBalancerClass === undefined && metadata.deletionTimestamp === undefined;

/** What was told last by whoever keeps this plan. */
export const toldOf = (service: Service) => service.status?.conditions?.find(({ type }) => type === announcedCondition);

/** What each LoadBalancer is to be told. */
export function plan(given: Given): ReadonlyMap<Key, Outcome> {
  const hosts = given.nodes.flatMap((node) => hostOf(node) ?? []);
  const taken = new Set<string>();
  const found = new Map<Key, Outcome>();
  const known = given.services.filter(isBalanced).sort(byAge);
  // Those who have a place before those who have none: nobody loses one to a newcomer.
  const [placed, others] = [known.filter((one) => placeOf(one) !== ""), known.filter((one) => placeOf(one) === "")];
  for (const service of [...placed, ...others]) {
    const usable = usableFor(service, hosts, given);
    found.set(
      keyOf(service),
      given.pool === undefined
        ? atHost(service, usable, taken)
        : fromPool(service, usable, { taken, pool: given.pool }),
    );
  }
  return found;
}

interface Host {
  readonly name: string;
  readonly address: string;
  /** At which it listens itself; undefined while it has not told. */
  readonly listens: ReadonlySet<string> | undefined;
}

function hostOf({ metadata, status }: Node): Host | undefined {
  const { name = "", labels, annotations, deletionTimestamp } = metadata;
  const isReady = status?.conditions?.some((each) => each.type === "Ready" && each.status === "True") === true;
  const address = status?.addresses?.find((each) => each.type === "InternalIP" && !each.address.includes(":"))?.address;
  if (deletionTimestamp !== undefined || labels?.[excludedLabel] !== undefined || !isReady) return undefined;
  if (address === undefined) return undefined;
  const told = annotations?.[takenPortsAnnotation];
  return { name, address, listens: told === undefined ? undefined : new Set(told.split(",")) };
}

/** Only hosts with endpoints, when nobody may be sent on to another; all while there are none. */
function usableFor(service: Service, hosts: readonly Host[], { endpointNodes, pool }: Given): readonly Host[] {
  const telling = pool === undefined ? hosts.filter(({ listens }) => listens !== undefined) : hosts;
  if (service.spec.externalTrafficPolicy !== "Local") return telling;
  const nodes = endpointNodes(service);
  const local = telling.filter(({ name }) => nodes.has(name));
  return local.length > 0 ? local : telling;
}

/** Stays where it is; otherwise hosts share Services evenly, and each moves alone. */
function choose(service: Service, hosts: readonly Host[]): Host | undefined {
  const told = toldOf(service);
  const before = told?.status === "True" ? hosts.find(({ name }) => name === told.message) : undefined;
  const weight = ({ name }: Host) => createHash("sha256").update(`${service.metadata.uid} ${name}`).digest("hex");
  return before ?? [...hosts].sort((a, b) => (weight(a) < weight(b) ? -1 : 1))[0];
}

const noHost: Refusal = {
  reason: "NoHost",
  message: "no host is ready to answer to an address: see kubectl get nodes",
};

function fromPool(
  service: Service,
  hosts: readonly Host[],
  { pool, taken }: { readonly pool: Pool; readonly taken: Set<string> },
): Outcome {
  const { loadBalancerIP: wish = "" } = service.spec;
  const address = [wish, wish === "" ? placeOf(service) : ""].find((one) => holds(pool, one) && !taken.has(one));
  if (wish !== "" && address === undefined) {
    const why = holds(pool, wish) ? "another LoadBalancer has it" : `it is not of the pool ${pool.text}`;
    return { reason: "AddressRefused", message: `spec.loadBalancerIP ${wish} cannot be had: ${why}` };
  }
  const ip = address ?? firstFree(pool, taken);
  if (ip === undefined) {
    const message = `all ${sizeOfPool(pool)} addresses of the pool ${pool.text} are taken: delete a LoadBalancer, or enlarge the pool (atoll up --load-balancer-pool)`;
    return { reason: "PoolExhausted", message };
  }
  taken.add(ip);
  const host = choose(service, hosts);
  if (host === undefined) return noHost;
  const ports = portsOf(service).map(({ port, protocol }) => ({ port, protocol }));
  return { ingress: { ip, ipMode: "VIP", ports }, node: host.name, moved: [] };
}

function atHost(service: Service, hosts: readonly Host[], taken: Set<string>): Outcome {
  const wish = service.spec.loadBalancerIP ?? "";
  const host = choose(service, wish === "" ? hosts : hosts.filter(({ address }) => address === wish));
  if (host === undefined && wish === "") return noHost;
  if (host === undefined)
    return { reason: "AddressRefused", message: `spec.loadBalancerIP ${wish} is the address of no host that is ready` };
  const ports: Place[] = [];
  const moved: string[] = [];
  for (const wanted of portsOf(service)) {
    const { port: number, protocol } = wanted;
    const port = portAt(host, { wanted, had: portBefore(service, host, ports.length), taken });
    if (port === undefined)
      return { reason: "PortsExhausted", message: `no port for ${number}/${protocol} is free at ${host.address}` };
    if (port !== number) moved.push(`port ${number}/${protocol} is ${port} there, because ${number} is taken`);
    taken.add(`${host.address} ${port}/${protocol}`);
    ports.push({ port, protocol });
  }
  return { ingress: { ip: host.address, ipMode: "Proxy", ports }, node: host.name, moved };
}

/** @returns 0 when it had none there */
function portBefore(service: Service, { address }: Host, index: number): number {
  if (placeOf(service) !== address) return 0;
  const at = service.status?.loadBalancer?.ingress?.[0]?.ports?.[index];
  return at?.protocol === portsOf(service)[index]?.protocol ? (at?.port ?? 0) : 0;
}

interface Place {
  readonly port: number;
  readonly protocol: string;
}

/** What is wanted if it is free, else what it had instead, else another. */
function portAt(
  { address, listens }: Host,
  given: {
    readonly wanted: Place & { readonly nodePort?: number | undefined };
    readonly had: number;
    readonly taken: ReadonlySet<string>;
  },
): number | undefined {
  const { protocol, port: wanted, nodePort = 0 } = given.wanted;
  const isFree = (port: number) => !given.taken.has(`${address} ${port}/${protocol}`);
  // What it has stays its own, though the host should listen there meanwhile.
  if (given.had === wanted && isFree(wanted)) return wanted;
  const instead = given.had >= firstOther ? given.had : 0;
  return [wanted, instead, nodePort, ...otherPorts()].find(
    (port) => port > 0 && isFree(port) && listens?.has(`${port}/${protocol}`) !== true,
  );
}

const otherPorts = (): readonly number[] =>
  Array.from({ length: lastOther - firstOther + 1 }, (_, index) => firstOther + index);

/** Those that are spoken here, in order. */
const portsOf = ({ spec }: Service) =>
  (spec.ports ?? [])
    .map(({ port, protocol = "TCP", nodePort }) => ({ port, protocol, nodePort }))
    .filter(({ protocol }) => protocol !== "SCTP");

const placeOf = (service: Service): string =>
  toldOf(service)?.status === "True" ? (service.status?.loadBalancer?.ingress?.[0]?.ip ?? "") : "";

function byAge({ metadata: a }: Service, { metadata: b }: Service): number {
  const age = String(a.creationTimestamp ?? "").localeCompare(String(b.creationTimestamp ?? ""));
  return age === 0 ? String(a.uid ?? "").localeCompare(String(b.uid ?? "")) : age;
}

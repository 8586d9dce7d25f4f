/** From a Service to nftables objects, and from one set of objects to another by the difference alone. Pure. */
import { hashName } from "../name.ts";
import { balancedMap, nodePortMap, openElement, servicesMap } from "../ruleset.ts";
import { serviceKey, type Endpoint, type OutsideWay, type ServicePort, type ServiceSpec } from "./service.ts";

/** Stands for everybody outside the pods' network where a namespace's name stands for its pods; no namespace is called so. */
export const outside = "-";

/** What a Service is in the tables. */
export interface ServiceObjects {
  /** Declarations of sets by name: clients and how long they stay with an endpoint. */
  readonly sets: ReadonlyMap<string, string>;
  /** Rules of chains by name. A chain is named before those that go to it. */
  readonly chains: ReadonlyMap<string, readonly string[]>;
  /** Chains by map and element, a space between. */
  readonly ways: ReadonlyMap<string, string>;
  /** Endpoints that it opens: namespace or `outside`, space, element. */
  readonly open: ReadonlySet<string>;
}

/** Of a Service that is not there. */
export const noObjects: ServiceObjects = { sets: new Map(), chains: new Map(), ways: new Map(), open: new Set() };

/** The same, while it is gathered. */
interface Gathered {
  readonly sets: Map<string, string>;
  readonly chains: Map<string, readonly string[]>;
  readonly ways: Map<string, string>;
  readonly open: Set<string>;
}

/** What stands for a Service. */
export function objectsOf(spec: ServiceSpec): ServiceObjects {
  const objects: Gathered = { sets: new Map(), chains: new Map(), ways: new Map(), open: new Set() };
  for (const port of spec.ports) {
    const who = [spec.namespace, ...(spec.exportedTo ?? []), ...(port.outside === undefined ? [] : [outside])];
    for (const { address, port: number } of [...port.endpoints, ...(port.standby ?? [])])
      for (const each of who) objects.open.add(`${each} ${openElement(port.protocol, address, number)}`);
    addWays(objects, spec, port);
  }
  return objects;
}

function addWays(objects: Gathered, spec: ServiceSpec, port: ServicePort): void {
  const { protocol, outside: way } = port;
  const inside = [
    ...spec.addresses.map((address) => ({ address, port: port.port })),
    // Pods and the host do not go round by the outside.
    ...(way?.balanced ?? []),
  ];
  const local = way?.local;
  const needsAll = inside.length > 0 || (way !== undefined && local === undefined);
  if (port.endpoints.length > 0 && needsAll) {
    const chain = addChain(objects, spec, port);
    for (const { address, port: number } of inside)
      objects.ways.set(`${servicesMap} ${address} . ${protocol} . ${number}`, chain);
    if (way !== undefined && local === undefined) addOutside(objects, { protocol, way, chain });
  }
  if (way === undefined || local === undefined || local.length === 0) return;
  addOutside(objects, { protocol, way, chain: addChain(objects, spec, { ...port, endpoints: local }, "local") });
}

/** What comes in is translated as what comes by the Service's address; who may not, gets no answer. */
function addOutside(
  { chains, ways }: Gathered,
  { protocol, way, chain }: { protocol: string; way: OutsideWay; chain: string },
): void {
  if (way.nodePort !== undefined) ways.set(`${nodePortMap} ${protocol} . ${way.nodePort}`, chain);
  const judged = way.sourceRanges === undefined ? chain : `from_${chain}`;
  if (way.sourceRanges !== undefined && way.balanced.length > 0) {
    const allowed = way.sourceRanges.map((range) => `ip saddr ${range} goto ${chain}`);
    chains.set(judged, [...allowed, "counter name refused_by_pods drop"]);
  }
  for (const { address, port } of way.balanced) ways.set(`${balancedMap} ${address} . ${protocol} . ${port}`, judged);
}

/** @returns the chain's name */
function addChain(objects: Gathered, spec: ServiceSpec, port: ServicePort, ...which: readonly string[]): string {
  const chain = chainName(spec, port, ...which);
  if (spec.affinitySeconds === undefined) objects.chains.set(chain, [spread(port)]);
  else addSticky(objects, chain, { spec, port, seconds: spec.affinitySeconds });
  return chain;
}

const chainName = (spec: ServiceSpec, port: ServicePort, ...more: readonly string[]): string =>
  `svc_${hashName(serviceKey(spec), port.protocol, String(port.port), ...more)}`;

/** In turn, not by chance: the shares are equal, not only likely to be. */
function spread({ protocol, endpoints }: ServicePort): string {
  const [first] = endpoints;
  if (endpoints.length === 1 && first !== undefined) return translate(protocol, first);
  const targets = endpoints.map(({ address, port }, index) => `${index} : ${address} . ${port}`);
  return `meta l4proto ${protocol} dnat ip to numgen inc mod ${endpoints.length} map { ${targets.join(", ")} }`;
}

const translate = (protocol: string, { address, port }: Endpoint): string =>
  `meta l4proto ${protocol} dnat to ${address}:${port}`;

/** Each endpoint has a chain, which remembers the client in the endpoint's set. */
function addSticky(
  { sets, chains }: Gathered,
  whole: string,
  { spec, port, seconds }: { spec: ServiceSpec; port: ServicePort; seconds: number },
): void {
  const known: string[] = [];
  const turns: string[] = [];
  port.endpoints.forEach((endpoint, index) => {
    const chain = chainName(spec, port, whole, endpoint.address, String(endpoint.port));
    const clients = `by_${chain}`;
    sets.set(clients, `type ipv4_addr; size 65536; flags dynamic,timeout; timeout ${seconds}s;`);
    chains.set(chain, [`update @${clients} { ip saddr }`, translate(port.protocol, endpoint)]);
    known.push(`ip saddr @${clients} goto ${chain}`);
    turns.push(`${index} : goto ${chain}`);
  });
  chains.set(whole, [...known, `numgen inc mod ${turns.length} vmap { ${turns.join(", ")} }`]);
}

/**
 * Statements that turn one Service's objects into others. Endpoints it opens are not among them: several Services may
 * open the same.
 */
export function difference(table: string, from: ServiceObjects, to: ServiceObjects): readonly string[] {
  const goneChains = [...from.chains.keys()].filter((name) => !to.chains.has(name));
  const changed = [...to.chains].filter(([name, rules]) => !same(from.chains.get(name), rules));
  return [
    ...wayElements(
      "delete",
      table,
      [...from.ways].filter(([key, chain]) => to.ways.get(key) !== chain),
    ),
    ...[...to.sets]
      .filter(([name]) => !from.sets.has(name))
      .map(([name, of]) => `add set ip ${table} ${name} { ${of} }`),
    ...changed.flatMap(([name]) => [`add chain ip ${table} ${name}`, `flush chain ip ${table} ${name}`]),
    ...changed.flatMap(([name, rules]) => rules.map((rule) => `add rule ip ${table} ${name} ${rule}`)),
    ...wayElements(
      "add",
      table,
      [...to.ways].filter(([key, chain]) => from.ways.get(key) !== chain),
    ),
    ...goneChains.map((name) => `flush chain ip ${table} ${name}`),
    ...goneChains.map((name) => `delete chain ip ${table} ${name}`),
    ...[...from.sets.keys()].filter((name) => !to.sets.has(name)).map((name) => `delete set ip ${table} ${name}`),
  ];
}

function wayElements(verb: string, table: string, elements: readonly (readonly [string, string])[]): string[] {
  const byMap = Map.groupBy(elements, ([key]) => key.slice(0, key.indexOf(" ")));
  return [...byMap].map(([map, all]) => {
    const list = all.map(([key, chain]) => `${key.slice(map.length + 1)} : goto ${chain}`);
    return `${verb} element ip ${table} ${map} { ${list.join(", ")} }`;
  });
}

const same = (one: readonly string[] | undefined, other: readonly string[]): boolean =>
  one !== undefined && one.length === other.length && one.every((rule, index) => rule === other[index]);

/** From a Service to nftables objects, and from one set of objects to another by the difference alone. Pure. */
import { hashName } from "../name.ts";
import { openElement } from "../ruleset.ts";
import { serviceKey, type Endpoint, type ServicePort, type ServiceSpec } from "./service.ts";

/** What a Service is in the tables. */
export interface ServiceObjects {
  /** Declarations of sets by name: clients and how long they stay with an endpoint. */
  readonly sets: ReadonlyMap<string, string>;
  /** Rules of chains by name. A chain is named before those that go to it. */
  readonly chains: ReadonlyMap<string, readonly string[]>;
  /** Chains by element of the map `services`. */
  readonly virtual: ReadonlyMap<string, string>;
  /** Endpoints that it opens: namespace, space, element. */
  readonly open: ReadonlySet<string>;
}

/** Of a Service that is not there. */
export const noObjects: ServiceObjects = { sets: new Map(), chains: new Map(), virtual: new Map(), open: new Set() };

/** What stands for a Service. */
export function objectsOf(spec: ServiceSpec): ServiceObjects {
  const objects = { sets: new Map(), chains: new Map(), virtual: new Map(), open: new Set<string>() };
  for (const port of spec.ports) {
    for (const { address, port: number } of [...port.endpoints, ...(port.standby ?? [])])
      for (const namespace of [spec.namespace, ...(spec.exportedTo ?? [])])
        objects.open.add(`${namespace} ${openElement(port.protocol, address, number)}`);
    if (port.endpoints.length === 0 || spec.addresses.length === 0) continue;
    const chain = chainName(spec, port);
    if (spec.affinitySeconds === undefined) objects.chains.set(chain, [spread(port)]);
    else addSticky(objects, { spec, port, seconds: spec.affinitySeconds });
    for (const address of spec.addresses) objects.virtual.set(`${address} . ${port.protocol} . ${port.port}`, chain);
  }
  return objects;
}

const chainName = (spec: ServiceSpec, port: ServicePort, ...endpoint: readonly string[]): string =>
  `svc_${hashName(serviceKey(spec), port.protocol, String(port.port), ...endpoint)}`;

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
  { sets, chains }: { sets: Map<string, string>; chains: Map<string, readonly string[]> },
  { spec, port, seconds }: { spec: ServiceSpec; port: ServicePort; seconds: number },
): void {
  const known: string[] = [];
  const turns: string[] = [];
  port.endpoints.forEach((endpoint, index) => {
    const chain = chainName(spec, port, endpoint.address, String(endpoint.port));
    const clients = `by_${chain}`;
    sets.set(clients, `type ipv4_addr; size 65536; flags dynamic,timeout; timeout ${seconds}s;`);
    chains.set(chain, [`update @${clients} { ip saddr }`, translate(port.protocol, endpoint)]);
    known.push(`ip saddr @${clients} goto ${chain}`);
    turns.push(`${index} : goto ${chain}`);
  });
  chains.set(chainName(spec, port), [...known, `numgen inc mod ${turns.length} vmap { ${turns.join(", ")} }`]);
}

/**
 * Statements that turn one Service's objects into others. Endpoints it opens are not among them: several Services may
 * open the same.
 */
export function difference(table: string, from: ServiceObjects, to: ServiceObjects): readonly string[] {
  const goneChains = [...from.chains.keys()].filter((name) => !to.chains.has(name));
  const changed = [...to.chains].filter(([name, rules]) => !same(from.chains.get(name), rules));
  return [
    ...virtualElements(
      "delete",
      table,
      [...from.virtual].filter(([key, chain]) => to.virtual.get(key) !== chain),
    ),
    ...[...to.sets]
      .filter(([name]) => !from.sets.has(name))
      .map(([name, of]) => `add set ip ${table} ${name} { ${of} }`),
    ...changed.flatMap(([name]) => [`add chain ip ${table} ${name}`, `flush chain ip ${table} ${name}`]),
    ...changed.flatMap(([name, rules]) => rules.map((rule) => `add rule ip ${table} ${name} ${rule}`)),
    ...virtualElements(
      "add",
      table,
      [...to.virtual].filter(([key, chain]) => from.virtual.get(key) !== chain),
    ),
    ...goneChains.map((name) => `flush chain ip ${table} ${name}`),
    ...goneChains.map((name) => `delete chain ip ${table} ${name}`),
    ...[...from.sets.keys()].filter((name) => !to.sets.has(name)).map((name) => `delete set ip ${table} ${name}`),
  ];
}

function virtualElements(verb: string, table: string, elements: readonly (readonly [string, string])[]): string[] {
  if (elements.length === 0) return [];
  const list = elements.map(([key, chain]) => `${key} : goto ${chain}`);
  return [`${verb} element ip ${table} services { ${list.join(", ")} }`];
}

const same = (one: readonly string[] | undefined, other: readonly string[]): boolean =>
  one !== undefined && one.length === other.length && one.every((rule, index) => rule === other[index]);

/**
 * Names of the cluster: what each is answered with. Pure.
 * Source: Kubernetes DNS-Based Service Discovery, specification 1.1.0
 */
import type { Answer, Question, SoaAnswer } from "dns-packet";

/** An endpoint of a Service, by the name it has within it. */
export interface NamedEndpoint {
  readonly address: string;
  /** Endpoint's hostname; undefined for one without, which is named after its address. */
  readonly hostname?: string | undefined;
  readonly ready: boolean;
  /** Its own ports, which may differ from others'. */
  readonly ports: readonly NamedPort[];
}

/** A port by its name. */
export interface NamedPort {
  /** Empty for the only port of a Service, which has no SRV record then. */
  readonly name: string;
  readonly protocol: "tcp" | "udp" | "sctp";
  readonly port: number;
}

/** What a Service's names mean. */
export type ServiceNames =
  | { readonly type: "virtual"; readonly addresses: readonly string[]; readonly ports: readonly NamedPort[] }
  | { readonly type: "headless"; readonly endpoints: readonly NamedEndpoint[]; readonly publishNotReady: boolean }
  | { readonly type: "external"; readonly target: string };

/** Where names are looked up, as it is at the moment. */
export interface Directory {
  service(namespace: string, name: string): ServiceNames | undefined;
  hasNamespace(namespace: string): boolean;
  /** Full names, without the last dot, of an address of a Service or an endpoint; none for others'. */
  namesOf(address: string): readonly string[];
}

/** What a question gets. */
export interface Response {
  /** Whether the name exists, with or without records of the type. */
  readonly found: boolean;
  readonly answers: readonly Answer[];
  readonly additionals: readonly Answer[];
}

const ttlSeconds = 5;
const schemaVersion = "1.1.0";
const nothing: Response = { found: false, answers: [], additionals: [] };
const empty: Response = { found: true, answers: [], additionals: [] };

/** The names under one domain. */
export class Zone {
  readonly #domain: string;
  readonly #directory: Directory;

  /** @param domain as `cluster.local` */
  constructor(domain: string, directory: Directory) {
    this.#domain = domain.toLowerCase();
    this.#directory = directory;
  }

  /** @returns undefined for a question that others must answer */
  answer({ name, type }: Pick<Question, "name" | "type">): Response | undefined {
    const lower = name.toLowerCase();
    const reverse = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.in-addr\.arpa$/.exec(lower);
    if (reverse !== null) return this.#reverse(lower, reverse.slice(1).reverse().join("."), type);
    if (lower === this.#domain) return type === "SOA" ? { ...empty, answers: [this.authority()] } : empty;
    if (!lower.endsWith(`.${this.#domain}`)) return undefined;
    const labels = lower.slice(0, -this.#domain.length - 1).split(".");
    const kind = labels.pop();
    const asked = { name, type };
    if (kind === "svc") return this.#service(asked, labels);
    if (kind === "pod") return this.#pod(asked, labels);
    if (kind === "dns-version" && labels.length === 0)
      return ofType(asked, "TXT", [{ type: "TXT", name, ttl: ttlSeconds, data: schemaVersion }]);
    return nothing;
  }

  /** Goes with answers that say that there is nothing. */
  authority(): SoaAnswer {
    const data = {
      mname: `ns.dns.${this.#domain}`,
      rname: `hostmaster.${this.#domain}`,
      serial: 1,
      refresh: 7200,
      retry: 1800,
      expire: 86_400,
      minimum: ttlSeconds,
    };
    return { type: "SOA", name: this.#domain, ttl: ttlSeconds, data };
  }

  /** Labels before `svc`: `name.namespace`, `host.name.namespace`, `_port._protocol.name.namespace`. */
  #service(asked: Asked, labels: readonly string[]): Response {
    const [namespace, service, ...inner] = labels.toReversed();
    if (namespace === undefined) return empty;
    if (service === undefined) return this.#directory.hasNamespace(namespace) ? empty : nothing;
    const names = this.#directory.service(namespace, service);
    if (names === undefined) return nothing;
    const full = `${service}.${namespace}.svc.${this.#domain}`;
    return inner.length === 0 ? whole(asked, names, full) : within(asked, { names, full, inner: inner.toReversed() });
  }

  /** `10-244-0-5.namespace`. */
  #pod(asked: Asked, labels: readonly string[]): Response {
    const [namespace, address, ...more] = labels.toReversed();
    if (namespace === undefined || !this.#directory.hasNamespace(namespace))
      return namespace === undefined ? empty : nothing;
    if (address === undefined) return empty;
    const dotted = address.replaceAll("-", ".");
    const isAddress = /^(\d{1,3}\.){3}\d{1,3}$/.test(dotted) && dotted.split(".").every((part) => Number(part) < 256);
    return isAddress && more.length === 0 ? addresses(asked, [dotted]) : nothing;
  }

  #reverse(name: string, address: string, type: Question["type"]): Response | undefined {
    const names = this.#directory.namesOf(address);
    if (names.length === 0) return undefined;
    const answers: Answer[] = names.map((data) => ({ type: "PTR", name, ttl: ttlSeconds, data }));
    return ofType({ name, type }, "PTR", answers);
  }
}

type Asked = Pick<Question, "name" | "type">;

/** Records of a type are for who asks for that type. */
function ofType({ type }: Asked, has: Question["type"], answers: readonly Answer[]): Response {
  return type === has || (type as string) === "ANY" ? { found: true, answers, additionals: [] } : empty;
}

const addresses = (asked: Asked, list: readonly string[]): Response =>
  ofType(
    asked,
    "A",
    list.map((data) => ({ type: "A", name: asked.name, ttl: ttlSeconds, data })),
  );

/** The name of the Service itself. */
function whole(asked: Asked, names: ServiceNames, full: string): Response {
  switch (names.type) {
    case "external":
      return { ...empty, answers: [{ type: "CNAME", name: asked.name, ttl: ttlSeconds, data: names.target }] };
    case "virtual":
      return asked.type === "SRV"
        ? srv(
            asked,
            names.ports.map(({ port }) => ({ port, target: full, address: names.addresses[0] })),
          )
        : addresses(asked, names.addresses);
    case "headless": {
      const serving = servingOf(names);
      if (serving.length === 0) return nothing;
      if (asked.type !== "SRV") return addresses(asked, [...new Set(serving.map(({ address }) => address))]);
      return srv(
        asked,
        serving.flatMap((each) => each.ports.map(({ port }) => targetOf(each, { port, full }))),
      );
    }
  }
}

/** Names below a Service's. */
function within(
  asked: Asked,
  { names, full, inner }: { names: ServiceNames; full: string; inner: readonly string[] },
): Response {
  const [first = "", second] = inner;
  const isMarked = inner.every((label) => label.startsWith("_"));
  if (second === undefined && !isMarked) return endpointRecords(asked, names, first);
  if (!isMarked || inner.length > 2) return nothing;
  if (second === undefined) return hasProtocol(names, first.slice(1)) ? empty : nothing;
  return serviceRecords(asked, { names, full, wanted: { name: first.slice(1), protocol: second.slice(1) } });
}

/** `_port._protocol.`: only ports that have names. */
function serviceRecords(
  asked: Asked,
  { names, full, wanted }: { names: ServiceNames; full: string; wanted: { name: string; protocol: string } },
): Response {
  const matches = ({ name, protocol }: NamedPort) =>
    name === wanted.name && protocol === wanted.protocol && name !== "";
  if (names.type === "external") return nothing;
  const targets =
    names.type === "virtual"
      ? names.ports.filter(matches).map(({ port }) => ({ port, target: full, address: names.addresses[0] }))
      : servingOf(names).flatMap((each) =>
          each.ports.filter(matches).map(({ port }) => targetOf(each, { port, full })),
        );
  return targets.length === 0 ? nothing : srv(asked, targets);
}

/** An endpoint's own name. */
function endpointRecords(asked: Asked, names: ServiceNames, label: string): Response {
  if (names.type !== "headless") return nothing;
  const found = servingOf(names).filter((endpoint) => labelOf(endpoint) === label);
  return found.length === 0 ? nothing : addresses(asked, [...new Set(found.map(({ address }) => address))]);
}

function hasProtocol(names: ServiceNames, protocol: string): boolean {
  if (names.type === "external") return false;
  const ports = names.type === "virtual" ? names.ports : servingOf(names).flatMap((endpoint) => endpoint.ports);
  return ports.some((port) => port.protocol === protocol && port.name !== "");
}

const servingOf = (names: Extract<ServiceNames, { type: "headless" }>): readonly NamedEndpoint[] =>
  names.endpoints.filter(({ ready }) => ready || names.publishNotReady);

const labelOf = ({ hostname, address }: NamedEndpoint): string =>
  hostname?.toLowerCase() ?? address.replaceAll(".", "-");

interface Target {
  readonly port: number;
  readonly target: string;
  readonly address: string | undefined;
}

const targetOf = (endpoint: NamedEndpoint, { port, full }: { port: number; full: string }): Target => ({
  port,
  target: `${labelOf(endpoint)}.${full}`,
  address: endpoint.address,
});

function srv(asked: Asked, targets: readonly Target[]): Response {
  const weight = Math.max(1, Math.floor(100 / Math.max(1, targets.length)));
  const answers: Answer[] = targets.map(({ port, target }) => ({
    type: "SRV",
    name: asked.name,
    ttl: ttlSeconds,
    data: { priority: 0, weight, port, target },
  }));
  const response = ofType(asked, "SRV", answers);
  if (response.answers.length === 0) return response;
  const seen = new Map(
    targets.flatMap(({ target, address }) => (address === undefined ? [] : [[target, address] as const])),
  );
  return { ...response, additionals: [...seen].map(([name, data]) => ({ type: "A", name, ttl: ttlSeconds, data })) };
}

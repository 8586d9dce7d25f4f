/**
 * The network of a node: places for its Pods, ways that Services open, names. It follows Services and EndpointSlices;
 * a change of one costs that one.
 */
import { EndpointSlice, Namespace, Service } from "@atoll/client/builtin";
import type { Client } from "@atoll/client/client";
import { Informer } from "@atoll/client/informer/informer";
import { toKey } from "@atoll/client/resource";
import type { Clock } from "@atoll/machinery/clock";
import { addressAt, parseRange } from "@atoll/net/address";
import { DnsServer } from "@atoll/net/dns/server";
import { resolversOf } from "@atoll/net/dns/upstream";
import type { Directory } from "@atoll/net/dns/zone";
import { HostNetwork } from "@atoll/net/host";
import type { Attachment, PodIdentity, PodNetwork } from "@atoll/net/network";
import type { ServiceSpec } from "@atoll/net/services/service";
import type { Log } from "@atoll/runtime/log";
import { addressesOf, endpointsOf, namesOf, ruleSpecOf, sliceOwnerLabel } from "./services.ts";

/** What a node's network is made of. */
export interface NodeNetworkOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly data: string;
  /** This node's pods. */
  readonly podRange: string;
  /** All nodes' pods. */
  readonly clusterRange: string;
  readonly serviceRange: string;
  readonly clusterDomain: string;
  /** Where this host reaches the API. */
  readonly api: { readonly address: string; readonly port: number };
}

/** Offset of cluster DNS in the Services' range. Source: kubeadm's convention, which charts count on */
const dnsOffset = 10;
const apiOffset = 1;
const apiPort = 443;
const dnsPort = 53;
const retryMs = 1_000;
const settleMs = 3_000;

/** A node's network, in use. */
export class NodeNetwork implements PodNetwork {
  readonly #options: NodeNetworkOptions;
  readonly #host: HostNetwork;
  readonly #dns: DnsServer;
  readonly #followed: Followed;
  /** Services whose rules are to be looked at, as `namespace/name`. */
  readonly #dirty = new Set<string>();
  #working: Promise<void> = Promise.resolve();
  #busy = false;
  #stopped = false;

  private constructor(options: NodeNetworkOptions, parts: { host: HostNetwork; dns: DnsServer; followed: Followed }) {
    this.#options = options;
    this.#host = parts.host;
    this.#dns = parts.dns;
    this.#followed = parts.followed;
  }

  /** Takes the network up; Pods of an earlier spherelet have their places. @throws {ProgramFailed} */
  static async open(options: NodeNetworkOptions): Promise<NodeNetwork> {
    const { serviceRange, clusterDomain, clock, api } = options;
    const followed = follow(options);
    const directory = directoryOf(followed, clusterDomain);
    const resolvers = await resolversOf();
    const listening = { address: "127.0.0.1", port: 0 };
    const dns = await DnsServer.open({ ...listening, domain: clusterDomain, directory, resolvers, clock });
    const range = parseRange(serviceRange);
    const dnsAddress = addressAt(range, dnsOffset);
    await settled(followed, clock);
    const host = await HostNetwork.open({
      ...options,
      services: [...followed.services.values()].flatMap((service) => specOf(followed, service) ?? []),
      hostServices: [
        { virtual: { address: addressAt(range, apiOffset), port: apiPort }, target: api, protocols: ["tcp"] },
        {
          virtual: { address: dnsAddress, port: dnsPort },
          target: { address: listening.address, port: dns.port },
          protocols: ["udp", "tcp"],
        },
      ],
      dns: [dnsAddress],
    });
    const network = new NodeNetwork(options, { host, dns, followed });
    network.#begin();
    return network;
  }

  attached(): ReadonlyMap<string, Attachment> {
    return this.#host.attached();
  }

  async attach(pod: PodIdentity): Promise<Attachment> {
    return await this.#host.attach(pod);
  }

  async detach(uid: string): Promise<void> {
    await this.#host.detach(uid);
  }

  /** Lets go. Places and rules stay, for the machines that run on. */
  async close(): Promise<void> {
    this.#stopped = true;
    const { services, slices, namespaces } = this.#followed;
    for (const informer of [services, slices, namespaces]) informer.stop();
    await this.#working;
    await this.#dns.close();
  }

  #begin(): void {
    const { services, slices } = this.#followed;
    services.onChange(({ before, after }) => this.#touch((after ?? before)?.metadata));
    slices.onChange(({ before, after }) => {
      const { namespace, labels } = (after ?? before)?.metadata ?? {};
      this.#touch({ namespace, name: labels?.[sliceOwnerLabel] });
    });
  }

  #touch(meta: { namespace?: string | undefined; name?: string | undefined } | undefined): void {
    const { namespace = "", name = "" } = meta ?? {};
    if (name === "" || isApi(namespace, name)) return;
    this.#dirty.add(`${namespace}/${name}`);
    if (!this.#busy) this.#working = this.#work();
  }

  /** Everything that changed meanwhile goes into the next transaction together. */
  async #work(): Promise<void> {
    this.#busy = true;
    await new Promise<void>((soon) => setImmediate(soon));
    while (this.#dirty.size > 0 && !this.#stopped) {
      const keys = [...this.#dirty];
      this.#dirty.clear();
      const failed = await Promise.all(keys.map(async (key) => ((await this.#apply(key)) ? [] : [key])));
      if (failed.flat().length === 0) continue;
      for (const key of failed.flat()) this.#dirty.add(key);
      await this.#options.clock.sleep(retryMs);
    }
    this.#busy = false;
  }

  /** @returns whether the rules are as the Service says */
  async #apply(key: string): Promise<boolean> {
    const [namespace = "", name = ""] = key.split("/");
    const service = this.#followed.services.get(toKey(namespace, name));
    const spec = service === undefined ? undefined : specOf(this.#followed, service);
    try {
      if (spec === undefined) await this.#host.removeService({ namespace, name });
      else await this.#host.setService(spec);
      return true;
    } catch (error) {
      this.#options.log.warn("a Service's rules could not be set", { service: key, error });
      return false;
    }
  }
}

interface Followed {
  readonly services: Informer<Service>;
  readonly slices: Informer<EndpointSlice>;
  readonly namespaces: Informer<Namespace>;
}

function follow({ client, clock, random, log }: NodeNetworkOptions): Followed {
  const following = { client, clock, random, onError: (error: unknown) => log.warn("a watch failed", { error }) };
  const services = new Informer<Service>({ ...following, resource: Service });
  services.addIndex("address", addressesOf);
  const slices = new Informer<EndpointSlice>({ ...following, resource: EndpointSlice });
  slices.addIndex("service", ({ metadata: { namespace = "", labels = {} } }) => {
    const name = labels[sliceOwnerLabel];
    return name === undefined ? [] : [`${namespace}/${name}`];
  });
  slices.addIndex("address", (slice) => [...new Set(endpointsOf(slice).flatMap(({ addresses }) => addresses))]);
  const namespaces = new Informer<Namespace>({ ...following, resource: Namespace });
  for (const informer of [services, slices, namespaces]) void informer.start();
  return { services, slices, namespaces };
}

/** The API itself is there whatever its Service says. */
const isApi = (namespace: string, name: string): boolean => namespace === "default" && name === "kubernetes";

function specOf(followed: Followed, service: Service): ServiceSpec | undefined {
  const { namespace = "", name = "" } = service.metadata;
  return isApi(namespace, name) ? undefined : ruleSpecOf(service, slicesOf(followed, `${namespace}/${name}`));
}

/**
 * Waits until Services are known, so that the rules of an earlier spherelet are replaced by the same: but not for an API
 * that is away.
 */
async function settled({ services, slices }: Followed, clock: Clock): Promise<void> {
  const enough = new AbortController();
  const late = clock.sleep(settleMs, enough.signal).catch(() => undefined);
  await Promise.race([Promise.all([services.whenSynced(), slices.whenSynced()]), late]);
  enough.abort(new Error("settled"));
}

const slicesOf = ({ slices }: Followed, service: string): readonly EndpointSlice[] => [
  ...slices.by("service", service),
];

function directoryOf(followed: Followed, domain: string): Directory {
  const { services, slices, namespaces } = followed;
  return {
    service(namespace, name) {
      const found = services.get(toKey(namespace, name));
      return found === undefined ? undefined : namesOf(found, slicesOf(followed, `${namespace}/${name}`));
    },
    hasNamespace: (name) => namespaces.get(toKey("", name)) !== undefined,
    namesOf(address) {
      const own = [...services.by("address", address)].map(
        ({ metadata }) => `${metadata.name}.${metadata.namespace}.svc.${domain}`,
      );
      return own.length > 0
        ? own
        : [...slices.by("address", address)].flatMap((slice) => endpointNames(slice, address, domain));
    },
  };
}

function endpointNames(slice: EndpointSlice, address: string, domain: string): readonly string[] {
  const { namespace, labels } = slice.metadata;
  const service = labels?.[sliceOwnerLabel];
  return endpointsOf(slice).flatMap(({ of: { hostname }, addresses }) =>
    addresses.includes(address) && service !== undefined && hostname !== undefined
      ? [`${hostname}.${service}.${namespace}.svc.${domain}`]
      : [],
  );
}

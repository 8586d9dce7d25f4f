/**
 * The network of a node: places for its Pods, ways that Services open, names. It follows Services and EndpointSlices;
 * a change of one costs that one.
 */
import type { Node, Service } from "@atoll/client/builtin";
import { toKey } from "@atoll/client/resource";
import { addressAt, parseRange } from "@atoll/net/address";
import { DnsServer } from "@atoll/net/dns/server";
import { resolversOf } from "@atoll/net/dns/upstream";
import { HostNetwork } from "@atoll/net/host";
import type { Attachment, PodIdentity, PodNetwork } from "@atoll/net/network";
import type { ServiceSpec } from "@atoll/net/services/service";
import type { LeaseTerm } from "../node/leaseterm.ts";
import { directoryOf, slicesOf } from "./directory.ts";
import { type Followed, follow, type FollowOptions, othersOf, settled } from "./followed.ts";
import { elsewhereOf } from "./others.ts";
import { PolicyRules } from "./policyrules.ts";
import { announcedBy, ruleSpecOf, sliceOwnerLabel } from "./services.ts";

/** What a node's network is made of. */
export interface NodeNetworkOptions extends FollowOptions {
  readonly data: string;
  /** Of this host, on the network between hosts. */
  readonly address: string;
  /** This node's pods. */
  readonly podRange: string;
  /** All nodes' pods. */
  readonly clusterRange: string;
  readonly serviceRange: string;
  readonly clusterDomain: string;
  /** Within it this host answers to LoadBalancers' addresses; after it another may. */
  readonly term: LeaseTerm;
  /** Where this host reaches the API. */
  readonly api: { readonly address: string; readonly port: number };
}

/** Offset of cluster DNS in the Services' range. Source: kubeadm's convention, which charts count on */
const dnsOffset = 10;
const apiOffset = 1;
const apiPort = 443;
const dnsPort = 53;
const retryMs = 1_000;

/** A node's network, in use. */
export class NodeNetwork implements PodNetwork {
  readonly #options: NodeNetworkOptions;
  readonly #host: HostNetwork;
  readonly #dns: DnsServer;
  readonly #followed: Followed;
  /** Services whose rules are to be looked at, as `namespace/name`. */
  readonly #dirty = new Set<string>();
  readonly #rules: PolicyRules;
  readonly #duties = {
    /** Ways to other hosts, as this one is told. */
    others: dutyTo(() => this.#reachOthers(), "the ways to other hosts could not be set"),
    /** Guards, as NetworkPolicies say. */
    policy: dutyTo(() => this.#host.refreshPolicy(), "what NetworkPolicies say could not be set"),
    /** LoadBalancers' addresses that this host answers to. */
    announced: dutyTo(() => this.#announce(), "LoadBalancers' addresses could not be announced"),
  };
  /** It answers to some, which its lease's term ends unless it is renewed. */
  #announces = false;
  #working: Promise<void> = Promise.resolve();
  #busy = false;
  #stopped = false;

  private constructor(
    options: NodeNetworkOptions,
    parts: { host: HostNetwork; dns: DnsServer; followed: Followed; rules: PolicyRules },
  ) {
    this.#options = options;
    this.#host = parts.host;
    this.#dns = parts.dns;
    this.#followed = parts.followed;
    this.#rules = parts.rules;
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
    const others = othersOf(followed, options.node);
    const rules = new PolicyRules(followed, options.node);
    const host = await HostNetwork.open({
      ...options,
      services: [...followed.services.values()].flatMap((service) => specOf(followed, service, options.node) ?? []),
      hostServices: [
        { virtual: { address: addressAt(range, apiOffset), port: apiPort }, target: api, protocols: ["tcp"] },
        {
          virtual: { address: dnsAddress, port: dnsPort },
          target: { address: listening.address, port: dns.port },
          protocols: ["udp", "tcp"],
        },
      ],
      dns: [dnsAddress],
      policy: rules,
      ...(others === undefined ? {} : { elsewhere: elsewhereOf(others, api.address) }),
    });
    const network = new NodeNetwork(options, { host, dns, followed, rules });
    network.#begin();
    return network;
  }

  attached(): ReadonlyMap<string, Attachment> {
    return this.#host.attached();
  }

  async attach(pod: PodIdentity): Promise<Attachment> {
    this.#rules.expect(pod);
    return await this.#host.attach(pod);
  }

  async detach(uid: string): Promise<void> {
    await this.#host.detach(uid);
    this.#rules.forget(uid);
  }

  /** Lets go. Places and rules stay, for the machines that run on. */
  async close(): Promise<void> {
    this.#stopped = true;
    for (const informer of Object.values(this.#followed)) informer.stop();
    await this.#working;
    await this.#dns.close();
  }

  #begin(): void {
    const { services, slices, namespaces, nodes, pods, policies, others } = this.#followed;
    const { others: reaching, policy, announced } = this.#duties;
    for (const informer of [namespaces, pods, policies]) informer.onChange(() => this.#due(policy));
    others.onChange(() => this.#due(reaching, policy));
    this.#options.term.onRenewed(() => {
      if (this.#announces) this.#due(announced);
    });
    // What changed while the host's network was taken up.
    this.#due(reaching, policy, announced);
    services.onChange(({ before, after }) => this.#touch((after ?? before)?.metadata));
    // Which endpoints are near is another matter in another zone.
    nodes.onChange(({ before, after }) => {
      if (zoneOf(before) === zoneOf(after)) return;
      for (const { metadata } of services.values()) this.#touch(metadata);
    });
    slices.onChange(({ before, after }) => {
      const { namespace, labels } = (after ?? before)?.metadata ?? {};
      this.#touch({ namespace, name: labels?.[sliceOwnerLabel] });
    });
  }

  #touch(meta: { namespace?: string | undefined; name?: string | undefined } | undefined): void {
    const { namespace = "", name = "" } = meta ?? {};
    if (name === "" || isApi(namespace, name)) return;
    this.#dirty.add(`${namespace}/${name}`);
    this.#due(this.#duties.announced);
  }

  #due(...duties: readonly Duty[]): void {
    for (const duty of duties) duty.isDue = true;
    this.#wake();
  }

  #wake(): void {
    if (!this.#busy) this.#working = this.#work();
  }

  get #isOld(): boolean {
    return this.#dirty.size > 0 || Object.values(this.#duties).some(({ isDue }) => isDue);
  }

  /** Everything that changed meanwhile goes into the next transaction together. */
  async #work(): Promise<void> {
    this.#busy = true;
    await new Promise<void>((soon) => setImmediate(soon));
    while (this.#isOld && !this.#stopped) {
      const keys = [...this.#dirty];
      this.#dirty.clear();
      const performed = Object.values(this.#duties).map((duty) => this.#perform(duty));
      const failed = await Promise.all(keys.map(async (key) => ((await this.#apply(key)) ? [] : [key])));
      const areSet = await Promise.all(performed);
      if (areSet.every(Boolean) && failed.flat().length === 0) continue;
      for (const key of failed.flat()) this.#dirty.add(key);
      await this.#options.clock.sleep(retryMs);
    }
    this.#busy = false;
  }

  /** Does what is due. @returns whether it is as it is to be */
  async #perform(duty: Duty): Promise<boolean> {
    if (!duty.isDue) return true;
    duty.isDue = false;
    try {
      await duty.act();
      return true;
    } catch (error) {
      duty.isDue = true;
      this.#options.log.warn(duty.failure, { error });
      return false;
    }
  }

  async #reachOthers(): Promise<void> {
    const { node, api } = this.#options;
    const others = othersOf(this.#followed, node);
    // Nobody tells anything: the API is away, or this Node is not in it yet. What stands, stands.
    if (others !== undefined) await this.#host.setElsewhere(elsewhereOf(others, api.address));
  }

  async #announce(): Promise<void> {
    const { node, term } = this.#options;
    // Nothing known takes nothing away.
    if (!this.#followed.services.synced) return;
    const wanted = [...this.#followed.services.values()].flatMap((service) => announcedBy(service, node));
    this.#announces = wanted.length > 0;
    await this.#host.announce(new Set(wanted), term.leftMs);
  }

  /** @returns whether the rules are as the Service says */
  async #apply(key: string): Promise<boolean> {
    const [namespace = "", name = ""] = key.split("/");
    const service = this.#followed.services.get(toKey(namespace, name));
    const spec = service === undefined ? undefined : specOf(this.#followed, service, this.#options.node);
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

/** Something of the host that is made anew, as a whole, when what it follows from has changed. */
interface Duty {
  isDue: boolean;
  readonly act: () => Promise<void>;
  /** What is told when it fails. */
  readonly failure: string;
}

const dutyTo = (act: Duty["act"], failure: string): Duty => ({ isDue: false, act, failure });

/** The API itself is there whatever its Service says. */
const isApi = (namespace: string, name: string): boolean => namespace === "default" && name === "kubernetes";

function specOf(followed: Followed, service: Service, node: string): ServiceSpec | undefined {
  const { namespace = "", name = "" } = service.metadata;
  if (isApi(namespace, name)) return undefined;
  const zone = zoneOf(followed.nodes.get(toKey(undefined, node)));
  return ruleSpecOf(service, slicesOf(followed, `${namespace}/${name}`), node, zone);
}

const zoneOf = (node: Node | undefined): string | undefined => node?.metadata.labels?.["topology.kubernetes.io/zone"];

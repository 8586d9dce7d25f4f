/**
 * The network of a node: places for its Pods, ways that Services open, names. It follows Services and EndpointSlices;
 * a change of one costs that one.
 */
import { HostNetwork as Others } from "@atoll/api/supervisor/v1alpha1/hostnetwork";
import { EndpointSlice, Namespace, NetworkPolicy, Node, Pod, Service } from "@atoll/client/builtin";
import type { Client } from "@atoll/client/client";
import { Informer } from "@atoll/client/informer/informer";
import { toKey } from "@atoll/client/resource";
import type { Clock } from "@atoll/machinery/clock";
import { addressAt, parseRange } from "@atoll/net/address";
import { DnsServer } from "@atoll/net/dns/server";
import { resolversOf } from "@atoll/net/dns/upstream";
import { HostNetwork, type PolicySource } from "@atoll/net/host";
import type { Attachment, PodIdentity, PodNetwork } from "@atoll/net/network";
import { policyNamespaceOf, policyOf, policyPodOf } from "@atoll/net/policies/facts";
import { guardOf } from "@atoll/net/policies/guard";
import type { PolicyPod, World } from "@atoll/net/policies/world";
import type { ServiceSpec } from "@atoll/net/services/service";
import type { Log } from "@atoll/runtime/log";
import type { LeaseTerm } from "../node/leaseterm.ts";
import { directoryOf, slicesOf } from "./directory.ts";
import { elsewhereOf, podsElsewhere } from "./others.ts";
import { trimPod } from "./policies.ts";
import { addressesOf, announcedBy, endpointsOf, ruleSpecOf, sliceOwnerLabel } from "./services.ts";

/** What a node's network is made of. */
export interface NodeNetworkOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly data: string;
  /** Name of the Node. */
  readonly node: string;
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
const settleMs = 3_000;
const othersMs = 300;

/** A node's network, in use. */
export class NodeNetwork implements PodNetwork {
  readonly #options: NodeNetworkOptions;
  readonly #host: HostNetwork;
  readonly #dns: DnsServer;
  readonly #followed: Followed;
  /** Services whose rules are to be looked at, as `namespace/name`. */
  readonly #dirty = new Set<string>();
  readonly #rules: PolicyRules;
  #policyIsOld = false;
  #announcedIsOld = true;
  #announces = false;
  #othersAreOld = false;
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
    const { services, slices, namespaces, pods, policies } = this.#followed;
    for (const informer of [namespaces, pods, policies]) informer.onChange(() => this.#policyChanged());
    this.#followed.others.onChange(() => {
      this.#othersAreOld = true;
      this.#policyChanged();
    });
    this.#options.term.onRenewed(() => {
      this.#announcedIsOld ||= this.#announces;
      this.#wake();
    });
    this.#othersAreOld = true;
    // What changed while the host's network was taken up.
    this.#policyChanged();
    services.onChange(({ before, after }) => this.#touch((after ?? before)?.metadata));
    // Which endpoints are near is another matter in another zone.
    this.#followed.nodes.onChange(({ before, after }) => {
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
    this.#announcedIsOld = true;
    this.#dirty.add(`${namespace}/${name}`);
    this.#wake();
  }

  #policyChanged(): void {
    this.#policyIsOld = true;
    this.#wake();
  }

  #wake(): void {
    if (!this.#busy) this.#working = this.#work();
  }

  get #isOld(): boolean {
    return this.#dirty.size > 0 || this.#policyIsOld || this.#othersAreOld || this.#announcedIsOld;
  }

  /** Everything that changed meanwhile goes into the next transaction together. */
  async #work(): Promise<void> {
    this.#busy = true;
    await new Promise<void>((soon) => setImmediate(soon));
    while (this.#isOld && !this.#stopped) {
      const keys = [...this.#dirty];
      this.#dirty.clear();
      const others = this.#refreshOthers();
      const policy = this.#refreshPolicy();
      const announced = this.#refreshAnnounced();
      const failed = await Promise.all(keys.map(async (key) => ((await this.#apply(key)) ? [] : [key])));
      const areSet = await Promise.all([others, policy, announced]);
      if (areSet.every(Boolean) && failed.flat().length === 0) continue;
      for (const key of failed.flat()) this.#dirty.add(key);
      await this.#options.clock.sleep(retryMs);
    }
    this.#busy = false;
  }

  /** @returns whether the ways to other hosts are as this one is told */
  async #refreshOthers(): Promise<boolean> {
    if (!this.#othersAreOld) return true;
    this.#othersAreOld = false;
    const { node, api, log } = this.#options;
    const others = othersOf(this.#followed, node);
    // Nobody tells anything: the API is away, or this Node is not in it yet. What stands, stands.
    if (others === undefined) return true;
    try {
      await this.#host.setElsewhere(elsewhereOf(others, api.address));
      return true;
    } catch (error) {
      this.#othersAreOld = true;
      log.warn("the ways to other hosts could not be set", { error });
      return false;
    }
  }

  /** @returns whether this host answers to the addresses that it is to */
  async #refreshAnnounced(): Promise<boolean> {
    if (!this.#announcedIsOld) return true;
    this.#announcedIsOld = false;
    const { node, log, term } = this.#options;
    // Nothing known takes nothing away.
    if (!this.#followed.services.synced) return true;
    const wanted = [...this.#followed.services.values()].flatMap((service) => announcedBy(service, node));
    this.#announces = wanted.length > 0;
    try {
      await this.#host.announce(new Set(wanted), term.leftMs);
      return true;
    } catch (error) {
      this.#announcedIsOld = true;
      log.warn("LoadBalancers' addresses could not be announced", { error });
      return false;
    }
  }

  /** @returns whether the guards are as NetworkPolicies say */
  async #refreshPolicy(): Promise<boolean> {
    if (!this.#policyIsOld) return true;
    this.#policyIsOld = false;
    try {
      await this.#host.refreshPolicy();
      return true;
    } catch (error) {
      this.#policyIsOld = true;
      this.#options.log.warn("what NetworkPolicies say could not be set", { error });
      return false;
    }
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

/** What NetworkPolicies say of this host's pods, as far as is known now. */
class PolicyRules implements PolicySource {
  readonly #followed: Followed;
  readonly #node: string;
  /** Pods of this host, known before their addresses are. */
  readonly #expected = new Map<string, PodIdentity>();

  constructor(followed: Followed, node: string) {
    this.#followed = followed;
    this.#node = node;
  }

  expect(pod: PodIdentity): void {
    this.#expected.set(pod.uid, pod);
  }

  forget(uid: string): void {
    this.#expected.delete(uid);
  }

  guardsOf(
    { uid, namespace }: Pick<PodIdentity, "uid" | "namespace">,
    address: string,
  ): ReturnType<PolicySource["guardsOf"]> {
    const world = this.#world();
    if (world.policies.length === 0) return {};
    const known = world.pods.find((pod) => pod.uid === uid);
    const { name = "", labels = {}, ports = [] } = known ?? this.#expected.get(uid) ?? {};
    const pod: PolicyPod = { uid, namespace, name, labels, ports, address };
    return { ingress: guardOf(pod, "ingress", world), egress: guardOf(pod, "egress", world) };
  }

  flat(): ReadonlySet<string> {
    const { pods, namespaces } = this.#world();
    return new Set(
      pods.flatMap(({ namespace, address }) =>
        address !== undefined && namespaces.get(namespace)?.flat === true ? [address] : [],
      ),
    );
  }

  #world(): World {
    const { pods, namespaces, policies } = this.#followed;
    const others = othersOf(this.#followed, this.#node);
    return {
      pods: [...[...pods.values()].map(policyPodOf), ...(others === undefined ? [] : podsElsewhere(others))],
      namespaces: new Map([...namespaces.values()].map((one) => [one.metadata.name ?? "", policyNamespaceOf(one)])),
      policies: [...policies.values()].map(policyOf),
    };
  }
}

interface Followed {
  readonly pods: Informer<Pod>;
  readonly policies: Informer<NetworkPolicy>;
  readonly services: Informer<Service>;
  readonly slices: Informer<EndpointSlice>;
  readonly namespaces: Informer<Namespace>;
  /** This one. */
  readonly nodes: Informer<Node>;
  /** What this node is told of others: at most one. */
  readonly others: Informer<Others>;
}

const othersOf = ({ others }: Followed, node: string): Others["spec"] | undefined =>
  others.get(toKey(undefined, node))?.spec;

function follow({ client, clock, random, log, node }: NodeNetworkOptions): Followed {
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
  // A node sees its own pods alone; of others it is told what it has to know.
  const selection = { fieldSelector: `spec.nodeName=${node}` };
  const pods = new Informer<Pod>({ ...following, resource: Pod, selection, trim: trimPod });
  const policies = new Informer<NetworkPolicy>({ ...following, resource: NetworkPolicy });
  const own = { fieldSelector: `metadata.name=${node}` };
  const others = new Informer<Others>({
    ...following,
    resource: Others,
    selection: own,
    onError: (error) => log.debug("what is told of other hosts cannot be followed", { error }),
  });
  const nodes = new Informer<Node>({ ...following, resource: Node, selection: own });
  const followed = { services, slices, namespaces, nodes, pods, policies, others };
  for (const informer of Object.values(followed)) void informer.start();
  return followed;
}

/** The API itself is there whatever its Service says. */
const isApi = (namespace: string, name: string): boolean => namespace === "default" && name === "kubernetes";

function specOf(followed: Followed, service: Service, node: string): ServiceSpec | undefined {
  const { namespace = "", name = "" } = service.metadata;
  if (isApi(namespace, name)) return undefined;
  const zone = zoneOf(followed.nodes.get(toKey(undefined, node)));
  return ruleSpecOf(service, slicesOf(followed, `${namespace}/${name}`), node, zone);
}

const zoneOf = (node: Node | undefined): string | undefined => node?.metadata.labels?.["topology.kubernetes.io/zone"];

/**
 * Waits until Services are known, so that the rules of an earlier spherelet are replaced by the same: but not for an API
 * that is away.
 */
async function settled(followed: Followed, clock: Clock): Promise<void> {
  const enough = new AbortController();
  const late = clock.sleep(settleMs, enough.signal).catch(() => undefined);
  // A cluster that is just being made has not got the kind yet: nobody else is there.
  const { others, ...needed } = followed;
  const told = Promise.race([others.whenSynced(), clock.sleep(othersMs, enough.signal).catch(() => undefined)]);
  await Promise.race([Promise.all([told, ...Object.values(needed).map((each) => each.whenSynced())]), late]);
  enough.abort(new Error("settled"));
}

/**
 * The network of one data directory on one host. The records are the truth: a place is taken from the moment its record
 * is on disk until it is removed, and what is on the host without a record is cleared away.
 *
 *   attach   record, tap, rules          detach   rules, tap, record
 */
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { addressAt, parseAddress, parseRange, sizeOf, type Range } from "./address.ts";
import { announce } from "./announce.ts";
import { Firewall, type GuardsByAddress } from "./firewall.ts";
import { gateway, hostNames, macOf, tapName, type HostNames } from "./name.ts";
import type { Attachment, PodIdentity, PodNetwork } from "./network.ts";
import type { Guards } from "./policies/rules.ts";
import { readPlaces, removePlace, writePlace, type Place } from "./records.ts";
import { type Elsewhere, nowhere, soundPeers } from "./overlay/elsewhere.ts";
import { overlayBytes, removeLink, setUpLink } from "./overlay/link.ts";
import { removal, type HostService } from "./ruleset.ts";
import { run } from "./run.ts";
import type { ServiceSpec } from "./services/service.ts";
import { enableForwarding, listTaps, removeTap, setUpTap, uplinkMtu } from "./taps.ts";
import { Transactions } from "./transactions.ts";

/** Every address of the host's range is taken. */
export class RangeExhausted extends Error {
  override readonly name = "RangeExhausted";
}

/** Decided by whoever runs the host. */
export interface NetworkOptions {
  /** The data directory: names on the host derive from it, records are kept in it. */
  readonly data: string;
  /** This host's pods, as `10.244.0.0/24`. */
  readonly podRange: string;
  /** All hosts' pods, as `10.244.0.0/16`. */
  readonly clusterRange: string;
  readonly serviceRange: string;
  /** Virtual addresses that the host answers: the API, DNS. */
  readonly hostServices: readonly HostService[];
  /** Name servers that pods are told of. */
  readonly dns: readonly string[];
  /** Services that are there from the start, so that taking up the network anew closes no way. */
  readonly services?: readonly ServiceSpec[];
  /** What NetworkPolicies say; without it they say nothing. */
  readonly policy?: PolicySource;
  /** This host's address on the network between hosts; without it there are no others. */
  readonly address?: string;
  /** What is known of other hosts from the start. */
  readonly elsewhere?: Elsewhere;
}

/** What NetworkPolicies say of the pods of this host. */
export interface PolicySource {
  guardsOf(pod: Pick<PodIdentity, "uid" | "namespace">, address: string): Guards;
  /** Addresses of pods in flat namespaces, on all hosts. */
  flat(): ReadonlySet<string>;
}

const noPolicy: PolicySource = { guardsOf: () => ({}), flat: () => new Set() };

const recordsFolder = (data: string): string => join(data, "network", "pods");

/** A host's network, in use. */
export class HostNetwork implements PodNetwork {
  readonly #options: NetworkOptions;
  readonly #names: HostNames;
  readonly #range: Range;
  readonly #firewall: Firewall;
  readonly #mtu: number;
  readonly #places = new Map<string, Place>();
  /** What is under way for a pod, for other hosts, for what is announced: one thing at a time each. */
  readonly #turns = new Map<string, Promise<unknown>>();
  /** Offset where the search for a free address goes on, so that one just released rests. */
  #next = 1;

  private constructor(options: NetworkOptions, mtu: number) {
    this.#options = options;
    this.#mtu = mtu;
    this.#names = hostNames(options.data);
    this.#range = parseRange(options.podRange);
    this.#firewall = new Firewall({ ...options, names: this.#names });
  }

  /**
   * Takes the network up: pods recorded earlier have their places again, in rules that replace the old ones in one step.
   * @throws {AddressInvalid} a range is none
   * @throws {ProgramFailed} the host lacks something, see `atoll doctor`
   */
  static async open(options: NetworkOptions): Promise<HostNetwork> {
    // Room for the overlay's headers, whether there are others yet or not: a pod's interface keeps its size.
    const network = new HostNetwork(options, (await uplinkMtu(options.address)) - overlayBytes);
    await network.#takeUp();
    return network;
  }

  attached(): ReadonlyMap<string, Attachment> {
    return new Map([...this.#places].map(([uid, place]) => [uid, this.#attachment(place)]));
  }

  async attach(pod: PodIdentity): Promise<Attachment> {
    return await this.#inTurn(pod.uid, async () => {
      const known = this.#places.get(pod.uid);
      if (known !== undefined) return this.#attachment(known);
      const place = this.#choose(pod);
      this.#places.set(pod.uid, place); // before anything is awaited: the address is taken
      try {
        await writePlace(recordsFolder(this.#options.data), place);
        await setUpTap(place, this.#mtu, false);
        await this.#firewall.admit(place, this.#policy.guardsOf(place, place.address));
      } catch (error) {
        await this.#clear(place).catch(() => undefined);
        throw error;
      }
      return this.#attachment(place);
    });
  }

  async detach(uid: string): Promise<void> {
    await this.#inTurn(uid, async () => {
      const place = this.#places.get(uid);
      if (place !== undefined) await this.#clear(place);
    });
  }

  /** Opens the way that a Service opens. @throws {ProgramFailed} */
  async setService(service: ServiceSpec): Promise<void> {
    await this.#firewall.setService(service);
  }

  /** Closes it again. @throws {ProgramFailed} */
  async removeService(service: { namespace: string; name: string }): Promise<void> {
    await this.#firewall.removeService(service);
  }

  /**
   * Makes the ways to other hosts' pods so: before theirs may come in, the interface leads back to them.
   * @throws {ProgramFailed}
   */
  async setElsewhere(elsewhere: Elsewhere): Promise<void> {
    await this.#inTurn("elsewhere", async () => {
      const sound = this.#sound(elsewhere);
      await this.#reach(sound);
      await this.#firewall.setElsewhere(sound);
    });
  }

  /**
   * Answers to these addresses on the network between hosts, and to no other of this kind.
   * @param forMs after which it answers no more, unless it is called again: whatever becomes of this process
   * @throws {ProgramFailed}
   */
  async announce(addresses: ReadonlySet<string>, forMs: number): Promise<void> {
    await this.#inTurn("announce", async () => {
      await announce({ label: this.#names.announced, uplink: this.#options.address }, addresses, forMs);
    });
  }

  /** Reads anew what NetworkPolicies say. @throws {ProgramFailed} */
  async refreshPolicy(): Promise<void> {
    await this.#firewall.setPolicy(this.#guards([...this.#places.values()]), this.#policy.flat());
  }

  get #policy(): PolicySource {
    return this.#options.policy ?? noPolicy;
  }

  #sound(elsewhere: Elsewhere): Elsewhere {
    const { podRange: own, clusterRange: cluster, address } = this.#options;
    if (address === undefined) return nowhere;
    return { ...elsewhere, peers: soundPeers(elsewhere.peers, { own, cluster, address }) };
  }

  async #reach({ network, peers }: Elsewhere): Promise<void> {
    const { podRange: range, address = "" } = this.#options;
    const name = this.#names.overlay;
    if (peers.length === 0) return await removeLink(name);
    await setUpLink({ name, network, address, range, mtu: this.#mtu }, peers);
  }

  #guards(places: readonly Place[]): GuardsByAddress {
    return new Map(places.map((place) => [place.address, this.#policy.guardsOf(place, place.address)]));
  }

  async #takeUp(): Promise<void> {
    const { data, podRange, services = [] } = this.#options;
    const elsewhere = this.#options.elsewhere === undefined ? undefined : this.#sound(this.#options.elsewhere);
    await mkdir(recordsFolder(data), { recursive: true, mode: 0o700 });
    await enableForwarding();
    await claimRange(data, podRange);
    const [places, taps] = await Promise.all([readPlaces(recordsFolder(data)), listTaps(this.#names.tapPrefix)]);
    const kept = places.filter(({ address }) => this.#holds(address));
    const stale = places.filter(({ address }) => !this.#holds(address));
    const wanted = new Set(kept.map(({ tap }) => tap));
    const [guards, flat] = [this.#guards(kept), this.#policy.flat()];
    await this.#firewall.rebuild(kept, { services, guards, flat, elsewhere: elsewhere ?? nowhere });
    // Nothing known yet takes nothing away: the interface of an earlier driver still leads to the others.
    if (elsewhere !== undefined) await this.#reach(elsewhere);
    for (const tap of taps.filter((each) => !wanted.has(each))) await removeTap(tap);
    for (const { uid } of stale) await removePlace(recordsFolder(data), uid);
    for (const place of kept) {
      await setUpTap(place, this.#mtu, taps.includes(place.tap));
      this.#places.set(place.uid, place);
    }
    this.#next = 1 + Math.max(0, ...kept.map(({ address }) => this.#offset(address)));
  }

  /** What is gone already does not keep the rest from going. */
  async #clear(place: Place): Promise<void> {
    await this.#firewall.expel(place.uid);
    await removeTap(place.tap).catch(async (error: unknown) => {
      if ((await listTaps(place.tap)).includes(place.tap)) throw error;
    });
    await removePlace(recordsFolder(this.#options.data), place.uid);
    this.#places.delete(place.uid);
  }

  #choose({ uid, namespace, reachesHost = false }: PodIdentity): Place {
    const taken = new Set([...this.#places.values()].map(({ address }) => address));
    const most = sizeOf(this.#range) - 2; // without the range's own address and its last
    for (let tried = 0; tried < most; tried++) {
      const offset = 1 + ((this.#next - 1 + tried) % most);
      const address = addressAt(this.#range, offset);
      if (taken.has(address)) continue;
      this.#next = offset + 1;
      const place = { uid, namespace, address, mac: macOf(address), tap: tapName(this.#names, this.#range, address) };
      return reachesHost ? { ...place, reachesHost } : place;
    }
    throw new RangeExhausted(`all ${most} addresses of ${this.#options.podRange} are taken`);
  }

  #attachment({ tap, mac, address }: Place): Attachment {
    return { tap, mac, address, gateway, mtu: this.#mtu, dns: this.#options.dns };
  }

  #offset(address: string): number {
    return parseAddress(address) - this.#range.first;
  }

  #holds(address: string): boolean {
    const offset = this.#offset(address);
    return offset > 0 && offset < sizeOf(this.#range);
  }

  async #inTurn<T>(what: string, act: () => Promise<T>): Promise<T> {
    const before = this.#turns.get(what) ?? Promise.resolve();
    const turn = before.then(act, act);
    this.#turns.set(what, turn);
    try {
      return await turn;
    } finally {
      if (this.#turns.get(what) === turn) this.#turns.delete(what);
    }
  }
}

const claimFile = (data: string): string => join(data, "network", "range");

/** Addresses of the range that no pod has lead nowhere; and whoever looks for a free range sees that this one is not. */
async function claimRange(data: string, range: string): Promise<void> {
  // Another one than before is another host's by now, or nobody's.
  if ((await readFile(claimFile(data), "utf8").catch(() => range)) !== range) await releaseRange(data);
  await writeFile(claimFile(data), range, { mode: 0o600 });
  await run("ip", ["route", "replace", "unreachable", range]);
}

/**
 * Takes away what a data directory's network has on the host: taps, rules, the range's route. Records stay: pods that
 * come back have their addresses again.
 * @throws {ProgramFailed}
 */
export async function removeNetwork(data: string): Promise<void> {
  const names = hostNames(data);
  await new Transactions().commit(removal(names.table));
  for (const tap of await listTaps(names.tapPrefix)) await removeTap(tap);
  await removeLink(names.overlay);
  await announce({ label: names.announced, uplink: undefined }, new Set(), 0);
  await releaseRange(data);
}

async function releaseRange(data: string): Promise<void> {
  const range = await readFile(claimFile(data), "utf8").catch(() => undefined);
  if (range === undefined) return;
  const routes = await run("ip", ["-json", "route", "show", "type", "unreachable", "exact", range]);
  if (routes.trim().length > 2) await run("ip", ["route", "delete", "unreachable", range]);
  await rm(claimFile(data), { force: true });
}

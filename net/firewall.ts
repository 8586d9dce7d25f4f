/**
 * The rules as they stand: what is let in and opened, in memory and in the kernel alike. Every change is one
 * transaction, which holds what changes and nothing else.
 */
import {
  addNamespace,
  addPlace,
  baseRules,
  dropNamespace,
  dropPlace,
  openSet,
  outsideSet,
  removal,
  sourceElement,
  type RulesetOptions,
} from "./ruleset.ts";
import { type Elsewhere, nowhere } from "./overlay/elsewhere.ts";
import { overlayDifference } from "./overlay/rules.ts";
import type { Place } from "./records.ts";
import type { Direction } from "./policies/guard.ts";
import { flatSet, guardDifference, guardRules, type Guards } from "./policies/rules.ts";
import { Flows, type Ways, waysOf } from "./services/flows.ts";
import { difference, noObjects, objectsOf, outside, type ServiceObjects } from "./services/rules.ts";
import { serviceKey, type ServiceSpec } from "./services/service.ts";
import { Transactions } from "./transactions.ts";

/** Of pods by their addresses; who is missing has none. */
export type GuardsByAddress = ReadonlyMap<string, Guards>;

/** What stands beside Services. */
export interface WhatStands {
  readonly guards: GuardsByAddress;
  /** Addresses of pods in flat namespaces. */
  readonly flat: ReadonlySet<string>;
  readonly elsewhere: Elsewhere;
}

const directions: readonly Direction[] = ["ingress", "egress"];
type GuardChains = Readonly<Partial<Record<Direction, readonly string[]>>>;

function chainsOf({ ingress, egress }: Guards): GuardChains {
  return {
    ...(ingress === undefined ? {} : { ingress: guardRules(ingress, "ingress") }),
    ...(egress === undefined ? {} : { egress: guardRules(egress, "egress") }),
  };
}

/** The tables of one data directory. */
export class Firewall {
  readonly #options: RulesetOptions;
  readonly #transactions = new Transactions();
  readonly #flows = new Flows();
  readonly #places = new Map<string, Place>();
  readonly #services = new Map<string, ServiceObjects>();
  /** How many pods and open endpoints need a namespace's chain. */
  readonly #uses = new Map<string, number>();
  /** Rules of guards' chains, by address. */
  readonly #guards = new Map<string, GuardChains>();
  #flat: ReadonlySet<string> = new Set();
  #elsewhere: Elsewhere = nowhere;
  /** How many Services open an endpoint. */
  readonly #open = new Map<string, number>();

  constructor(options: RulesetOptions) {
    this.#options = options;
  }

  get #table(): string {
    return this.#options.names.table;
  }

  /** Replaces whatever rules are there, in one step, by those for these pods and Services. @throws {ProgramFailed} */
  async rebuild(
    places: readonly Place[],
    { services, guards, flat, elsewhere }: WhatStands & { readonly services: readonly ServiceSpec[] },
  ): Promise<void> {
    const pods = places.flatMap((place) => [
      ...this.#guard(place.address, guards.get(place.address) ?? {}),
      ...this.#admission(place),
    ]);
    const ways = services.flatMap((spec) => this.#replacement(serviceKey(spec), objectsOf(spec)));
    const beyond = this.#reach(elsewhere);
    await this.#transactions.commit([baseRules(this.#options), ...pods, ...ways, ...this.#level(flat), ...beyond]);
    const flows = new Map(services.map((spec) => [serviceKey(spec), waysOf(spec)]));
    // Not worth being without a network for: the first Service over UDP that changes says what is wrong.
    await this.#flows.begin(flows, this.#options.hostServices).catch(() => undefined);
  }

  /** Lets a pod's packets in and out, guarded from the first. @throws {ProgramFailed} */
  async admit(place: Place, guards: Guards): Promise<void> {
    if (this.#places.has(place.uid)) return;
    const lines = [...this.#guard(place.address, guards), ...this.#admission(place)];
    await this.#transactions.commit(lines).catch((error: unknown) => {
      this.#forget(place);
      this.#guards.delete(place.address);
      throw error;
    });
  }

  /** Shuts a pod out; nothing for one that is not in. @throws {ProgramFailed} */
  async expel(uid: string): Promise<void> {
    const place = this.#places.get(uid);
    if (place === undefined) return;
    const chains = this.#guards.get(place.address);
    const lines = [...dropPlace(this.#table, place), ...this.#forget(place), ...this.#guard(place.address, {})];
    await this.#transactions.commit(lines).catch((error: unknown) => {
      this.#admission(place);
      if (chains !== undefined) this.#guards.set(place.address, chains);
      throw error;
    });
  }

  /** Makes a Service so, new or changed. @throws {ProgramFailed} */
  async setService(spec: ServiceSpec): Promise<void> {
    await this.#change(serviceKey(spec), objectsOf(spec), waysOf(spec));
  }

  /** Closes what a Service opened. @throws {ProgramFailed} */
  async removeService(service: { namespace: string; name: string }): Promise<void> {
    await this.#change(serviceKey(service), noObjects, new Map());
  }

  /** Makes the guards of the pods that are in so, and who is in a flat namespace. @throws {ProgramFailed} */
  async setPolicy(guards: GuardsByAddress, flat: ReadonlySet<string>): Promise<void> {
    const before = [new Map(this.#guards), this.#flat] as const;
    const addresses = [...this.#places.values()].map(({ address }) => address);
    const lines = [
      ...addresses.flatMap((address) => this.#guard(address, guards.get(address) ?? {})),
      ...this.#level(flat),
    ];
    if (lines.length === 0) return;
    await this.#transactions.commit(lines).catch((error: unknown) => {
      this.#guards.clear();
      for (const [address, chains] of before[0]) this.#guards.set(address, chains);
      this.#flat = before[1];
      throw error;
    });
  }

  /** Makes what other hosts may send so. @throws {ProgramFailed} */
  async setElsewhere(elsewhere: Elsewhere): Promise<void> {
    const before = this.#elsewhere;
    const lines = this.#reach(elsewhere);
    if (lines.length === 0) return;
    await this.#transactions.commit(lines).catch((error: unknown) => {
      this.#reach(before);
      throw error;
    });
  }

  /** Takes all rules away. */
  async remove(): Promise<void> {
    await this.#transactions.commit(removal(this.#table));
  }

  async #change(key: string, to: ServiceObjects, ways: Ways): Promise<void> {
    const from = this.#services.get(key) ?? noObjects;
    const lines = this.#replacement(key, to);
    if (lines.length > 0)
      await this.#transactions.commit(lines).catch((error: unknown) => {
        this.#replacement(key, from);
        throw error;
      });
    await this.#flows.follow(key, ways);
  }

  #replacement(key: string, to: ServiceObjects): readonly string[] {
    const from = this.#services.get(key) ?? noObjects;
    if (to === noObjects) this.#services.delete(key);
    else this.#services.set(key, to);
    const closed = [...from.open].filter((each) => !to.open.has(each)).flatMap((each) => this.#close(each));
    const opened = [...to.open].filter((each) => !from.open.has(each)).flatMap((each) => this.#openUp(each));
    return [...difference(this.#table, from, to), ...opened, ...closed];
  }

  #guard(address: string, guards: Guards): readonly string[] {
    const from = this.#guards.get(address) ?? {};
    const to = chainsOf(guards);
    if (Object.keys(to).length === 0) this.#guards.delete(address);
    else this.#guards.set(address, to);
    return directions.flatMap((direction) =>
      guardDifference(this.#table, { direction, address }, { from: from[direction], to: to[direction] }),
    );
  }

  #level(to: ReadonlySet<string>): readonly string[] {
    const from = this.#flat;
    this.#flat = to;
    const change = (verb: string, addresses: readonly string[]) =>
      addresses.length === 0 ? [] : [`${verb} element ip ${this.#table} ${flatSet} { ${addresses.join(", ")} }`];
    return [
      ...change(
        "add",
        [...to].filter((each) => !from.has(each)),
      ),
      ...change(
        "delete",
        [...from].filter((each) => !to.has(each)),
      ),
    ];
  }

  #reach(to: Elsewhere): readonly string[] {
    const from = this.#elsewhere;
    this.#elsewhere = to;
    const missing = (of: Elsewhere, other: Elsewhere) =>
      [...of.sources].filter(([address, namespace]) => other.sources.get(address) !== namespace);
    const [gone, come] = [missing(from, to), missing(to, from)];
    return [
      ...overlayDifference(this.#table, from, to),
      ...gone.map((source) => sourceElement(this.#table, "delete", source)),
      ...come.flatMap((source) => [...this.#hold(source[1]), sourceElement(this.#table, "add", source)]),
      ...gone.flatMap(([, namespace]) => this.#release(namespace)),
    ];
  }

  #admission(place: Place): readonly string[] {
    this.#places.set(place.uid, place);
    return [...this.#hold(place.namespace), ...addPlace(this.#table, place)];
  }

  #forget({ uid, namespace }: Place): readonly string[] {
    this.#places.delete(uid);
    return this.#release(namespace);
  }

  #openUp(each: string): readonly string[] {
    const count = this.#open.get(each) ?? 0;
    this.#open.set(each, count + 1);
    if (count > 0) return [];
    const { namespace, element } = split(each);
    if (namespace === outside) return [`add element ip ${this.#table} ${outsideSet} { ${element} }`];
    return [...this.#hold(namespace), `add element ip ${this.#table} ${openSet(namespace)} { ${element} }`];
  }

  #close(each: string): readonly string[] {
    const count = (this.#open.get(each) ?? 1) - 1;
    if (count > 0) {
      this.#open.set(each, count);
      return [];
    }
    this.#open.delete(each);
    const { namespace, element } = split(each);
    if (namespace === outside) return [`delete element ip ${this.#table} ${outsideSet} { ${element} }`];
    return [`delete element ip ${this.#table} ${openSet(namespace)} { ${element} }`, ...this.#release(namespace)];
  }

  #hold(namespace: string): readonly string[] {
    const count = this.#uses.get(namespace) ?? 0;
    this.#uses.set(namespace, count + 1);
    return count > 0 ? [] : addNamespace(this.#table, namespace);
  }

  #release(namespace: string): readonly string[] {
    const count = (this.#uses.get(namespace) ?? 1) - 1;
    if (count > 0) this.#uses.set(namespace, count);
    else this.#uses.delete(namespace);
    return count > 0 ? [] : dropNamespace(this.#table, namespace);
  }
}

function split(each: string): { namespace: string; element: string } {
  const at = each.indexOf(" ");
  return { namespace: each.slice(0, at), element: each.slice(at + 1) };
}

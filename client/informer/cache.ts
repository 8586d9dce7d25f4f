/**
 * The informers of a process, one for each collection however many ask, and the questions asked of them.
 */
import type { Clock } from "@atoll/machinery/clock";
import { chance } from "@atoll/machinery/clock";
import type { ApiObject } from "@atoll/machinery/object";
import type { LabelSelector } from "@atoll/machinery/selectors/labels";
import { matchesLabels } from "@atoll/machinery/selectors/labels";
import type { Client, Selection } from "../client.ts";
import type { AnyResource, Key, Resource } from "../resource.ts";
import { groupResource } from "../resource.ts";
import { Informer } from "./informer.ts";

/** Which objects of a collection in memory; all conditions must hold. */
export interface Filter {
  readonly namespace?: string;
  /** Objects with an owner reference to this one. */
  readonly owner?: { readonly metadata: { readonly uid?: string } };
  readonly labels?: LabelSelector;
  /** Objects that are not being deleted. */
  readonly alive?: boolean;
  /** Objects under a value of an index added to the informer. */
  readonly index?: { readonly name: string; readonly value: string };
}

/** What a cache needs. */
export interface CacheOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly random?: () => number;
  /** How long an informer that fails waits for its next try at most, ms. Default 30,000. */
  readonly longestDelayMs?: number;
  readonly onError: (error: unknown, resource: AnyResource) => void;
}

function nameOf(resource: AnyResource, selection: Selection): string {
  const { namespace = "", labelSelector = "", fieldSelector = "" } = selection;
  const view = resource.view ?? "whole";
  return [groupResource(resource), resource.version, view, namespace, labelSelector, fieldSelector].join("|");
}

/** Collections in memory, shared. */
export class Cache {
  readonly #options: CacheOptions;
  readonly #informers = new Map<string, Informer>();
  readonly #running = new Set<Promise<void>>();

  constructor(options: CacheOptions) {
    this.#options = options;
  }

  /** The informer of a collection, started when first asked for; `trim` is the first asker's. */
  informer<T extends ApiObject>(
    resource: Resource<T>,
    selection: Selection = {},
    trim?: (object: T) => T,
  ): Informer<T> {
    const name = nameOf(resource, selection);
    const found = this.#informers.get(name);
    if (found !== undefined) return found as unknown as Informer<T>;
    const { client, clock, random = chance, onError, longestDelayMs } = this.#options;
    const report = (error: unknown) => onError(error, resource);
    const made = new Informer<T>({ client, clock, random, resource, selection, trim, onError: report, longestDelayMs });
    this.#informers.set(name, made as unknown as Informer);
    const running = made.start().finally(() => this.#running.delete(running));
    this.#running.add(running);
    return made;
  }

  /** Stops following a collection and forgets it. */
  drop(resource: AnyResource, selection: Selection = {}): void {
    const name = nameOf(resource, selection);
    this.#informers.get(name)?.stop();
    this.#informers.delete(name);
  }

  /** An object as last seen. */
  get<T extends ApiObject>(resource: Resource<T>, key: Key): T | undefined {
    return this.informer(resource).get(key);
  }

  /** Objects as last seen, in no order. */
  list<T extends ApiObject>(resource: Resource<T>, filter: Filter = {}): readonly T[] {
    return listFrom(this.informer(resource), filter);
  }

  /** Whether every collection asked for so far has been read once. */
  get synced(): boolean {
    return [...this.#informers.values()].every((informer) => informer.synced);
  }

  /** Ends all informers. */
  async stop(): Promise<void> {
    for (const informer of this.#informers.values()) informer.stop();
    await Promise.all(this.#running);
  }
}

/** Objects of an informer, in no order. */
export function listFrom<T extends ApiObject>(informer: Informer<T>, filter: Filter): readonly T[] {
  const { namespace, owner, labels, alive } = filter;
  const found: T[] = [];
  for (const object of candidates(informer, filter)) {
    const { metadata } = object;
    if (namespace !== undefined && (metadata.namespace ?? "") !== namespace) continue;
    if (alive === true && metadata.deletionTimestamp !== undefined) continue;
    if (owner !== undefined && !isOwned(object, owner.metadata.uid)) continue;
    if (labels === undefined || matchesLabels(labels, metadata.labels)) found.push(object);
  }
  return found;
}

function isOwned(object: ApiObject, uid: string | undefined): boolean {
  return object.metadata.ownerReferences?.some((owner) => owner.uid === uid) ?? false;
}

/** The smallest set at hand in which the filter's objects lie. */
function candidates<T extends ApiObject>(informer: Informer<T>, filter: Filter): Iterable<T> {
  if (filter.index !== undefined) return informer.by(filter.index.name, filter.index.value);
  if (filter.owner !== undefined) return informer.by("owner", filter.owner.metadata.uid ?? "");
  if (filter.namespace !== undefined) return informer.by("namespace", filter.namespace);
  return informer.values();
}

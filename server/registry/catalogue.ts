/**
 * What is served: every kind by group, version and plural, with the stored resource behind it. Built-in kinds are
 * there from the start; those of CustomResourceDefinitions come and go.
 */
import type { Kind } from "@atoll/api/kind";
import type { Store } from "@atoll/storage/store";
import { ParsedObjects } from "./cache.ts";
import { Resource } from "./resource.ts";

/** A kind in one version, and where its objects are. Virtual kinds (TokenReview) have no resource. */
export interface Served {
  readonly kind: Kind;
  readonly resource: Resource | undefined;
}

// A pod of 3 KiB parses in some 15 µs, so forgetting one is cheap; this bounds memory at some tens of MiB.
const parsedObjectsKept = 2048;
const recentChangesKept = 500;

export class Catalogue {
  readonly #store: Store;
  readonly #parsed = new ParsedObjects(parsedObjectsKept);
  readonly #served = new Map<string, Served>();
  readonly #resources = new Map<string, Resource>();
  readonly #listeners = new Set<() => void>();
  #generation = 0;

  constructor(store: Store) {
    this.#store = store;
  }

  /** Rises whenever what is served changes; documents made from the catalogue are cached by it. */
  get generation(): number {
    return this.#generation;
  }

  /** Calls back after each change of what is served. */
  onChange(listener: () => void): void {
    this.#listeners.add(listener);
  }

  /**
   * Serves the versions of one resource.
   * @param stored the version whose shape is stored; undefined for virtual kinds
   */
  serve(versions: readonly Kind[], stored: Kind | undefined): void {
    const resource = stored === undefined ? undefined : this.#resource(stored);
    for (const kind of versions) this.#served.set(id(kind.group, kind.version, kind.plural), { kind, resource });
    this.#changed();
  }

  /** Stops serving all versions of a resource. */
  withdraw(group: string, plural: string): void {
    for (const [key, { kind }] of this.#served) {
      if (kind.group === group && kind.plural === plural) this.#served.delete(key);
    }
    this.#resources.get(`${group}/${plural}`)?.cache.close();
    this.#resources.delete(`${group}/${plural}`);
    this.#changed();
  }

  find(group: string, version: string, plural: string): Served | undefined {
    return this.#served.get(id(group, version, plural));
  }

  /** The stored resource, whatever versions it is served in. */
  resource(group: string, plural: string): Resource | undefined {
    return this.#resources.get(`${group}/${plural}`);
  }

  /** Every stored resource. */
  resources(): readonly Resource[] {
    return [...this.#resources.values()];
  }

  /** Every kind served, in the order they were added. */
  kinds(): readonly Kind[] {
    return [...this.#served.values()].map(({ kind }) => kind);
  }

  /** Serving one version of a kind in another is a matter of shape: the kind served as given, by name. */
  kindOf(group: string, version: string, kindName: string): Served | undefined {
    for (const served of this.#served.values()) {
      const { kind } = served;
      if (kind.kind === kindName && kind.group === group && kind.version === version) return served;
    }
    return undefined;
  }

  close(): void {
    for (const resource of this.#resources.values()) resource.cache.close();
  }

  #resource(stored: Kind): Resource {
    const key = `${stored.group}/${stored.plural}`;
    this.#resources.get(key)?.cache.close();
    const resource = new Resource({ store: this.#store, parsed: this.#parsed, stored, recent: recentChangesKept });
    this.#resources.set(key, resource);
    return resource;
  }

  #changed(): void {
    this.#generation++;
    for (const listener of this.#listeners) listener();
  }
}

function id(group: string, version: string, plural: string): string {
  return `${group}/${version}/${plural}`;
}

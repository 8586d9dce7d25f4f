/**
 * Which addresses and node ports Services use: followed from the watch cache, with those that are being given out at
 * this moment on top.
 */
import type { Service } from "@atoll/api/builtin/core/v1.types";
import type { Change, Entry } from "@atoll/storage/store";
import type { Resource } from "../registry/resource.ts";

/** A thing that one Service has: `10.96.0.1`, or `30080/TCP`. */
export type Claim = string;

/** Who has which address and node port. Loads itself when first asked. */
export class InUse {
  readonly #services: Resource;
  readonly #onFreed: (owner: string, claims: readonly Claim[]) => void;
  readonly #owners = new Map<Claim, string>();
  /** How many hold a claim at the moment. */
  readonly #reserved = new Map<Claim, number>();
  #following: Promise<void> | undefined;

  /** @param onFreed told what a Service, by its key, has no more */
  constructor(services: Resource, onFreed: (owner: string, claims: readonly Claim[]) => void) {
    this.#services = services;
    this.#onFreed = onFreed;
  }

  /** Resolves when all Services are known. */
  async ready(): Promise<void> {
    this.#following ??= this.#follow();
    await this.#following;
  }

  /** Whether another Service than `owner` (a key) has it. */
  isTaken(claim: Claim, owner: string): boolean {
    if (this.#reserved.has(claim)) return true;
    const holder = this.#owners.get(claim);
    return holder !== undefined && holder !== owner;
  }

  /** Holds a claim until the write it is for has been seen, or has failed. */
  reserve(claim: Claim): () => void {
    this.#reserved.set(claim, (this.#reserved.get(claim) ?? 0) + 1);
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      const others = (this.#reserved.get(claim) ?? 0) - 1;
      if (others > 0) this.#reserved.set(claim, others);
      else this.#reserved.delete(claim);
    };
  }

  async #follow(): Promise<void> {
    const { cache } = this.#services;
    await cache.current();
    this.#owners.clear();
    for (const entry of cache.range("")) this.#add(entry);
    cache.follow(cache.revision, {
      changes: (changes) => {
        for (const change of changes) this.#take(change);
      },
      progress: () => {},
      // The cache starts over, and so does this.
      ended: () => {
        this.#following = undefined;
      },
    });
  }

  #take({ key, entry, previous }: Change): void {
    const before = previous === undefined ? [] : this.#claimsOf(previous);
    for (const claim of before) if (this.#owners.get(claim) === key) this.#owners.delete(claim);
    if (entry !== undefined) this.#add(entry);
    const freed = before.filter((claim) => this.#owners.get(claim) !== key);
    if (freed.length > 0) this.#onFreed(key, freed);
  }

  #add(entry: Entry): void {
    for (const claim of this.#claimsOf(entry)) this.#owners.set(claim, entry.key);
  }

  #claimsOf(entry: Entry): Claim[] {
    return claimsOf(this.#services.cache.object(entry) as unknown as Service);
  }
}

/** What a Service has. Ports of different protocols are different ports. */
export function claimsOf({ spec }: Service): Claim[] {
  const addresses = (spec.clusterIPs ?? []).filter((address) => address !== "" && address !== "None");
  const ports = (spec.ports ?? []).flatMap(({ nodePort = 0, protocol }) =>
    nodePort > 0 ? [`${nodePort}/${protocol}`] : [],
  );
  const health = spec.healthCheckNodePort ? [`${spec.healthCheckNodePort}/TCP`] : [];
  return [...addresses, ...ports, ...health];
}

/**
 * Which addresses and node ports Services use: followed from the watch cache, with those that are being given out at
 * this moment on top.
 */
import type { Service } from "@atoll/api/builtin/core/v1.types";
import type { Change, Entry } from "@atoll/storage/store";
import type { Resource } from "../registry/resource.ts";

/** A thing that one Service has: `10.96.0.1`, or `30080/TCP`. */
type Claim = string;

/** Who has which address and node port. Loads itself when first asked. */
export class InUse {
  readonly #services: Resource;
  readonly #owners = new Map<Claim, string>();
  readonly #reserved = new Set<Claim>();
  #following: Promise<void> | undefined;

  constructor(services: Resource) {
    this.#services = services;
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
    this.#reserved.add(claim);
    return () => this.#reserved.delete(claim);
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
    if (previous !== undefined) {
      for (const claim of this.#claimsOf(previous)) if (this.#owners.get(claim) === key) this.#owners.delete(claim);
    }
    if (entry !== undefined) this.#add(entry);
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

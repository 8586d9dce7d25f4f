/**
 * Which Service has an address or a node port, written down in the store before the Service is, so that servers on one
 * store give nothing out twice:
 *
 *     take (create the key, or fail) ─▶ the Service is written ─▶ … ─▶ it goes ─▶ release (delete the key)
 *
 * A key whose Service never came about, because its server died in between, is anybody's after a while.
 * Source: k8s.io/kubernetes/pkg/registry/core/service/allocator/storage keeps one bitmap for the same
 */
import type { Service } from "@atoll/api/builtin/core/v1.types";
import type { Clock } from "@atoll/machinery/clock";
import { parseStoredJson } from "@atoll/machinery/json/json";
import { type Entry, KeyExists, RevisionMismatch, type Store } from "@atoll/storage/store";
import { unavailable } from "../registry/resource.ts";
import { type Claim, claimsOf } from "./inuse.ts";

const prefix = "/registry/claims/services/";
/** Far longer than a write takes. */
const graceMs = 60_000;
const mostAttempts = 10;

interface Holder {
  /** Key of the Service. */
  readonly owner: string;
  readonly atMs: number;
}

export class Claims {
  readonly #store: Store;
  readonly #clock: Clock;

  constructor({ store, clock }: { store: Store; clock: Clock }) {
    this.#store = store;
    this.#clock = clock;
  }

  /**
   * Takes all of the claims, or none.
   * @returns those that another Service has; empty when all are taken
   * @throws {StatusError} ServiceUnavailable
   */
  async take(owner: string, claims: readonly Claim[]): Promise<readonly Claim[]> {
    const outcomes = await Promise.all(claims.map((claim) => this.#takeOne(owner, claim)));
    const lost = claims.filter((_, i) => outcomes[i] === false);
    if (lost.length > 0) {
      await this.release(
        owner,
        claims.filter((claim) => !lost.includes(claim)),
      );
    }
    return lost;
  }

  async #takeOne(owner: string, claim: Claim): Promise<boolean> {
    const key = prefix + claim;
    const value = Buffer.from(JSON.stringify({ owner, atMs: this.#clock.nowMs() } satisfies Holder));
    for (let attempt = 0; attempt < mostAttempts; attempt++) {
      try {
        const found = await this.#store.get(key);
        if (found === undefined) await this.#store.create(key, value);
        else if (!(await this.#isFree(found, owner, claim))) return false;
        else await this.#store.update(key, found.modRevision, value);
        return true;
      } catch (error) {
        // Somebody else was quicker: what they made of it counts.
        if (!(error instanceof KeyExists || error instanceof RevisionMismatch)) throw unavailable(error);
      }
    }
    return false;
  }

  async #isFree({ value }: Entry, owner: string, claim: Claim): Promise<boolean> {
    const holder = parseStoredJson(value) as Holder;
    if (holder.owner === owner) return true;
    return this.#clock.nowMs() - holder.atMs > graceMs && !(await this.#has(holder.owner, claim));
  }

  async #has(owner: string, claim: Claim): Promise<boolean> {
    const entry = await this.#store.get(owner);
    return entry !== undefined && claimsOf(parseStoredJson(entry.value) as Service).includes(claim);
  }

  /** Gives back claims of a Service that has them no more. What cannot be given back now becomes free by itself. */
  async release(owner: string, claims: readonly Claim[]): Promise<void> {
    await Promise.allSettled(claims.map((claim) => this.#releaseOne(owner, claim)));
  }

  async #releaseOne(owner: string, claim: Claim): Promise<void> {
    const found = await this.#store.get(prefix + claim);
    if (found === undefined || (parseStoredJson(found.value) as Holder).owner !== owner) return;
    if (!(await this.#has(owner, claim))) await this.#store.delete(found.key, found.modRevision);
  }
}

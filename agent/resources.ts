/** Where the cluster serves the kinds it is asked to have: discovery, asked again when something is not found. */
import type { Client } from "@atoll/client/client";
import { discover, type DiscoveredResource } from "@atoll/client/discovery";
import type { Resource } from "@atoll/client/resource";
import type { Clock } from "@atoll/machinery/clock";
import { parseApiVersion, type ApiObject } from "@atoll/machinery/object";

/** A kind that was not there is asked for again after this. */
const staleMs = 10_000;
/** Kinds that may have come are looked for after this. */
const listedMs = 55_000;

/** The resources of one server. */
export class Resources {
  readonly #client: Client;
  readonly #clock: Clock;
  #found: readonly DiscoveredResource[] = [];
  #askedMs = Number.NEGATIVE_INFINITY;

  constructor(client: Client, clock: Clock) {
    this.#client = client;
    this.#clock = clock;
  }

  /** All that can be listed, each in its best version, as of less than a minute ago. */
  async listable(): Promise<readonly Resource[]> {
    if (this.#clock.monotonicMs() - this.#askedMs >= listedMs) await this.#ask();
    return this.#found.filter(({ preferred, verbs }) => preferred && verbs.includes("list")) as readonly Resource[];
  }

  /** The resource of an object's kind; undefined when the server does not serve it. */
  async of({ apiVersion, kind }: Pick<ApiObject, "apiVersion" | "kind">): Promise<Resource | undefined> {
    const wanted = { ...parseApiVersion(apiVersion), kind };
    const known = this.#find(wanted);
    if (known !== undefined || this.#clock.monotonicMs() - this.#askedMs < staleMs) return known;
    await this.#ask();
    return this.#find(wanted);
  }

  /** Whether a kind was served when it was asked for last. */
  has({ group, version, kind }: Pick<Resource, "group" | "version" | "kind">): boolean {
    return this.#find({ group, version, kind }) !== undefined;
  }

  /** A kind came, and is to be found when it is asked for next. */
  forget(): void {
    this.#askedMs = Number.NEGATIVE_INFINITY;
  }

  async #ask(): Promise<void> {
    this.#askedMs = this.#clock.monotonicMs();
    this.#found = (await discover(this.#client)).resources;
  }

  #find({ group, version, kind }: { group: string; version: string; kind: string }): Resource | undefined {
    return this.#found.find((r) => r.kind === kind && r.group === group && r.version === version) as
      | Resource
      | undefined;
  }
}

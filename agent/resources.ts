/** Where the cluster serves the kinds it is asked to have: discovery, asked again when something is not found. */
import type { Client } from "@atoll/client/client";
import { discover, type DiscoveredResource, type Discovery } from "@atoll/client/discovery";
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
  #failed: Discovery["failed"] = [];
  #askedMs = Number.NEGATIVE_INFINITY;
  /** A question under way: who asks meanwhile waits for its answer, as nothing known is not nothing served. */
  #asking: Promise<void> | undefined;

  constructor(client: Client, clock: Clock) {
    this.#client = client;
    this.#clock = clock;
  }

  /** All that can be listed, each in its best version, as of less than a minute ago. */
  async listable(): Promise<readonly Resource[]> {
    if (this.#clock.monotonicMs() - this.#askedMs >= listedMs) await this.#ask();
    return this.#found.filter(({ preferred, verbs }) => preferred && verbs.includes("list")) as readonly Resource[];
  }

  /**
   * The resource of an object's kind; undefined when the server does not serve it.
   * @throws {Error} of its group nothing could be learned just now
   */
  async of({ apiVersion, kind }: Pick<ApiObject, "apiVersion" | "kind">): Promise<Resource | undefined> {
    const wanted = { ...parseApiVersion(apiVersion), kind };
    const known = this.#find(wanted);
    if (known !== undefined) return known;
    if (this.#asking !== undefined || this.#clock.monotonicMs() - this.#askedMs >= staleMs) await this.#ask();
    const found = this.#find(wanted);
    const failed = this.#failed.find(({ group }) => group === wanted.group);
    if (found === undefined && failed !== undefined) throw failed.error;
    return found;
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
    this.#asking ??= this.#discover().finally(() => (this.#asking = undefined));
    await this.#asking;
  }

  async #discover(): Promise<void> {
    const askedMs = this.#clock.monotonicMs();
    const { resources, failed } = await discover(this.#client);
    this.#found = resources;
    this.#failed = failed;
    this.#askedMs = askedMs;
  }

  #find({ group, version, kind }: { group: string; version: string; kind: string }): Resource | undefined {
    return this.#found.find((r) => r.kind === kind && r.group === group && r.version === version) as
      | Resource
      | undefined;
  }
}

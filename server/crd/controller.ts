/**
 * Serves what CustomResourceDefinitions define, and keeps their status: names, schema, Established, Terminating.
 * One worker takes definitions one after another, so that names are given out in order; the removal of instances goes
 * on beside it.
 *
 *     definition changed ─▶ next status ─▶ served or withdrawn ─▶ status written ─▶ others of the group looked at again
 *
 * A kind is served before its definition says Established: who waits for that never meets a 404.
 * Source: k8s.io/apiextensions-apiserver/pkg/apiserver/apiserver.go
 */
import { type CustomResourceDefinition, hasCondition } from "@atoll/api/apiextensions/definition";
import type { CustomResourceDefinitionStatus } from "@atoll/api/builtin/apiextensions.k8s.io/v1.types";
import { type Clock, formatTime } from "@atoll/machinery/clock";
import { deepEqual } from "@atoll/machinery/equal";
import type { ApiObject } from "@atoll/machinery/object";
import { StatusError } from "@atoll/machinery/status";
import type { Catalogue } from "../registry/catalogue.ts";
import type { Resource } from "../registry/resource.ts";
import type { WebhookClient } from "../webhook/client.ts";
import { clone } from "../registry/versions.ts";
import { type Converter, nameConverter } from "./conversion.ts";
import { customKinds } from "./kinds.ts";
import { isRemovalDue, removeDefinition } from "./removal.ts";
import { type Decided, nextStatus, structureOf } from "./status.ts";
import { WebhookConverter } from "./webhook.ts";

export interface CustomResourcesOptions {
  readonly catalogue: Catalogue;
  readonly clock: Clock;
  readonly webhooks: WebhookClient;
  /** Told of what failed and is tried again. */
  readonly onError: (error: unknown, what: string) => void;
}

/** What is served for a definition, and what of the definition it depends on. */
interface Serving {
  readonly group: string;
  readonly plural: string;
  readonly basis: unknown;
  terminating: boolean;
}

/** What was found in the schemas of a generation. */
interface Structure {
  readonly uid: string | undefined;
  readonly generation: number | undefined;
  readonly found: readonly Decided[];
}

const retryMs = 1_000;
/** Far more than a page of lists comes to; one string of the language holds twice as much. */
const largestConversion = 256 * 1024 * 1024;
/** Source: the client's default; a CustomResourceDefinition has no field for it. */
const conversionLimits = { timeoutMs: 30_000, largestAnswer: largestConversion };

export class CustomResources {
  readonly #options: CustomResourcesOptions;
  readonly #definitions: Resource;
  readonly #serving = new Map<string, Serving>();
  readonly #structures = new Map<string, Structure>();
  readonly #due = new Set<string>();
  readonly #removing = new Set<string>();
  readonly #stopped = new AbortController();
  #unfollow: (() => void) | undefined;
  #working: Promise<void> | undefined;

  /** @throws {TypeError} when CustomResourceDefinitions are not served */
  constructor(options: CustomResourcesOptions) {
    const definitions = options.catalogue.resource("apiextensions.k8s.io", "customresourcedefinitions");
    if (definitions === undefined) throw new TypeError("CustomResourceDefinitions are not served");
    this.#options = options;
    this.#definitions = definitions;
  }

  /** Resolves when every definition there is has been looked at. */
  async start(): Promise<void> {
    await this.#follow();
    await this.#working;
  }

  async close(): Promise<void> {
    this.#stopped.abort();
    this.#unfollow?.();
    await this.#working;
  }

  async #follow(): Promise<void> {
    const { cache } = this.#definitions;
    await cache.current();
    this.#unfollow = cache.follow(cache.revision, {
      changes: (changes) => {
        for (const { key } of changes) this.#look(this.#definitions.place(key).name);
      },
      progress: () => {},
      ended: () => this.#again(() => this.#follow()),
    });
    for (const name of this.#serving.keys()) this.#look(name);
    for (const { key } of cache.range(this.#definitions.prefix(""))) this.#look(this.#definitions.place(key).name);
  }

  #again(attempt: () => Promise<void>): void {
    if (this.#stopped.signal.aborted) return;
    void attempt().catch((error: unknown) => {
      if (this.#stopped.signal.aborted) return;
      this.#options.onError(error, "following CustomResourceDefinitions");
      this.#options.clock.after(retryMs, () => this.#again(attempt), { unref: true });
    });
  }

  #look(name: string): void {
    this.#due.add(name);
    this.#working ??= this.#work();
  }

  async #work(): Promise<void> {
    // What is due together, as at a start, is gathered first.
    await Promise.resolve();
    for (const name of this.#due) {
      if (this.#stopped.signal.aborted) break;
      this.#due.delete(name);
      try {
        await this.#settle(name);
      } catch (error) {
        this.#failed(error, name, () => this.#look(name));
      }
    }
    // In the same turn as the last look at what is due: nothing is left behind.
    this.#working = undefined;
  }

  #failed(error: unknown, name: string, again: () => void): void {
    if (this.#stopped.signal.aborted) return;
    this.#options.onError(error, name);
    this.#options.clock.after(retryMs, again, { unref: true });
  }

  async #settle(name: string): Promise<void> {
    const crd = this.#definition(name);
    if (crd === undefined) {
      this.#withdraw(name);
      this.#structures.delete(name);
      this.#lookAtGroup(groupOf(name), name);
      return;
    }
    const status = this.#statusOf(crd);
    this.#serve({ ...crd, status });
    if (!deepEqual(status, crd.status) && (await this.#write(name))) this.#lookAtGroup(crd.spec.group, name);
    if (isRemovalDue(crd)) this.#remove(name);
  }

  #definition(name: string): CustomResourceDefinition | undefined {
    const { cache } = this.#definitions;
    const entry = cache.get(this.#definitions.key("", name));
    return entry === undefined ? undefined : (cache.object(entry) as unknown as CustomResourceDefinition);
  }

  /** @param crd its group's other names are as of now */
  #statusOf(crd: CustomResourceDefinition): CustomResourceDefinitionStatus {
    const others = this.#ofGroup(crd.spec.group, crd.metadata.name ?? "").map(({ status }) => status.acceptedNames);
    const now = formatTime(this.#options.clock.nowMs());
    return nextStatus(crd, { others, structure: this.#structureOf(crd), now });
  }

  /** Looking through a large schema takes a while, and it changes seldom. */
  #structureOf(crd: CustomResourceDefinition): readonly Decided[] {
    const { name = "", uid, generation } = crd.metadata;
    const known = this.#structures.get(name);
    if (known !== undefined && known.uid === uid && known.generation === generation) return known.found;
    const found = structureOf(crd);
    this.#structures.set(name, { uid, generation, found });
    return found;
  }

  #ofGroup(group: string, but: string): readonly CustomResourceDefinition[] {
    const { cache } = this.#definitions;
    return cache
      .range(this.#definitions.prefix(""))
      .filter(({ key }) => groupOf(this.#definitions.place(key).name) === group)
      .map((entry) => cache.object(entry) as unknown as CustomResourceDefinition)
      .filter(({ metadata }) => metadata.name !== but);
  }

  /** Names that were given up, or given, matter to those that conflict. */
  #lookAtGroup(group: string, but: string): void {
    for (const { metadata, status } of this.#ofGroup(group, but)) {
      if (!hasCondition(status, "NamesAccepted")) this.#look(metadata.name ?? "");
    }
  }

  /** Writes the status; says whether accepted names changed. */
  async #write(name: string): Promise<boolean> {
    let renamed = false;
    try {
      const { entry } = await this.#definitions.update({ namespace: "", name }, ({ object }) => {
        const crd = object as unknown as CustomResourceDefinition;
        const status = this.#statusOf(crd);
        renamed = !deepEqual(status.acceptedNames, crd.status.acceptedNames);
        return { object: clone({ ...crd, status }) as unknown as ApiObject };
      });
      // The next one to be given names must see these.
      await this.#definitions.cache.reached(entry.modRevision);
      return renamed;
    } catch (error) {
      if (error instanceof StatusError && error.reason === "NotFound") return false;
      throw error;
    }
  }

  #serve(crd: CustomResourceDefinition): void {
    const name = crd.metadata.name ?? "";
    if (!hasCondition(crd.status, "NamesAccepted") && !hasCondition(crd.status, "Established")) {
      this.#withdraw(name);
      return;
    }
    const terminating = hasCondition(crd.status, "Terminating");
    const basis = { uid: crd.metadata.uid, spec: crd.spec, names: crd.status.acceptedNames };
    const known = this.#serving.get(name);
    if (known !== undefined) known.terminating = terminating;
    if (known !== undefined && deepEqual(known.basis, basis)) return;
    const { group, plural } = { group: crd.spec.group, plural: crd.status.acceptedNames.plural };
    const serving: Serving = { group, plural, basis, terminating };
    const { served, stored } = customKinds(crd, {
      converter: this.#converterOf(crd),
      terminating: () => serving.terminating,
    });
    this.#withdraw(name);
    this.#serving.set(name, serving);
    this.#options.catalogue.serve(served, stored);
  }

  #withdraw(name: string): void {
    const serving = this.#serving.get(name);
    if (serving === undefined) return;
    this.#serving.delete(name);
    this.#options.catalogue.withdraw(serving.group, serving.plural);
  }

  #converterOf({ spec }: CustomResourceDefinition): Converter {
    const { strategy, webhook } = spec.conversion ?? { strategy: "None" };
    if (strategy !== "Webhook" || webhook?.clientConfig === undefined) return nameConverter;
    const { clientConfig } = webhook;
    const post = (body: unknown) => this.#options.webhooks.ask(clientConfig, body, conversionLimits);
    return new WebhookConverter(post, webhook.conversionReviewVersions ?? []);
  }

  #remove(name: string): void {
    if (this.#removing.has(name)) return;
    this.#removing.add(name);
    const { catalogue, clock } = this.#options;
    const { signal } = this.#stopped;
    removeDefinition(name, { catalogue, clock, signal, definitions: this.#definitions }).then(
      () => this.#removing.delete(name),
      (error: unknown) => {
        this.#removing.delete(name);
        this.#failed(error, name, () => this.#look(name));
      },
    );
  }
}

/** A definition is named after what it is of. */
function groupOf(name: string): string {
  return name.slice(name.indexOf(".") + 1);
}

/**
 * DELETE of one object, and of a collection: at once, or marked and kept for its grace period and finalizers.
 * Source: k8s.io/apiserver/pkg/registry/rest/delete.go, …/registry/generic/registry/store.go, …/endpoints/handlers/delete.go
 */
import { formatTime, parseTime } from "@atoll/machinery/clock";
import { type ApiObject, formatApiVersion } from "@atoll/machinery/object";
import { StatusError } from "@atoll/machinery/status";
import type { Entry } from "@atoll/storage/store";
import type { Call } from "../call.ts";
import { negotiate } from "../http/negotiate.ts";
import type { Change, Resource } from "../registry/resource.ts";
import { clone, fromStored } from "../registry/versions.ts";
import { jsonReply, type Reply } from "../reply.ts";
import { answerEntry, answerObject, answerValue } from "./answer.ts";
import { admissionRequest, contextOf } from "./create.ts";
import { type DeleteOptions, deleteOptions, type Propagation } from "./options.ts";
import { readDeleteBody } from "./deletebody.ts";
import { find, listMetadata } from "./list.ts";
import { listOptions } from "./revisions.ts";
import { selection } from "./select.ts";
import { storedResource } from "./stored.ts";
import { isFinished } from "./write.ts";

/** @throws {StatusError} NotFound, Conflict, Invalid, and what admission refuses */
export async function remove(call: Call): Promise<Reply> {
  const resource = storedResource(call);
  const wanted = negotiate(call.request.headers.accept, false);
  const options = deleteOptions(call.info.query, await readDeleteBody(call));
  const { namespace, name } = call.info;
  const outcome = await removeObject(call, { namespace, name }, options);
  const code = !outcome.gone && options.orphanDependents === false ? 202 : 200;
  if (!outcome.gone || call.served.kind.strategy.returnsDeleted === true) {
    return options.dryRun
      ? answerObject(call, wanted, { code, object: outcome.object })
      : await answerEntry(call, wanted, { code, entry: outcome.entry });
  }
  return jsonReply(200, goneStatus(resource, outcome.object));
}

/** Source: the Status a DELETE answers with when the object is gone */
function goneStatus({ stored }: Resource, { metadata }: ApiObject): Record<string, unknown> {
  const group = stored.group === "" ? {} : { group: stored.group };
  return {
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Success",
    details: { name: metadata.name, ...group, kind: stored.plural, uid: metadata.uid },
  };
}

interface Outcome {
  readonly gone: boolean;
  readonly entry: Entry;
  readonly object: ApiObject;
}

/**
 * Deletes, or marks as being deleted, one object.
 * @param admitted whether admission has spoken already, as on an eviction
 */
export async function removeObject(
  call: Call,
  place: { namespace: string; name: string },
  options: DeleteOptions,
  { admitted }: { admitted: boolean } = { admitted: false },
): Promise<Outcome> {
  const resource = storedResource(call);
  const run = new Deletion(call, options, admitted);
  const first = await resource.update(place, (current) => run.begin(current.object));
  // A graceful kind that is to go at once is first marked, so that watchers see it end, then removed.
  const second = run.goesNext && !options.dryRun ? await removeMarked(resource, place) : undefined;
  return {
    gone: run.goesNow || run.goesNext,
    entry: second ?? first.entry,
    object: run.object ?? resource.cache.object(first.entry),
  };
}

async function removeMarked(
  resource: Resource,
  place: { namespace: string; name: string },
): Promise<Entry | undefined> {
  try {
    return (await resource.update(place, () => ({ remove: true }))).entry;
  } catch (error) {
    if (error instanceof StatusError && error.reason === "NotFound") return undefined;
    throw error;
  }
}

/** The decision about one object; begin() may run again on a newer state. */
class Deletion {
  readonly #call: Call;
  readonly #options: DeleteOptions;
  readonly #admitted: boolean;
  goesNow = false;
  goesNext = false;
  object: ApiObject | undefined;

  constructor(call: Call, options: DeleteOptions, admitted: boolean) {
    this.#call = call;
    this.#options = options;
    this.#admitted = admitted;
  }

  async begin(stored: ApiObject): Promise<Change> {
    this.goesNow = false;
    this.goesNext = false;
    const { kind } = this.#call.served;
    const object = clone(await fromStored(kind, stored));
    checkPreconditions(this.#call, this.#options, object);
    if (!this.#admitted) await this.#admit(object);
    this.object = object;
    const wish = this.#decide(object);
    if (this.#options.dryRun || wish === "unchanged") return "unchanged";
    return wish === "remove" ? { remove: true } : { object };
  }

  async #admit(old: ApiObject): Promise<void> {
    const { admission } = this.#call.services;
    const request = admissionRequest(this.#call, "DELETE", { object: undefined, old, options: this.#options });
    await admission.mutate(request);
    await admission.validate(request);
  }

  /** Changes the object to what it is while it is being deleted. */
  #decide(object: ApiObject): "remove" | "update" | "unchanged" {
    const grace = this.#grace(object);
    if (grace === "pending") return "unchanged";
    const finalizers = this.#finalizers(object);
    const held = finalizers.length > 0 || this.#call.served.kind.strategy.holdsDeletion?.(object) === true;
    if (grace === "none" && !held) {
      this.goesNow = true;
      return "remove";
    }
    if (finalizers.length > 0) object.metadata.finalizers = finalizers;
    else delete object.metadata.finalizers;
    if (grace === "none") markDeleting(object, this.#nowMs);
    this.#call.served.kind.strategy.beginDeletion?.(object, contextOf(this.#call));
    this.goesNext = isFinished(this.#call.served.kind, object);
    return "update";
  }

  get #nowMs(): number {
    return this.#call.services.clock.nowMs();
  }

  /** Marks a graceful object; says whether there is a grace period, none, or one already running. */
  #grace(object: ApiObject): "graceful" | "none" | "pending" {
    const { strategy } = this.#call.served.kind;
    if (strategy.graceSeconds === undefined) return "none";
    const { metadata } = object;
    const asked = seconds(this.#options.gracePeriodSeconds);
    if (metadata.deletionTimestamp !== undefined) return shorten(object, asked);
    const grace = strategy.graceSeconds(object, asked);
    metadata.deletionTimestamp = formatTime(this.#nowMs + grace * 1000);
    metadata.deletionGracePeriodSeconds = grace;
    raiseGeneration(object);
    return "graceful";
  }

  #finalizers(object: ApiObject): string[] {
    const policy = propagation(this.#options, object, this.#call.served.kind.strategy.defaultPropagation);
    const others = (object.metadata.finalizers ?? []).filter(
      (name) => name !== "orphan" && name !== "foregroundDeletion",
    );
    if (policy === "Orphan") return [...others, "orphan"];
    return policy === "Foreground" ? [...others, "foregroundDeletion"] : others;
  }
}

/** A negative grace means one second. Source: rest.BeforeDelete */
function seconds(asked: number | undefined): number | undefined {
  return asked !== undefined && asked < 0 ? 1 : asked;
}

/** An object that is being deleted may only be hurried. */
function shorten({ metadata }: ApiObject, asked: number | undefined): "graceful" | "none" | "pending" {
  const running = metadata.deletionGracePeriodSeconds;
  if (running === undefined) return "none";
  if (asked === undefined || asked >= running) return "pending";
  const began = parseTime(metadata.deletionTimestamp ?? "") - running * 1000;
  metadata.deletionTimestamp = formatTime(began + asked * 1000);
  metadata.deletionGracePeriodSeconds = asked;
  return "graceful";
}

function markDeleting(object: ApiObject, nowMs: number): void {
  const { metadata } = object;
  if (metadata.deletionTimestamp === undefined) {
    metadata.deletionTimestamp = formatTime(nowMs);
    raiseGeneration(object);
  }
  metadata.deletionGracePeriodSeconds = 0;
}

function raiseGeneration({ metadata }: ApiObject): void {
  if (metadata.generation !== undefined && metadata.generation > 0) metadata.generation++;
}

/** The caller's wish first, then what the object already waits for, then the kind's default. */
function propagation(
  { orphanDependents, propagationPolicy }: DeleteOptions,
  { metadata }: ApiObject,
  byDefault: Propagation | undefined,
): Propagation {
  if (orphanDependents !== undefined) return orphanDependents ? "Orphan" : "Background";
  if (propagationPolicy !== undefined) return propagationPolicy;
  if (metadata.finalizers?.includes("orphan") === true) return "Orphan";
  if (metadata.finalizers?.includes("foregroundDeletion") === true) return "Foreground";
  return byDefault ?? "Background";
}

function checkPreconditions(call: Call, { preconditions }: DeleteOptions, { metadata }: ApiObject): void {
  const resource = storedResource(call);
  const { uid, resourceVersion } = preconditions ?? {};
  const name = metadata.name ?? "";
  if (uid !== undefined && uid !== metadata.uid) {
    throw resource.preconditionFailed(
      name,
      `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${metadata.uid}`,
    );
  }
  if (resourceVersion !== undefined && resourceVersion !== metadata.resourceVersion) {
    throw resource.preconditionFailed(
      name,
      `Precondition failed: ResourceVersion in precondition: ${resourceVersion}, ResourceVersion in object meta: ${metadata.resourceVersion}`,
    );
  }
}

// Deletions of a collection under way at once.
const lanes = 16;

/** DELETE of a collection: every object that matches, each by its own rules. Answers with what matched. */
export async function removeCollection(call: Call): Promise<Reply> {
  const resource = storedResource(call);
  const { kind } = call.served;
  const wanted = negotiate(call.request.headers.accept, true);
  const options = deleteOptions(call.info.query, await readDeleteBody(call));
  const prefix = resource.prefix(call.info.namespace);
  const search = {
    prefix,
    kind,
    options: listOptions(call.info.query, { watch: false }),
    chosen: selection(call.info.query, kind),
  };
  const found = await find(resource, search);
  const objects = await Promise.all(found.entries.map((entry) => fromStored(kind, resource.cache.object(entry))));
  const todo = objects.values();
  await Promise.all(Array.from({ length: lanes }, () => removeEach(call, todo, options)));
  const apiVersion = formatApiVersion(kind.group, kind.version);
  const metadata = listMetadata(found, prefix);
  const items = kind.custom === true ? objects : objects.map(({ kind: _, apiVersion: __, ...item }) => item);
  return answerValue(wanted, 200, { kind: `${kind.kind}List`, apiVersion, metadata, items });
}

async function removeEach(call: Call, todo: IterableIterator<ApiObject>, options: DeleteOptions): Promise<void> {
  for (const { metadata } of todo) {
    try {
      await removeObject(call, { namespace: metadata.namespace ?? "", name: metadata.name ?? "" }, options);
    } catch (error) {
      // Somebody else was quicker, which is as good.
      if (!(error instanceof StatusError && error.reason === "NotFound")) throw error;
    }
  }
}

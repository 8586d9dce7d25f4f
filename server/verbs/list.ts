/** GET of a collection. Source: k8s.io/apiserver/pkg/endpoints/handlers/get.go, …/storage/cacher */
import type { Kind } from "@atoll/api/kind";
import { type ApiObject, formatApiVersion } from "@atoll/machinery/object";
import { StatusError } from "@atoll/machinery/status";
import { Compacted, type Entry, FutureRevision } from "@atoll/storage/store";
import { type Call } from "../call.ts";
import { negotiate, type Wanted } from "../http/negotiate.ts";
import type { Resource } from "../registry/resource.ts";
import { fromStored, servedBytes } from "../registry/versions.ts";
import { unavailable } from "../registry/resource.ts";
import { jsonType, type Pieces, type Reply } from "../reply.ts";
import { partialOf, tableOf } from "../table/table.ts";
import { answerValue, tableRequest } from "./answer.ts";
import { formatContinue, futureRevisionMs, type ListOptions, listOptions } from "./revisions.ts";
import { type Selection, selection } from "./select.ts";
import { storedResource } from "./stored.ts";

/** A page of entries that match, and where the next begins. */
export interface Found {
  readonly revision: number;
  readonly entries: readonly Entry[];
  readonly next: string | undefined;
  readonly remaining: number | undefined;
}

const pieceBytes = 64 * 1024;

/** @throws {StatusError} BadRequest, Invalid, Expired, Timeout */
export async function list(call: Call): Promise<Reply> {
  const resource = storedResource(call);
  const wanted = negotiate(call.request.headers.accept, true);
  const options = listOptions(call.info.query, { watch: false });
  const chosen = selection(call.info.query, call.served.kind);
  const prefix = resource.prefix(call.info.namespace);
  const found = await find(resource, { prefix, options, chosen, kind: call.served.kind });
  return await answer(call, wanted, { resource, entries: found.entries, metadata: listMetadata(found, prefix) });
}

/** What a list says about itself: its moment, and how to go on. */
export function listMetadata({ revision, next, remaining }: Found, prefix: string): Record<string, unknown> {
  return {
    resourceVersion: String(revision),
    ...(next === undefined ? {} : { continue: formatContinue({ revision, after: next.slice(prefix.length) }) }),
    ...(remaining === undefined ? {} : { remainingItemCount: remaining }),
  };
}

/** What to look for, and where. */
export interface Search {
  readonly prefix: string;
  readonly options: ListOptions;
  readonly chosen: Selection;
  readonly kind: Call["served"]["kind"];
}

/**
 * One page of what matches, at the moment the options ask for.
 * @throws {StatusError} Expired, Timeout
 */
export async function find(resource: Resource, search: Search): Promise<Found> {
  const { options } = search;
  const exact = exactRevision(options);
  if (exact !== undefined && exact > 0) {
    await resource.cache.loaded();
    if (resource.cache.unchangedSince(exact)) return await pickNow(resource, search, exact);
    return await findInPast(resource, search, exact);
  }
  await upToDate(resource, options);
  return await pickNow(resource, search, resource.cache.revision);
}

/** A limited list of a given revision is an exact one, too. Source: the table "Semantics for get and list" of api-concepts */
function exactRevision({ from, match, revision, limit }: ListOptions): number | undefined {
  if (from !== undefined) return from.revision;
  return match === "Exact" || (match === "" && limit > 0) ? revision : undefined;
}

/** Waits until the cache is as new as the caller needs. */
async function upToDate(resource: Resource, { revision, from }: ListOptions): Promise<void> {
  if (from === undefined && revision === 0) return await resource.cache.loaded();
  await resource.cache.current();
  if (revision !== undefined) await reach(resource, revision);
}

/**
 * Waits for a revision that may not be there yet.
 * @throws {StatusError} Timeout, with the cause that tells clients to start over
 */
export async function reach(resource: Resource, revision: number): Promise<void> {
  if (resource.cache.revision >= revision) return;
  const late = AbortSignal.timeout(futureRevisionMs);
  const timeout = new Promise<never>((_, reject) => {
    late.addEventListener("abort", () => reject(tooLarge(revision, resource.cache.revision)), { once: true });
  });
  await Promise.race([resource.cache.reached(revision), timeout]);
}

/** Source: storage.NewTooLargeResourceVersionError */
function tooLarge(wanted: number, current: number): StatusError {
  return new StatusError("Timeout", `Too large resource version: ${wanted}, current: ${current}`, {
    details: {
      retryAfterSeconds: 1,
      causes: [{ reason: "ResourceVersionTooLarge", message: "Too large resource version" }],
    },
  });
}

/** What matches of what the cache holds, which is also what was there at `revision`. */
async function pickNow(resource: Resource, search: Search, revision: number): Promise<Found> {
  const { options, chosen, prefix } = search;
  const after = options.from === undefined ? undefined : prefix + options.from.after;
  const limit = limitOf(options);
  if (!chosen.everything || limit <= 0) {
    return await pick(resource, search, resource.cache.range(prefix, after), revision);
  }
  const { entries, remaining } = resource.cache.page(prefix, { limit, after });
  if (remaining === 0) return { revision, entries, next: undefined, remaining: undefined };
  return { revision, entries, next: entries.at(-1)?.key, remaining };
}

/** Upstream's watch cache gives all it has when any version will do. 0: no limit. */
function limitOf({ revision, from, limit }: ListOptions): number {
  return revision === 0 && from === undefined ? 0 : limit;
}

/** The part of the entries that matches, up to the limit. */
async function pick(
  resource: Resource,
  { options, chosen, kind }: Search,
  entries: readonly Entry[],
  revision: number,
): Promise<Found> {
  const limit = limitOf(options);
  if (chosen.everything) {
    if (limit <= 0 || entries.length <= limit) return { revision, entries, next: undefined, remaining: undefined };
    const page = entries.slice(0, limit);
    return { revision, entries: page, next: page.at(-1)?.key, remaining: entries.length - limit };
  }
  const matching: Entry[] = [];
  for (const entry of entries) {
    if (chosen.name !== undefined && !entry.key.endsWith(`/${chosen.name}`)) continue;
    if (!chosen.matches(await fromStored(kind, resource.cache.object(entry)))) continue;
    matching.push(entry);
    // More may follow or not: only looking on could tell, and the next page will.
    if (matching.length === limit && entry !== entries.at(-1)) {
      return { revision, entries: matching, next: entry.key, remaining: undefined };
    }
  }
  return { revision, entries: matching, next: undefined, remaining: undefined };
}

/** A list as of an earlier revision comes from the store's history. */
async function findInPast(resource: Resource, search: Search, revision: number): Promise<Found> {
  const { prefix, options } = search;
  const after = options.from === undefined ? undefined : prefix + options.from.after;
  try {
    const page = await resource.history(prefix, { revision, ...(after === undefined ? {} : { after }) });
    return await pick(resource, search, page.entries, revision);
  } catch (error) {
    if (error instanceof FutureRevision) throw tooLarge(revision, error.current);
    if (error instanceof Compacted) throw expired(search, after);
    throw unavailable(error);
  }
}

/** Paged lists are offered a way on at the newest revision. Source: handleCompactedErrorForPaging */
function expired({ prefix, options }: Search, after: string | undefined): StatusError {
  if (options.from === undefined || after === undefined) {
    return new StatusError("Expired", "The resourceVersion for the provided list is too old.");
  }
  return new StatusError(
    "Expired",
    "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.",
    { continueToken: formatContinue({ revision: -1, after: after.slice(prefix.length) }) },
  );
}

interface Listing {
  readonly resource: Resource;
  readonly entries: readonly Entry[];
  readonly metadata: Record<string, unknown>;
}

async function answer(call: Call, wanted: Wanted, listing: Listing): Promise<Reply> {
  const { kind } = call.served;
  const apiVersion = formatApiVersion(kind.group, kind.version);
  if (wanted.as === "object" && wanted.format === "json" && kind.storedAs === undefined && !wanted.pretty) {
    return { code: 200, contentType: jsonType, body: listBytes(kind.kind, apiVersion, listing) };
  }
  if (wanted.as === "object" && wanted.format === "json" && kind.custom === true && !wanted.pretty) {
    return { code: 200, contentType: jsonType, body: await customListBytes(kind, listing) };
  }
  const objects = await Promise.all(
    listing.entries.map((entry) => fromStored(kind, listing.resource.cache.object(entry))),
  );
  const { metadata } = listing;
  return answerValue(wanted, 200, listValue(call, wanted, { objects, metadata, apiVersion }));
}

function listValue(
  call: Call,
  wanted: Wanted,
  { objects, metadata, apiVersion }: { objects: ApiObject[]; metadata: Record<string, unknown>; apiVersion: string },
): unknown {
  switch (wanted.as) {
    case "Table":
      return tableOf(objects, tableRequest(call, wanted), { metadata, columns: true });
    case "PartialObjectMetadataList":
      return {
        kind: "PartialObjectMetadataList",
        apiVersion: `meta.k8s.io/${wanted.metaVersion}`,
        metadata,
        items: objects.map((object) => partialOf(object, call.served.kind, wanted.metaVersion)),
      };
    default:
      return {
        kind: `${call.served.kind.kind}List`,
        apiVersion,
        // Lists of custom kinds always say how to go on.
        metadata: call.served.kind.custom === true ? { continue: "", ...metadata } : metadata,
        items: call.served.kind.custom === true ? objects : objects.map(asItem),
      };
  }
}

/** Items of built-in kinds' lists carry no kind and apiVersion. */
function asItem({ kind: _, apiVersion: __, ...item }: ApiObject): Omit<ApiObject, "kind" | "apiVersion"> {
  return item;
}

/** Items of custom kinds are whole objects, each its stored bytes where reading leaves it as it is. */
async function customListBytes(kind: Kind, { resource, entries, metadata }: Listing): Promise<Buffer> {
  const apiVersion = formatApiVersion(kind.group, kind.version);
  const items = await Promise.all(entries.map((entry) => servedBytes({ kind, resource }, entry)));
  // Lists of custom kinds always say how to go on.
  const told = JSON.stringify({ continue: "", ...metadata });
  const opening = `{"apiVersion":${JSON.stringify(apiVersion)},"items":[`;
  const closing = `],"kind":${JSON.stringify(`${kind.kind}List`)},"metadata":${told}}`;
  const comma = Buffer.from(",");
  const separated = items.flatMap((item, i) => (i === 0 ? [item] : [comma, item]));
  return Buffer.concat([Buffer.from(opening), ...separated, Buffer.from(closing)]);
}

/** The list around the entries' own bytes: nothing is parsed or encoded. */
function listBytes(kind: string, apiVersion: string, { resource, entries, metadata }: Listing): Pieces {
  const opening = `{"kind":"${kind}List","apiVersion":${JSON.stringify(apiVersion)},"metadata":${JSON.stringify(metadata)},"items":[`;
  const items = resource.splicer.items(entries);
  const head = Buffer.from(opening);
  const tail = Buffer.from("]}");
  return {
    length: head.length + items.length + tail.length,
    *[Symbol.iterator]() {
      yield head;
      yield* items.pieces(pieceBytes);
      yield tail;
    },
  };
}

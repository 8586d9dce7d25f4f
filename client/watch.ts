/**
 * The events of a watch.
 * Source: https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
 */
import { parseStoredJson } from "@atoll/machinery/json/json";
import type { ApiObject, ObjectMeta } from "@atoll/machinery/object";
import type { Call } from "./connection.ts";
import { errorOfStatus, isStatus } from "./errors.ts";
import { readLines } from "./lines.ts";
import type { Resource } from "./resource.ts";
import { bearingItsKind } from "./resource.ts";
import { TransportFailed } from "./transport.ts";

/** What to watch, and from when. */
export interface WatchOptions {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** Events after this revision. */
  readonly resourceVersion?: string;
  /** First what there is now, as ADDED events, then a bookmark that says so, then changes: a streaming list. */
  readonly initialEvents?: boolean;
  /** After which the server ends the watch. */
  readonly timeoutSeconds?: number;
  readonly signal?: AbortSignal | undefined;
}

/** One event. `bookmark`: all events up to `resourceVersion` have been told; `listed` ends the initial events. */
export type WatchEvent<T> =
  | { readonly type: "ADDED" | "MODIFIED" | "DELETED"; readonly object: T }
  | { readonly type: "BOOKMARK"; readonly resourceVersion: string; readonly listed: boolean };

/** Events that arrived together, in order; never empty. */
export type WatchBatch<T> = readonly WatchEvent<T>[];

/** Marks the bookmark after the initial events. */
const listedAnnotation = "k8s.io/initial-events-end";

/** The query of a watch; bookmarks are always asked for. */
export function watchQuery(options: WatchOptions): Call["query"] {
  return {
    watch: true,
    allowWatchBookmarks: true,
    labelSelector: options.labelSelector,
    fieldSelector: options.fieldSelector,
    resourceVersion: options.resourceVersion,
    timeoutSeconds: options.timeoutSeconds,
    ...(options.initialEvents === true && { sendInitialEvents: true, resourceVersionMatch: "NotOlderThan" }),
  };
}

interface Line {
  readonly type: string;
  readonly object: { apiVersion?: string; kind?: string; metadata: ObjectMeta };
}

function eventOf<T>(resource: Resource<T>, text: string): WatchEvent<T> {
  const { type, object } = parseStoredJson(text) as Line;
  if (type === "ERROR") {
    throw isStatus(object) ? errorOfStatus(object, 500) : new TransportFailed("the watch failed", { uncertain: false });
  }
  if (type === "BOOKMARK") {
    const { resourceVersion = "", annotations } = object.metadata;
    return { type, resourceVersion, listed: annotations?.[listedAnnotation] === "true" };
  }
  const whole = bearingItsKind(resource, object as ApiObject);
  return { type: type as "ADDED" | "MODIFIED" | "DELETED", object: whole as T };
}

/**
 * The events that a watch's body holds.
 * @throws {StatusError} the server ended the watch with an error
 */
export async function* readEvents<T>(
  resource: Resource<T>,
  body: AsyncIterable<Uint8Array>,
): AsyncGenerator<WatchBatch<T>> {
  for await (const lines of readLines(body)) {
    const events: WatchEvent<T>[] = [];
    try {
      for (const line of lines) events.push(eventOf(resource, line));
    } catch (error) {
      // What came before the error in the same chunk happened all the same.
      if (events.length > 0) yield events;
      throw error;
    }
    yield events;
  }
}

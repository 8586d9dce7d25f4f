/**
 * GET with watch=true: changes as they happen.
 * Source: kubernetes.io/docs/reference/using-api/api-concepts (Efficient detection of changes, Streaming lists),
 * k8s.io/apiserver/pkg/endpoints/handlers/watch.go
 */
import { chance } from "@atoll/machinery/clock";
import type { Call, StreamReply } from "../call.ts";
import { negotiate } from "../http/negotiate.ts";
import { EventEncoder } from "../watch/encoder.ts";
import { Stream } from "../watch/stream.ts";
import { tableRequest } from "./answer.ts";
import { type ListOptions, listOptions } from "./revisions.ts";
import { selection } from "./select.ts";
import { storedResource } from "./stored.ts";
import { reach } from "./list.ts";

/** Source: kube-apiserver's --min-request-timeout, and twice that at most */
const shortestWatchSeconds = 1800;

/** @throws {StatusError} BadRequest, Invalid, Timeout */
export async function watch(call: Call): Promise<StreamReply> {
  const resource = storedResource(call);
  const wanted = negotiate(call.request.headers.accept, false);
  const options = listOptions(call.info.query, { watch: true });
  const chosen = selection(call.info.query, call.served.kind);
  // A name says which key only together with the namespace, where there are namespaces.
  const placed = call.info.namespace !== "" || !call.served.kind.namespaced;
  const named = call.info.name === "" && placed ? chosen.name : call.info.name || undefined;
  const encoder = new EventEncoder({
    kind: call.served.kind,
    resource,
    wanted,
    ...(wanted.as === "Table" ? { table: tableRequest(call, wanted) } : {}),
  });
  await resource.cache.loaded();
  const start = await startOf(call, options);
  return {
    stream: (response) =>
      new Stream({
        resource,
        encoder,
        response,
        clock: call.services.clock,
        signal: call.signal(),
        prefix: resource.prefix(call.info.namespace),
        key: named === undefined ? undefined : resource.key(call.info.namespace, named),
        selection: chosen,
        bookmarks: options.bookmarks,
        timeoutMs: (options.timeoutSeconds || shortestWatchSeconds * (1 + chance())) * 1000,
      }).start(start),
  };
}

/** Where a watch begins: the state now, told as ADDED events, and what follows it; or what follows a revision. */
export interface Start {
  /** Undefined: begin with the objects there are. */
  readonly after: number | undefined;
  /** End the initial objects with a bookmark that says so. */
  readonly announceEnd: boolean;
}

/** Source: the table "Semantics for watch" of api-concepts */
async function startOf(call: Call, options: ListOptions): Promise<Start> {
  const resource = storedResource(call);
  const { revision, initialEvents } = options;
  if (revision === undefined || initialEvents === true) await resource.cache.current();
  if (revision !== undefined && revision > 0 && initialEvents === true) await reach(resource, revision);
  if (initialEvents === true) return { after: undefined, announceEnd: options.bookmarks };
  if (initialEvents === false && (revision === undefined || revision === 0)) {
    return { after: resource.cache.revision, announceEnd: false };
  }
  if (revision === undefined) return { after: undefined, announceEnd: options.bookmarks };
  return { after: revision === 0 ? undefined : revision, announceEnd: false };
}

/** Every subresource and the handler that serves it. */
import type { Handler } from "../call.ts";
import { noSuchMethod } from "../refusals.ts";
import type { SubresourceHandlers } from "../routes/resources.ts";
import { get } from "../verbs/get.ts";
import { patch } from "../verbs/patch.ts";
import { update } from "../verbs/update.ts";
import { bind } from "./binding.ts";
import { evict } from "./eviction.ts";
import { getScale, patchScale, updateScale } from "./scale.ts";

/** Subresources that read and write the object itself, by the rules of its Strategy for that name. */
const ofTheObject = byVerb({ get, update, patch });

/** Handlers by `group/plural/subresource`, or by the subresource alone when all kinds share it. */
export function subresourceHandlers(): SubresourceHandlers {
  return new Map<string, Handler>([
    ["status", ofTheObject],
    ["finalize", ofTheObject],
    ["approval", ofTheObject],
    ["ephemeralcontainers", ofTheObject],
    ["resize", ofTheObject],
    ["scale", byVerb({ get: getScale, update: updateScale, patch: patchScale })],
    ["/pods/binding", byVerb({ create: bind })],
    ["/pods/eviction", byVerb({ create: evict })],
  ]);
}

function byVerb(handlers: Readonly<Record<string, Handler>>): Handler {
  return async (call) => {
    const handler = handlers[call.info.verb];
    if (handler === undefined) throw noSuchMethod();
    return await handler(call);
  };
}

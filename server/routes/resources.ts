/** The resource API: from a parsed path to the handler of its verb. */
import type { Kind, Verb } from "@atoll/api/kind";
import { StatusError } from "@atoll/machinery/status";
import type { Call, Handler, Services } from "../call.ts";
import type { Exchange, Stage } from "../exchange.ts";
import { noSuchMethod, noSuchResource } from "../refusals.ts";
import type { Served } from "../registry/catalogue.ts";
import { protobufSchema } from "../verbs/body.ts";
import { create } from "../verbs/create.ts";
import { remove, removeCollection } from "../verbs/delete.ts";
import { get } from "../verbs/get.ts";
import { list } from "../verbs/list.ts";
import { patch } from "../verbs/patch.ts";
import { update } from "../verbs/update.ts";
import { watch } from "../verbs/watch.ts";
import type { RequestInfo } from "../request.ts";

const handlers: Readonly<Record<Verb, Handler>> = {
  create,
  get,
  list,
  watch,
  update,
  patch,
  delete: remove,
  deletecollection: removeCollection,
};

/**
 * Handlers of subresources, by `group/plural/subresource` or, for every kind, by the subresource alone; and of kinds
 * that are never stored, by `group/plural`.
 */
export type SubresourceHandlers = ReadonlyMap<string, Handler>;

/** Serves what the catalogue has; passes on what it has not. */
export function resources(services: Services, subresources: SubresourceHandlers): Stage {
  return (exchange) => {
    const { info } = exchange;
    if (info.resource === "") return undefined;
    const served = services.catalogue.find(info.group, info.version, info.resource);
    if (served === undefined) return undefined;
    if (isElsewhere(served, info)) return undefined;
    const handler = handlerOf(served, info, subresources);
    if (info.verb !== "get" && (info.subresource === "" || info.subresource === "status")) {
      exchange.bodySchema = protobufSchema(served.kind);
    }
    if (served.kind.warning !== undefined) tellDeprecated(exchange, served.kind.warning);
    const answer = handler(callOf(exchange, served, services));
    if (served.kind.storedAs?.group === undefined) return answer;
    return answer.catch((error: unknown) => {
      throw inGroupAsked(error, served.kind);
    });
  };
}

/** Source: k8s.io/apiserver/pkg/endpoints/metrics (MonitorRequest), which notes it for audit, too */
function tellDeprecated(exchange: Exchange, warning: string): void {
  exchange.warnings.push(warning);
  exchange.deprecated = true;
  exchange.annotations.set("k8s.io/deprecated", "true");
}

/** A group that shares another's store speaks of its objects under its own name. Source: qualifiedResourceFromContext */
function inGroupAsked(error: unknown, { group, plural, storedAs }: Kind): unknown {
  if (!(error instanceof StatusError) || error.details?.kind !== plural) return error;
  if ((error.details.group ?? "") !== storedAs?.group) return error;
  const message = error.message.replace(`${plural} "`, `${plural}.${group} "`);
  const { code, details } = error;
  return new StatusError(error.reason, message, { cause: error, details: { ...details, group }, code });
}

/** Cluster-scoped custom kinds are not known within a namespace. */
function isElsewhere({ kind }: Served, { namespace }: RequestInfo): boolean {
  return kind.custom === true && !kind.namespaced && namespace !== "";
}

function handlerOf({ kind }: Served, info: RequestInfo, subresources: SubresourceHandlers): Handler {
  if (info.subresource !== "") return subresourceHandler({ kind, resource: undefined }, info, subresources);
  const verb = info.verb as Verb;
  if (!kind.verbs.includes(verb) || !isPlaced(kind.namespaced, info)) throw noSuchMethod();
  const own = kind.virtual === true ? subresources.get(`${kind.group}/${kind.plural}`) : undefined;
  return own ?? handlers[verb];
}

/** Whether the path names what the verb needs: an object, a collection, a namespace. */
function isPlaced(namespaced: boolean, { verb, name, namespace, resource }: RequestInfo): boolean {
  // A Namespace is asked for in itself alone: who has rights in one is not to reach another through it.
  const itself = resource === "namespaces" && namespace === name;
  if (!namespaced && namespace !== "" && !itself) throw noSuchResource();
  const everywhere = namespaced && namespace === "";
  if (name === "") return verb === "list" || verb === "watch" || (!everywhere && ofCollections.has(verb));
  return !everywhere && verb !== "create";
}

const ofCollections: ReadonlySet<string> = new Set(["create", "deletecollection"]);

function subresourceHandler({ kind }: Served, info: RequestInfo, subresources: SubresourceHandlers): Handler {
  const facts = kind.subresources.find(({ name }) => name === info.subresource);
  if (facts === undefined) throw kind.custom === true ? withoutSubresource(kind, info) : noSuchResource();
  if (!facts.verbs.includes(info.verb as Verb)) throw noSuchMethod();
  const handler =
    subresources.get(`${kind.group}/${kind.plural}/${info.subresource}`) ?? subresources.get(info.subresource);
  if (handler === undefined) throw noSuchMethod();
  return handler;
}

/** Upstream speaks of the object, not of its subresource. */
function withoutSubresource({ group, plural }: Kind, { name }: RequestInfo): StatusError {
  const told = `${plural}.${group} ${JSON.stringify(name)} not found`;
  return new StatusError("NotFound", told, { details: { name, group, kind: plural } });
}

function callOf(exchange: Exchange, served: Served, services: Services): Call {
  if (exchange.user === undefined) throw new StatusError("Unauthorized", "Unauthorized");
  return {
    info: exchange.info,
    served,
    user: exchange.user,
    services,
    request: exchange.request,
    body: () => exchange.body(),
    warnings: exchange.warnings,
    annotations: exchange.annotations,
    onNamed: (name) => {
      exchange.objectName = name;
    },
    onSettled: (callback) => exchange.onDone(() => callback()),
    signal: () => exchange.signal,
  };
}

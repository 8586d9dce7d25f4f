/** POST: a new object. Source: k8s.io/apiserver/pkg/endpoints/handlers/create.go, …/registry/rest/create.go */
import type { Kind, WriteContext } from "@atoll/api/kind";
import { formatTime } from "@atoll/machinery/clock";
import { FieldErrors } from "@atoll/machinery/field";
import type { ApiObject } from "@atoll/machinery/object";
import { StatusError } from "@atoll/machinery/status";
import type { AdmissionRequest } from "../admission/admission.ts";
import type { Call } from "../call.ts";
import { negotiate } from "../http/negotiate.ts";
import { invalid } from "../registry/invalid.ts";
import { ownersOf } from "../registry/managers.ts";
import { prepareMetadata, validateMetadata } from "../registry/metadata.ts";
import type { Resource } from "../registry/resource.ts";
import { toStored } from "../registry/versions.ts";
import type { Reply } from "../reply.ts";
import { decodeObject, parseBody, protobufSchema, reportOdd } from "./body.ts";
import { type DeleteOptions, operationOptions, type WriteOptions, writeOptions } from "./options.ts";
import { answerEntry, answerObject } from "./answer.ts";
import { storedResource } from "./stored.ts";

/** @throws {StatusError} BadRequest, Invalid, AlreadyExists, and what admission refuses */
export async function create(call: Call): Promise<Reply> {
  const { kind } = call.served;
  storedResource(call);
  const wanted = negotiate(call.request.headers.accept, false);
  const options = writeOptions(call.info.query, "CreateOptions");
  const given = decodeObject(
    kind,
    await parseBody(await call.body(), call.request.headers["content-type"], protobufSchema(kind)),
  );
  reportOdd(given.odd, options.fieldValidation, call.warnings);
  placeInNamespace(given.object, call.info.namespace, kind);
  const outcome = await createObject(call, given.object, options);
  return outcome.entry === undefined
    ? answerObject(call, wanted, { code: 201, object: outcome.object })
    : await answerEntry(call, wanted, { code: 201, entry: outcome.entry });
}

/**
 * An object takes the namespace of its path; a cluster-scoped one has none, whatever it says.
 * Source: EnsureObjectNamespaceMatchesRequestNamespace
 * @throws {StatusError} BadRequest for an object of another namespace
 */
export function placeInNamespace(object: ApiObject, namespace: string, kind: Kind): void {
  const given = object.metadata.namespace ?? "";
  if (given !== "" && given !== namespace && kind.namespaced) {
    throw new StatusError(
      "BadRequest",
      `the namespace of the provided object does not match the namespace sent on the request`,
    );
  }
  if (kind.namespaced) object.metadata.namespace = namespace;
  else delete object.metadata.namespace;
}

/**
 * The part of a create that does not depend on how the object was given; apply and PUT-to-create use it, too.
 * @param owned whether managedFields are up to date already, as after an apply
 * @returns the stored entry, or for a dry run the object that would have been stored
 */
export async function createObject(
  call: Call,
  object: ApiObject,
  options: WriteOptions,
  { owned }: { owned: boolean } = { owned: false },
): Promise<{ entry: Awaited<ReturnType<Resource["create"]>> } | { entry: undefined; object: ApiObject }> {
  const { kind } = call.served;
  const resource = storedResource(call);
  // Who may patch or update is not thereby allowed to make.
  if (call.info.verb !== "create") await call.services.demand(call.user, { ...call.info, verb: "create" });
  const context = contextOf(call);
  kind.strategy.setDefaults?.(object);
  if (!owned) ownersOf(call, options).created(object);
  const request = admissionRequest(call, "CREATE", { object, old: undefined, options });
  await call.services.admission.mutate(request);
  prepareMetadata(object, kind, context.now);
  kind.strategy.prepareForCreate?.(object, context);
  call.onNamed(object.metadata.name ?? "");
  checkNew(object, kind);
  for (const warning of kind.strategy.warnings?.(object, undefined) ?? []) call.warnings.push(warning);
  return await orUndo(request, async () => {
    await call.services.admission.validate(request);
    const stored = await toStored(kind, object);
    if (!options.dryRun) return { entry: await resource.create(stored) };
    await refuseExisting(resource, object);
    return { entry: undefined, object };
  });
}

/** Undoes what admission did for a write of which nothing came; where that is uncertain, it stays done. */
export async function orUndo<T>(request: Pick<AdmissionRequest, "undo">, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    const isCertain = error instanceof StatusError && !uncertain.has(error.reason);
    if (isCertain) for (const step of request.undo.splice(0)) step();
    throw error;
  }
}

const uncertain: ReadonlySet<string> = new Set(["ServiceUnavailable", "ServerTimeout", "Timeout", "InternalError"]);

function checkNew(object: ApiObject, kind: Kind): void {
  const errors = new FieldErrors();
  validateMetadata(object, kind, errors);
  kind.strategy.validate?.(object, errors);
  if (!errors.ok) throw invalid(kind, object.metadata.name ?? "", errors);
}

async function refuseExisting(resource: Resource, object: ApiObject): Promise<void> {
  const { namespace = "", name = "" } = object.metadata;
  await resource.cache.current();
  if (resource.cache.get(resource.key(namespace, name)) !== undefined) throw resource.alreadyExists(name);
}

/** The request's moment and author, as a Strategy sees them. */
export function contextOf(call: Call): WriteContext {
  return { now: formatTime(call.services.clock.nowMs()), user: call.user, subresource: call.info.subresource };
}

/** A write as admission sees it. */
export function admissionRequest(
  call: Call,
  operation: AdmissionRequest["operation"],
  write: {
    object: ApiObject | undefined;
    old: ApiObject | undefined;
    options: WriteOptions | DeleteOptions;
    undo?: AdmissionRequest["undo"];
  },
): AdmissionRequest {
  return {
    operation,
    kind: call.served.kind,
    subresource: call.info.subresource,
    namespace: call.info.namespace,
    // A deletion of many says the name of none, and is about each.
    name: write.object?.metadata.name ?? (call.info.name || (write.old?.metadata.name ?? "")),
    object: write.object,
    old: write.old,
    user: call.user,
    dryRun: write.options.dryRun,
    get options() {
      return operationOptions(operation, write.options);
    },
    reinvocation: { wanted: false, running: false, kept: new Map() },
    undo: write.undo ?? [],
    onSettled: call.onSettled,
    warn: (text) => call.warnings.push(text),
    annotate: (key, value) => {
      if (!call.annotations.has(key)) call.annotations.set(key, value);
    },
  };
}

/**
 * Changing an object that exists: what PUT, every PATCH and the writing subresources share.
 * Source: k8s.io/apiserver/pkg/registry/rest/update.go, …/registry/generic/registry/store.go
 */
import type { Kind, WriteContext } from "@atoll/api/kind";
import { FieldErrors, Path } from "@atoll/machinery/field";
import { deepEqual } from "@atoll/machinery/equal";
import type { ApiObject } from "@atoll/machinery/object";
import { keepTimes } from "@atoll/machinery/patch/managed";
import { StatusError } from "@atoll/machinery/status";
import type { Entry } from "@atoll/storage/store";
import type { AdmissionRequest } from "../admission/admission.ts";
import type { Call } from "../call.ts";
import { invalid } from "../registry/invalid.ts";
import { carryMetadata, validateBuiltinMetadataUpdate, validateMetadataUpdate } from "../registry/metadata.ts";
import type { Change, Current, Resource } from "../registry/resource.ts";
import { clone, fromStored, toStored } from "../registry/versions.ts";
import { admissionRequest, contextOf, orUndo } from "./create.ts";
import type { WriteOptions } from "./options.ts";
import { storedResource } from "./stored.ts";

/** How a verb makes the new object. */
export interface Making {
  readonly options: WriteOptions;
  /**
   * The object as the caller wants it, in the served version, with managedFields up to date. May run several times.
   * @param old in the served version; frozen
   */
  make(old: ApiObject): ApiObject;
  /** A PUT says which object and revision it is about. */
  readonly conditional: boolean;
  /** What admission sees in the object's place, for a subresource whose bodies are another kind. */
  readonly view?: View;
}

/** An object as another kind shows it: its scale. */
export interface View {
  of(object: ApiObject): ApiObject;
  /** Does to the object what admission did to the view. */
  take(object: ApiObject, view: ApiObject): void;
}

/** What came of it: the entry written, or, for a dry run and for an object that is gone now, the object it would be. */
export type Written = { readonly entry: Entry } | { readonly entry: undefined; readonly object: ApiObject };

/** @throws {StatusError} NotFound, Conflict, Invalid, and what admission refuses */
export async function writeObject(call: Call, making: Making): Promise<Written> {
  const resource = storedResource(call);
  const { namespace, name } = call.info;
  let wanted: ApiObject | undefined;
  let finished = false;
  // A new attempt means that nothing came of the one before, and undoes it.
  const attempts: AdmissionRequest["undo"] = [];
  const change = async (current: Current): Promise<Change> => {
    for (const step of attempts.splice(0)) step();
    const outcome = await prepare(call, making, { ...current, undo: attempts });
    wanted = outcome.object;
    if (making.options.dryRun) return "unchanged";
    finished = outcome.finished;
    if (finished) return { remove: true };
    return { object: await toStored(call.served.kind, outcome.object) };
  };
  const { entry } = await orUndo({ undo: attempts }, () => resource.update({ namespace, name }, change));
  if (!making.options.dryRun && !finished) return { entry };
  return { entry: undefined, object: wanted ?? resource.cache.object(entry) };
}

/** One attempt: the new object, admitted and valid, and whether it was the last that held its deletion. */
async function prepare(
  call: Call,
  making: Making,
  current: Current & Pick<AdmissionRequest, "undo">,
): Promise<{ object: ApiObject; finished: boolean }> {
  const { kind } = call.served;
  const context = contextOf(call);
  const old = await fromStored(kind, current.object);
  const object = making.make(old);
  checkConditions(call, making, { object, old });
  carryMetadata(object, old, kind);
  const { view, options } = making;
  const seen = view === undefined ? { object, old } : { object: view.of(object), old: view.of(old) };
  const request = admissionRequest(call, "UPDATE", { ...seen, options });
  await call.services.admission.mutate(request);
  view?.take(object, seen.object);
  prepareForUpdate(kind, object, { old, context });
  raiseGeneration(kind, object, old);
  checkUpdate(kind, object, { old, subresource: context.subresource });
  for (const warning of kind.strategy.warnings?.(object, old) ?? []) call.warnings.push(warning);
  await call.services.admission.validate(request);
  object.metadata.resourceVersion = old.metadata.resourceVersion ?? "";
  const managedFields = keepTimes(object.metadata.managedFields, old, object);
  if (managedFields !== undefined) object.metadata.managedFields = managedFields;
  return { object, finished: isFinished(kind, object) };
}

function checkConditions(
  call: Call,
  { conditional }: Making,
  { object, old }: { object: ApiObject; old: ApiObject },
): void {
  const resource = storedResource(call);
  const { kind } = call.served;
  const name = call.info.name;
  const { uid, resourceVersion = "" } = object.metadata;
  // A patch is about no object but the one named; a uid in it is a change, and refused as such.
  if (call.info.verb !== "patch" && uid !== undefined && uid !== "" && uid !== old.metadata.uid) {
    throw resource.conflict(
      name,
      `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${old.metadata.uid}`,
    );
  }
  if (resourceVersion === "" || resourceVersion === "0") {
    if (!conditional || kind.strategy.needsResourceVersion !== true) return;
    const errors = new FieldErrors();
    errors.invalid(Path.of("metadata", "resourceVersion"), resourceVersion, "must be specified for an update");
    // Upstream puts the resource in the kind's place here.
    throw invalid({ group: kind.group, kind: kind.plural }, name, errors);
  }
  if (!/^\d{1,19}$/.test(resourceVersion)) {
    throw new StatusError(
      "BadRequest",
      `metadata.resourceVersion: ${JSON.stringify(resourceVersion)} is no resource version`,
    );
  }
  if (resourceVersion !== old.metadata.resourceVersion) {
    throw resource.conflict(
      name,
      "the object has been modified; please apply your changes to the latest version and try again",
    );
  }
}

interface Against {
  readonly old: ApiObject;
  readonly context: WriteContext;
}

function prepareForUpdate(kind: Kind, object: ApiObject, { old, context }: Against): void {
  const { strategy } = kind;
  switch (context.subresource) {
    case "":
    case "scale":
      return strategy.prepareForUpdate?.(object, old, context);
    case "status":
      keepAllButStatus(object, old);
      return strategy.status?.prepareForUpdate?.(object, old, context);
    default:
      return strategy.writes?.[context.subresource]?.prepareForUpdate(object, old, context);
  }
}

/** A write of the status subresource changes the status and may touch metadata, nothing else. */
function keepAllButStatus(object: ApiObject, old: ApiObject): void {
  for (const field of Object.keys(object)) {
    if (field !== "status" && field !== "metadata" && !Object.hasOwn(old, field)) delete object[field];
  }
  for (const [field, value] of Object.entries(old)) {
    if (field !== "status" && field !== "metadata") object[field] = clone(value);
  }
}

function checkUpdate(
  kind: Kind,
  object: ApiObject,
  { old, subresource }: { old: ApiObject; subresource: string },
): void {
  const errors = new FieldErrors();
  const { strategy } = kind;
  if (kind.custom === true) {
    // Upstream checks metadata once for all kinds and again in each kind's own rules, and reports it twice.
    validateMetadataUpdate(object, old, errors);
    validateMetadataUpdate(object, old, errors);
  } else validateBuiltinMetadataUpdate(object, old, { kind, errors });
  if (subresource === "" || subresource === "scale") strategy.validateUpdate?.(object, old, errors);
  else if (subresource === "status") strategy.status?.validateUpdate?.(object, old, errors);
  else strategy.writes?.[subresource]?.validateUpdate(object, old, errors);
  if (!errors.ok) throw invalid(kind, old.metadata.name ?? "", errors);
}

function raiseGeneration({ strategy }: Kind, object: ApiObject, old: ApiObject): void {
  if (strategy.generation !== true) return;
  const changed = strategy.specChanged?.(object, old) ?? !deepEqual(specOf(object), specOf(old));
  if (changed) object.metadata.generation = (old.metadata.generation ?? 0) + 1;
}

/** All that generation counts: everything but metadata and status. */
function specOf({ metadata: _, status: __, ...rest }: ApiObject): Record<string, unknown> {
  return rest;
}

/** Whether an object marked for deletion has nothing left that holds it. */
export function isFinished(kind: Kind, { metadata, ...rest }: ApiObject): boolean {
  return (
    metadata.deletionTimestamp !== undefined &&
    (metadata.finalizers ?? []).length === 0 &&
    (metadata.deletionGracePeriodSeconds ?? 0) === 0 &&
    kind.strategy.holdsDeletion?.({ metadata, ...rest } as ApiObject) !== true
  );
}

/** The stored resource's name for an object that is missing, so that a PUT may create it. */
export async function exists(resource: Resource, place: { namespace: string; name: string }): Promise<boolean> {
  await resource.cache.current();
  return resource.cache.get(resource.key(place.namespace, place.name)) !== undefined;
}

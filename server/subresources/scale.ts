/**
 * The scale subresource: an object's replicas as an autoscaling/v1 Scale.
 * Source: k8s.io/kubernetes/pkg/registry/apps/deployment/storage (ScaleREST)
 */
import { builtinSchema } from "@atoll/api/schemas";
import { age, ageColumn, nameColumn } from "@atoll/api/cells";
import type { Kind, TableShape } from "@atoll/api/kind";
import { FieldErrors, Path } from "@atoll/machinery/field";
import { type ApiObject, formatApiVersion, type ManagedFieldsEntry } from "@atoll/machinery/object";
import { type ReplicasPaths, toParent, toScale } from "@atoll/machinery/patch/scale";
import { StatusError } from "@atoll/machinery/status";
import type { Call } from "../call.ts";
import { negotiate, type Wanted } from "../http/negotiate.ts";
import { invalid } from "../registry/invalid.ts";
import { type Owners, ownersOf } from "../registry/managers.ts";
import { clone, fromStored } from "../registry/versions.ts";
import type { Reply } from "../reply.ts";
import { answerObject } from "../verbs/answer.ts";
import { decodeObject, mediaType, parseBody, parseText, reportOdd } from "../verbs/body.ts";
import { writeOptions } from "../verbs/options.ts";
import { appliedObject, decodePatched, patchedValue, patchTypeOf } from "../verbs/patch.ts";
import { storedResource } from "../verbs/stored.ts";
import { checkName } from "../verbs/update.ts";
import { writeObject } from "../verbs/write.ts";

const scaleTable: TableShape<ApiObject> = {
  columns: [
    nameColumn,
    { name: "Desired", type: "integer", description: "Replicas wanted.", priority: 0 },
    { name: "Available", type: "integer", description: "Replicas there are.", priority: 0 },
    { ...ageColumn, type: "date" },
  ],
  cells: ({ metadata, spec, status }, nowMs) => [
    metadata.name ?? "",
    (spec as { replicas?: number }).replicas ?? 0,
    (status as { replicas?: number }).replicas ?? 0,
    age(metadata.creationTimestamp, nowMs),
  ],
};

/** Scale as a kind of its own, for decoding. */
const scaleFacts = {
  group: "autoscaling",
  version: "v1",
  kind: "Scale",
  plural: "scales",
  singular: "scale",
  shortNames: [],
  categories: [],
  namespaced: true,
  verbs: [],
  subresources: [],
  strategy: { table: scaleTable },
} as const;

const scaleKind: Kind = {
  ...scaleFacts,
  get schema() {
    return builtinSchema("autoscaling/v1", "Scale");
  },
};

/** The call as one about a Scale. */
function aboutScale(call: Call): Call {
  return { ...call, served: { kind: scaleKind, resource: undefined } };
}

/** What an object looks like as a Scale. */
function scaleOf(kind: Kind, object: ApiObject): ApiObject {
  const { scale } = kind.strategy;
  if (scale === undefined) throw new StatusError("NotFound", `${kind.plural} have no scale`);
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  const selector = scale.selector(object);
  const replicas = scale.replicas(object);
  return {
    kind: "Scale",
    apiVersion: "autoscaling/v1",
    metadata: {
      ...(name === undefined ? {} : { name }),
      ...(namespace === undefined ? {} : { namespace }),
      ...(uid === undefined ? {} : { uid }),
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
      ...(creationTimestamp === undefined ? {} : { creationTimestamp }),
    },
    spec: replicas === 0 ? {} : { replicas },
    status: { replicas: scale.statusReplicas(object), ...(selector === "" ? {} : { selector }) },
  };
}

function answerScale(call: Call, wanted: Wanted, object: ApiObject): Reply {
  return answerObject(aboutScale(call), wanted, { code: 200, object });
}

/** GET scale. @throws {StatusError} NotFound */
export async function getScale(call: Call): Promise<Reply> {
  const resource = storedResource(call);
  const wanted = negotiate(call.request.headers.accept, false);
  const entry = await resource.get(call.info.namespace, call.info.name);
  const object = await fromStored(call.served.kind, resource.cache.object(entry));
  if (call.served.kind.strategy.scale?.hasReplicas?.(object) === false) {
    throw new StatusError("InternalError", "the object has no field that says how many replicas it wants");
  }
  return answerScale(call, wanted, scaleOf(call.served.kind, object));
}

/** PUT scale. @throws {StatusError} Conflict, Invalid */
export async function updateScale(call: Call): Promise<Reply> {
  const wanted = negotiate(call.request.headers.accept, false);
  const options = writeOptions(call.info.query, "UpdateOptions");
  const given = decodeObject(
    scaleKind,
    await parseBody(await call.body(), call.request.headers["content-type"], scaleKind.schema),
  );
  reportOdd(given.odd, options.fieldValidation, call.warnings);
  checkName(given.object, call.info.name);
  return await write(call, wanted, (old, owners) => {
    owners.updated(given.object, old);
    return given.object;
  });
}

/** A patch of the Scale, not of the object behind it. */
export async function patchScale(call: Call): Promise<Reply> {
  const wanted = negotiate(call.request.headers.accept, false);
  const type = patchTypeOf(call.request.headers["content-type"], call.served.kind);
  const parsed = await parseText(await call.body(), mediaType(call.request.headers["content-type"]).endsWith("yaml"));
  if (type === "apply") {
    const applied = appliedObject(aboutScale(call), parsed, writeOptions(call.info.query, "PatchOptions"));
    return await write(call, wanted, (old, owners) => {
      const value = owners.applied(applied, old);
      return decodeObject(scaleKind, { value, duplicates: [] }, { origin: "apply" }).object;
    });
  }
  return await write(call, wanted, (old, owners) => {
    const value = patchedValue(scaleKind.schema, type, { old, patch: parsed.value });
    const { object } = decodePatched(scaleKind, { value, duplicates: parsed.duplicates });
    owners.updated(object, old);
    return object;
  });
}

/** Makes the Scale that is wanted, with its owners, of the one there is. */
type MakeScale = (old: ApiObject, owners: Owners) => ApiObject;

async function write(call: Call, wanted: Wanted, make: MakeScale): Promise<Reply> {
  const { kind } = call.served;
  const options = writeOptions(call.info.query, call.info.verb === "patch" ? "PatchOptions" : "UpdateOptions");
  const written = await writeObject(call, {
    options,
    conditional: false,
    make: (old) => {
      const scale = make(ownedScale(kind, old), ownersOf(aboutScale(call), options));
      if (kind.custom !== true) checkScale(scale);
      const object = clone(old);
      object.metadata.resourceVersion = scale.metadata.resourceVersion ?? "";
      if (scale.metadata.uid) object.metadata.uid = scale.metadata.uid;
      setReplicas(kind, object, scale);
      const managedFields = ownersBehind(kind, object, scale);
      if (managedFields === undefined) delete object.metadata.managedFields;
      else object.metadata.managedFields = managedFields;
      return object;
    },
    view: { of: (object) => scaleOf(kind, object), take: (object, scale) => setReplicas(kind, object, scale) },
  });
  const resource = storedResource(call);
  const object =
    written.entry === undefined ? written.object : await fromStored(kind, resource.cache.object(written.entry));
  return answerScale(call, wanted, scaleOf(kind, object));
}

function setReplicas(kind: Kind, object: ApiObject, scale: ApiObject): void {
  kind.strategy.scale?.setReplicas(object, (scale["spec"] as { replicas?: number } | undefined)?.replicas ?? 0);
}

function replicasPaths({ group, version, strategy }: Kind): ReplicasPaths {
  return strategy.scale?.paths ?? { [formatApiVersion(group, version)]: "spec.replicas" };
}

/** The Scale with the entries of those who own the replicas. */
function ownedScale(kind: Kind, object: ApiObject): ApiObject {
  const scale = scaleOf(kind, object);
  const managedFields = toScale(object.metadata.managedFields, replicasPaths(kind));
  return managedFields === undefined ? scale : { ...scale, metadata: { ...scale.metadata, managedFields } };
}

function ownersBehind(kind: Kind, object: ApiObject, scale: ApiObject): ManagedFieldsEntry[] | undefined {
  return toParent({
    parent: object.metadata.managedFields,
    scale: scale.metadata.managedFields,
    apiVersion: formatApiVersion(kind.group, kind.version),
    paths: replicasPaths(kind),
  });
}

function checkScale(scale: ApiObject): void {
  const replicas = (scale["spec"] as { replicas?: number } | undefined)?.replicas ?? 0;
  if (replicas >= 0) return;
  const errors = new FieldErrors();
  errors.invalid(Path.of("spec", "replicas"), replicas, "must be greater than or equal to 0");
  throw invalid({ group: "autoscaling", kind: "Scale" }, scale.metadata.name ?? "", errors);
}

/** Putting what admission made of an object in the object's place. */
import type { Kind } from "@atoll/api/kind";
import { builtinSchema } from "@atoll/api/schemas";
import type { ApiObject } from "@atoll/machinery/object";
import { StatusError } from "@atoll/machinery/status";
import { carryMetadata } from "../../registry/metadata.ts";
import { clone } from "../../registry/versions.ts";
import { decodeObject } from "../../verbs/body.ts";
import type { AdmissionRequest } from "../admission.ts";
import type { Matched } from "./attributes.ts";
import { ownVersion } from "./versions.ts";

/**
 * Changes the request's object to `value`, decoded and defaulted as if a client had sent it.
 * @param value in the version `matched` has; not changed
 * @param strict whether fields that the kind has not are a mistake
 * @throws {StatusError} when it is no such object
 */
export async function replaceObject(
  request: AdmissionRequest,
  matched: Matched,
  value: unknown,
  { strict }: { readonly strict: boolean } = { strict: false },
): Promise<void> {
  const { object } = request;
  if (object === undefined) return;
  const kind = bodyKindOf(request, matched);
  const given = decoded(kind, value, strict);
  kind.strategy.setDefaults?.(given);
  const own = await ownVersion(request, matched, given);
  keepPlace(request, object, own);
  for (const field of Object.keys(object)) delete object[field];
  Object.assign(object, own);
}

/** What is asked about one namespace is not done in another; and system fields are no more admission's than a client's. */
function keepPlace({ old, kind }: AdmissionRequest, before: ApiObject, after: ApiObject): void {
  if ((before.metadata.namespace ?? "") !== (after.metadata.namespace ?? "")) {
    const why = "the namespace of the provided object does not match the namespace sent on the request";
    throw new StatusError("BadRequest", why);
  }
  if (old !== undefined && after.kind === kind.kind) carryMetadata(after, old, kind);
}

/** The kind of what is written, which for some subresources is not the resource's. */
export function bodyKindOf({ kind: own }: AdmissionRequest, { other, kind: body }: Matched): Kind {
  const kind = other ?? own;
  if (body.kind === kind.kind && body.group === kind.group) return kind;
  const { group, version } = body;
  const schema = builtinSchema(`${group === "" ? "core" : group}/${version}`, body.kind);
  const { decode: _, ...rest } = kind;
  return { ...rest, group, version, kind: body.kind, schema, strategy: {} };
}

function decoded(kind: Kind, value: unknown, strict: boolean): ApiObject {
  const { object, odd } = decodeObject(kind, { value: clone(value), duplicates: [] }, { origin: "patch" });
  if (strict && odd.length > 0) throw new StatusError("BadRequest", `strict decoding error: ${odd.join(", ")}`);
  return object;
}

/**
 * From a body to an object of a custom kind: what it says it is, its metadata, and the rest by its schema.
 * Source: k8s.io/apiextensions-apiserver/pkg/apiserver/customresource_handler.go (schemaCoercingDecoder),
 * k8s.io/apiserver/pkg/registry/rest/create.go (EnsureObjectNamespaceMatchesRequestNamespace and the kind check)
 */
import { ObjectMetaSchema } from "@atoll/api/meta";
import type { DecodedObject, Origin } from "@atoll/api/kind";
import { FieldErrors, Path } from "@atoll/machinery/field";
import { type ApiObject, formatApiVersion, parseApiVersion } from "@atoll/machinery/object";
import { decode, DecodeError } from "@atoll/machinery/schema/decode";
import { MalformedResource } from "@atoll/machinery/schema/structural/embedded";
import type { Structural } from "@atoll/machinery/schema/structural/structural";
import { StatusError } from "@atoll/machinery/status";
import { invalid } from "../registry/invalid.ts";
import { clone } from "../registry/versions.ts";

/** Which kind is read, and by which schema. */
export interface Reading {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly structural: Structural;
}

/** Metadata as a type that has it, so that paths of errors begin with it. */
const rootSchema = { type: "object" as const, properties: { metadata: ObjectMetaSchema } };

/**
 * Decodes a body or what a patch made of an object.
 * @throws {StatusError} BadRequest; Invalid for an object of another kind
 */
export function decodeCustom(
  reading: Reading,
  value: Readonly<Record<string, unknown>>,
  origin: Origin,
): DecodedObject {
  const object = clone(value) as Record<string, unknown>;
  identify(reading, object, origin);
  try {
    const unknown = readParts(reading.structural, object, origin);
    return { value: object as ApiObject, unknown };
  } catch (cause) {
    if (!(cause instanceof DecodeError) && !(cause instanceof MalformedResource)) throw cause;
    throw new StatusError("BadRequest", malformed(cause), { cause });
  }
}

function malformed(cause: DecodeError | MalformedResource): string {
  return cause instanceof MalformedResource ? `${cause.field}: ${cause.message}` : cause.message;
}

/**
 * Brings a stored object into its version's shape.
 * @throws {StatusError} InternalError
 */
export function readStored(structural: Structural, object: ApiObject): void {
  try {
    structural.read(object);
  } catch (cause) {
    if (!(cause instanceof MalformedResource)) throw cause;
    throw new StatusError("InternalError", `the stored object cannot be read: ${malformed(cause)}`, { cause });
  }
}

/** Apply has refused what it did not know, and its nulls are for validation to judge. */
function readParts(structural: Structural, object: Record<string, unknown>, origin: Origin): readonly string[] {
  const { metadata } = object;
  const decoded = decode(rootSchema, metadata === undefined ? {} : { metadata });
  const unknown: string[] = [...decoded.unknown];
  object["metadata"] = decoded.value["metadata"] ?? {};
  if (origin === "apply") return unknown;
  structural.read(object, (path) => unknown.push(`unknown field ${JSON.stringify(path)}`));
  return unknown;
}

/** What is left out is what the path says. */
function identify(reading: Reading, object: Record<string, unknown>, origin: Origin): void {
  const { kind } = reading;
  const apiVersion = formatApiVersion(reading.group, reading.version);
  const given = { apiVersion: textOf(object, "apiVersion") || apiVersion, kind: textOf(object, "kind") || kind };
  if (given.apiVersion !== apiVersion) refuseVersion(given, apiVersion, origin === "body" ? undefined : object);
  if (given.kind !== kind) refuseKind(reading, given.kind, object);
  object["apiVersion"] = apiVersion;
  object["kind"] = kind;
}

function textOf(object: Record<string, unknown>, field: string): string {
  const value = object[field] ?? "";
  if (typeof value === "string") return value;
  throw new StatusError("BadRequest", `${field} must be a string`);
}

/** @param patched what a patch made; undefined for a body */
function refuseVersion(
  given: { apiVersion: string; kind: string },
  wanted: string,
  patched: Record<string, unknown> | undefined,
): never {
  if (patched !== undefined) {
    const errors = new FieldErrors();
    errors.invalid(Path.of("apiVersion"), given.apiVersion, `must be ${wanted}`);
    const { group } = parseApiVersion(given.apiVersion);
    throw invalid({ group, kind: given.kind }, nameOf(patched), errors);
  }
  const detail = `the API version in the data (${given.apiVersion}) does not match the expected API version (${wanted})`;
  throw new StatusError("BadRequest", detail);
}

function refuseKind({ group, kind }: Reading, given: string, object: Record<string, unknown>): never {
  const errors = new FieldErrors();
  errors.invalid(Path.of("kind"), given, `must be ${kind}`);
  throw invalid({ group, kind: given }, nameOf(object), errors);
}

function nameOf(object: Record<string, unknown>): string {
  const name = (object["metadata"] as { name?: unknown } | undefined | null)?.name;
  return typeof name === "string" ? name : "";
}

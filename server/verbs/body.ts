/**
 * From a request's bytes to the object it gives.
 * Source: k8s.io/apiserver/pkg/endpoints/handlers/create.go, k8s.io/apimachinery/pkg/runtime/serializer
 */
import type { DecodedObject, Kind, Origin } from "@atoll/api/kind";
import { DepthExceeded, parseJson } from "@atoll/machinery/json/json";
import { type ApiObject, formatApiVersion } from "@atoll/machinery/object";
import { decodeProtobuf } from "@atoll/machinery/protobuf/decode";
import { decode, DecodeError } from "@atoll/machinery/schema/decode";
import type { Schema } from "@atoll/machinery/schema/schema";
import { StatusError } from "@atoll/machinery/status";
import { parseYamlAside } from "../yaml/aside.ts";
import type { FieldValidation } from "./options.ts";

/** Media types a body may have. */
const jsonTypes: ReadonlySet<string> = new Set(["application/json", "", "text/json"]);
const yamlTypes: ReadonlySet<string> = new Set(["application/yaml", "application/x-yaml", "text/yaml"]);

/** Deepest nesting taken. Source: 10,000 is where encoding/json stops; objects of real use stay below 100. */
const maxDepth = 1_000;

/** A body as plain data, with the keys it gives twice. */
export interface Parsed {
  readonly value: unknown;
  /** Messages as `duplicate field "spec.replicas"`. */
  readonly duplicates: readonly string[];
}

/** The media type of a Content-Type header, without parameters, lower case. */
export function mediaType(header: string | undefined): string {
  return (header ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "";
}

const protobufType = "application/vnd.kubernetes.protobuf";

/**
 * @param contentType the Content-Type header
 * @param schema of the object, by which protobuf is read; without it protobuf is not taken
 * @throws {StatusError} UnsupportedMediaType; BadRequest for what cannot be read
 */
export function parseBody(
  body: Buffer,
  contentType: string | undefined,
  schema: Schema | undefined,
): Parsed | Promise<Parsed> {
  const type = mediaType(contentType);
  if (type === protobufType && schema !== undefined) return parseProtobuf(body, schema);
  if (!jsonTypes.has(type) && !yamlTypes.has(type)) {
    throw new StatusError(
      "UnsupportedMediaType",
      `the body of the request was in an unknown format - accepted media types include: application/json, application/yaml, ${protobufType}`,
    );
  }
  return parseText(body, yamlTypes.has(type));
}

/** Protobuf is for built-in kinds alone: a custom resource has no field numbers. */
export function protobufSchema(kind: Kind): Schema | undefined {
  return kind.custom === true ? undefined : kind.schema;
}

function parseProtobuf(body: Buffer, schema: Schema): Parsed {
  try {
    return { value: decodeProtobuf(schema, body), duplicates: [] };
  } catch (cause) {
    throw new StatusError("BadRequest", `couldn't read the body: ${messageOf(cause)}`, { cause });
  }
}

/**
 * Bytes that are JSON, or YAML where the caller allows it. JSON is there at once.
 * @throws {StatusError} BadRequest
 */
export function parseText(body: Buffer, yaml: boolean): Parsed | Promise<Parsed> {
  if (yaml) return parseYamlAside(body.toString("utf8"), maxDepth).catch(refuseText);
  try {
    return parseJson(body, { maxDepth });
  } catch (cause) {
    return refuseText(cause);
  }
}

function refuseText(cause: unknown): never {
  if (cause instanceof DepthExceeded) {
    throw new StatusError("BadRequest", `the body is nested deeper than ${maxDepth} levels`, { cause });
  }
  throw new StatusError("BadRequest", `couldn't read the body: ${messageOf(cause)}`, { cause });
}

/** What a decoded body is, and what was odd about it. */
export interface Given {
  readonly object: ApiObject;
  /** Unknown and repeated fields, as messages. */
  readonly odd: readonly string[];
}

/**
 * Decodes a body as an object of a kind. `apiVersion` and `kind` may be left out, but not be others.
 * @throws {StatusError} BadRequest
 */
export function decodeObject(
  kind: Kind,
  parsed: Parsed,
  { origin }: { readonly origin: Origin } = { origin: "body" },
): Given {
  if (kind.decode !== undefined)
    return decodeOwn(kind, parsed, kind.decode(bodyOf(parsed.value ?? {}, kind.kind), origin));
  const apiVersion = formatApiVersion(kind.group, kind.version);
  const value = asKind(parsed.value ?? {}, apiVersion, kind.kind);
  const decoded = decodeWith(kind, value);
  const object = decoded.value as unknown as ApiObject;
  object.apiVersion = apiVersion;
  object.kind = kind.kind;
  object.metadata ??= {};
  keepEmptyManagedFields(object, value);
  return { object, odd: inOrder(parsed, decoded.unknown) };
}

function decodeOwn(kind: Kind, parsed: Parsed, decoded: DecodedObject): Given {
  const value = bodyOf(parsed.value ?? {}, kind.kind);
  keepEmptyManagedFields(decoded.value, value);
  return { object: decoded.value, odd: inOrder(parsed, decoded.unknown) };
}

/** What is odd in the order in which the body has it. Repeated keys of YAML come first: they are told by their lines. */
function inOrder({ value, duplicates }: Parsed, unknown: readonly string[]): readonly string[] {
  if (duplicates.length === 0 || unknown.length === 0) return [...duplicates, ...unknown];
  const places = new Map<string, number>();
  number(value, "", places);
  const placeOf = (told: string): number => places.get(/"(.*)"$/.exec(told)?.[1] ?? "") ?? -1;
  return [...duplicates, ...unknown].sort((a, b) => placeOf(a) - placeOf(b));
}

/** Numbers everything in a value as it is met, by its path as messages spell it. */
function number(value: unknown, path: string, places: Map<string, number>): void {
  places.set(path, places.size);
  if (typeof value !== "object" || value === null) return;
  if (Array.isArray(value)) value.forEach((item, i) => number(item, `${path}[${i}]`, places));
  else for (const [key, item] of Object.entries(value)) number(item, path === "" ? key : `${path}.${key}`, places);
}

/** An empty list of managedFields asks for the record to be forgotten; decoding takes it for nothing. */
function keepEmptyManagedFields(object: ApiObject, { metadata }: { readonly metadata?: unknown }): void {
  const given = (metadata as { managedFields?: unknown } | null | undefined)?.managedFields;
  if (Array.isArray(given) && given.length === 0) object.metadata.managedFields = [];
}

function bodyOf(value: unknown, kind: string): Record<string, unknown> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new StatusError("BadRequest", `the body must be an object, a ${kind}`);
}

function asKind(value: unknown, apiVersion: string, kind: string): Record<string, unknown> {
  const given = bodyOf(value, kind);
  const givenKind = given["kind"] ?? "";
  const givenVersion = given["apiVersion"] ?? "";
  if ((givenKind !== "" && givenKind !== kind) || (givenVersion !== "" && givenVersion !== apiVersion)) {
    throw new StatusError(
      "BadRequest",
      `${kind} in version ${JSON.stringify(apiVersion)} cannot be handled as a ${kind}: the body says ${JSON.stringify(givenKind)} in ${JSON.stringify(givenVersion)}`,
    );
  }
  return given;
}

function decodeWith({ schema, kind, version }: Kind, value: Record<string, unknown>) {
  try {
    return decode(schema, value);
  } catch (cause) {
    if (!(cause instanceof DecodeError)) throw cause;
    const what = `${kind} in version "${version}" cannot be handled as a ${kind}`;
    throw new StatusError("BadRequest", `${what}: ${cause.message}`, { cause });
  }
}

/**
 * Unknown and repeated fields, by the caller's wish: dropped silently, dropped with a warning, or refused.
 * @throws {StatusError} BadRequest when strict
 */
export function reportOdd(odd: readonly string[], validation: FieldValidation, warnings: string[]): void {
  if (odd.length === 0 || validation === "Ignore") return;
  if (validation === "Strict") throw new StatusError("BadRequest", `strict decoding error: ${odd.join(", ")}`);
  warnings.push(...odd);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/**
 * Resources within resources: kind, version and metadata of objects whose schema says
 * x-kubernetes-embedded-resource. Their metadata is decoded like any object's, and checked likewise.
 * Source: k8s.io/apiextensions-apiserver/pkg/apiserver/schema/objectmeta
 */
import type { FieldErrors, Path } from "../../field.ts";
import { stringifyJson } from "../../json/json.ts";
import { dns1035LabelErrors, dns1123LabelErrors, nameRules } from "../../names.ts";
import type { ObjectMeta } from "../../object.ts";
import { validateObjectMeta } from "../../objectmeta.ts";
import { decode, DecodeError } from "../decode.ts";
import type { Schema } from "../schema.ts";
import { fieldSchema, isJsonObject, propertyOf } from "./correlated.ts";
import { setField } from "./defaults.ts";

/** An embedded resource whose kind, version or metadata is of the wrong type. */
export class MalformedResource extends Error {
  override readonly name = "MalformedResource";
  readonly field: string;

  constructor(at: Path, detail: string) {
    super(detail);
    this.field = at.toString();
  }
}

/** How embedded resources are read. */
export interface CoerceOptions {
  /** The schema of metadata, with the facts of built-in types. */
  readonly objectMeta: Schema;
  /** Leave out what is malformed, instead of refusing it. */
  readonly dropInvalid?: boolean;
  /** Told the path of each unknown field of metadata. */
  readonly onUnknown?: (path: string) => void;
}

/**
 * Decodes the metadata of embedded resources in place.
 * @throws {MalformedResource}
 */
export function coerceEmbedded(value: unknown, schema: Schema, at: Path, options: CoerceOptions): void {
  if (Array.isArray(value)) {
    const { items } = schema;
    if (items === undefined) return;
    for (const [i, item] of value.entries()) coerceEmbedded(item, items, at.index(i), options);
  } else if (isJsonObject(value)) coerceObject(value as Record<string, unknown>, schema, at, options);
}

function coerceObject(value: Record<string, unknown>, schema: Schema, at: Path, options: CoerceOptions): void {
  if (schema["x-kubernetes-embedded-resource"] === true) coerceResource(value, at, options);
  for (const name of Object.keys(value)) {
    const field = fieldSchema(schema, name);
    if (field === undefined) continue;
    const below = propertyOf(schema, name) === undefined ? at.key(name) : at.child(name);
    coerceEmbedded(value[name], field, below, options);
  }
}

function coerceResource(value: Record<string, unknown>, at: Path, options: CoerceOptions): void {
  for (const name of ["apiVersion", "kind"]) {
    if (!Object.hasOwn(value, name) || typeof value[name] === "string") continue;
    if (options.dropInvalid !== true) {
      throw new MalformedResource(at.child(name), `Invalid value: ${stringifyJson(value[name])}: must be a string`);
    }
    delete value[name];
  }
  if (Object.hasOwn(value, "metadata")) setField(value, "metadata", readMetadata(value["metadata"], at, options));
}

/** Metadata as a built-in object's would be decoded. */
function readMetadata(metadata: unknown, at: Path, options: CoerceOptions): ObjectMeta {
  const schema: Schema = { type: "object", properties: { metadata: options.objectMeta } };
  try {
    const { value, unknown } = decode(schema, { metadata });
    for (const message of unknown) options.onUnknown?.(below(at, message));
    return (value["metadata"] ?? {}) as ObjectMeta;
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    if (options.dropInvalid === true) return salvage(metadata, at, options);
    throw new MalformedResource(at.child("metadata"), error.message);
  }
}

/** Those fields of malformed metadata that can be read. */
function salvage(metadata: unknown, at: Path, options: CoerceOptions): ObjectMeta {
  if (!isJsonObject(metadata)) return {};
  const kept: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(metadata)) {
    try {
      Object.assign(kept, readMetadata({ [name]: value }, at, { ...options, dropInvalid: false }));
    } catch (error) {
      if (!(error instanceof MalformedResource)) throw error;
    }
  }
  return kept;
}

/** `unknown field "metadata.x"` as a path from the object's root. */
function below(at: Path, message: string): string {
  const path = message.slice(message.indexOf('"') + 1, -1);
  const parent = at.toString();
  return parent === "" ? path : `${parent}.${path}`;
}

/** Where errors of embedded resources go, and how their metadata is read. */
export interface EmbeddedReport {
  readonly objectMeta: Schema;
  readonly errors: FieldErrors;
}

/** Rules of embedded resources. */
export function validateEmbedded(value: unknown, schema: Schema, at: Path, report: EmbeddedReport): void {
  if (Array.isArray(value)) {
    const { items } = schema;
    if (items === undefined) return;
    for (const [i, item] of value.entries()) validateEmbedded(item, items, at.index(i), report);
  } else if (isJsonObject(value)) {
    if (schema["x-kubernetes-embedded-resource"] === true) validateResource(value, at, report);
    for (const name of Object.keys(value)) {
      const field = fieldSchema(schema, name);
      if (field === undefined) continue;
      const path = propertyOf(schema, name) === undefined ? at.key(name) : at.child(name);
      validateEmbedded(value[name], field, path, report);
    }
  }
}

function validateResource(value: Readonly<Record<string, unknown>>, at: Path, report: EmbeddedReport): void {
  const { errors, objectMeta } = report;
  const { apiVersion, kind } = value;
  if (apiVersion === undefined) errors.required(at.child("apiVersion"));
  else validateVersion(apiVersion, at.child("apiVersion"), errors);
  if (kind === undefined) errors.required(at.child("kind"));
  else validateKind(kind, at.child("kind"), errors);
  if (!Object.hasOwn(value, "metadata")) return;
  const path = at.child("metadata");
  try {
    // Read once more: a default may have put it there.
    validateMetadata(readMetadata(value["metadata"], at, { objectMeta }), path, errors);
  } catch (error) {
    if (!(error instanceof MalformedResource)) throw error;
    errors.invalid(path, value["metadata"], error.message);
  }
}

function validateVersion(apiVersion: unknown, at: Path, errors: FieldErrors): void {
  if (typeof apiVersion !== "string") errors.invalid(at, apiVersion, "must be a string");
  else if (apiVersion === "") errors.invalid(at, apiVersion, "must not be empty");
  else if (apiVersion.split("/").length > 2) {
    errors.invalid(at, apiVersion, `unexpected GroupVersion string: ${apiVersion}`);
  }
}

function validateKind(kind: unknown, at: Path, errors: FieldErrors): void {
  if (typeof kind !== "string") errors.invalid(at, kind, "must be a string");
  else if (kind === "") errors.invalid(at, kind, "must not be empty");
  else {
    const wrong = dns1035LabelErrors(kind.toLowerCase());
    if (wrong.length > 0) {
      errors.invalid(at, kind, `may have mixed case, but should otherwise match: ${wrong.join(",")}`);
    }
  }
}

/** A name is not needed; any that can be part of a path will do. */
function validateMetadata(meta: ObjectMeta, at: Path, errors: FieldErrors): void {
  const { name = "", generateName = "", namespace = "" } = meta;
  for (const message of nameRules.pathSegment(generateName, true)) {
    errors.invalid(at.child("generateName"), generateName, message);
  }
  for (const message of nameRules.pathSegment(name, false)) errors.invalid(at.child("name"), name, message);
  if (namespace !== "") {
    for (const message of dns1123LabelErrors(namespace)) errors.invalid(at.child("namespace"), namespace, message);
  }
  validateObjectMeta(meta, at, errors);
}

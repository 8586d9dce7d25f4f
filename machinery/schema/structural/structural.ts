/**
 * A structural schema ready for use: it reads objects of a custom kind (prunes, drops foreign nulls, decodes embedded
 * metadata), fills in defaults, and validates objects and changes to them.
 *
 * Making one costs nothing: parts are compiled as values reach them.
 * Source: k8s.io/apiextensions-apiserver/pkg/apiserver/customresource_handler.go (unstructuredSchemaCoercer),
 * pkg/registry/customresource/strategy.go
 */
import { FieldErrors, Path } from "../../field.ts";
import type { Schema } from "../schema.ts";
import { checkValue, Checks } from "./check/check.ts";
import { report } from "./check/findings.ts";
import { Correlated, propertyOf } from "./correlated.ts";
import { applyDefaults, dropNulls } from "./defaults.ts";
import { coerceEmbedded, validateEmbedded } from "./embedded.ts";
import { validateLists } from "./lists.ts";
import { prune } from "./prune.ts";
import { Rules } from "./rules.ts";

type JsonObject = Record<string, unknown>;

/** A change to an object, or a new one. */
export interface Change {
  /** What is replaced; absent on create. */
  readonly old?: unknown;
  /** Only the status may have changed: it alone is checked against the schema, but every rule runs. */
  readonly statusOnly?: boolean;
  /** Told failures of rules that are not held against an unchanged part. */
  readonly onKept?: (message: string) => void;
}

/** Errors that would make rules misjudge the object. Source: hasBlockingErr */
const blocking: ReadonlySet<string> = new Set([
  "FieldValueNotSupported",
  "FieldValueRequired",
  "FieldValueTooLong",
  "FieldValueTooMany",
  "FieldValueTypeInvalid",
]);

const notChecked =
  "some validation rules were not checked because the object was invalid; correct the existing errors to complete validation";

/** The schema of one version of a custom kind. */
export class Structural {
  readonly schema: Schema;
  readonly #objectMeta: Schema;
  readonly #checks = new Checks({ instances: true });
  readonly #rules: Rules;
  readonly #embeds: boolean;

  /** @param objectMeta the schema of metadata, with the facts of built-in types */
  constructor(schema: Schema, objectMeta: Schema) {
    this.schema = schema;
    this.#objectMeta = objectMeta;
    this.#rules = new Rules(schema, true);
    this.#embeds = embeds(schema);
  }

  /**
   * Brings an object into the schema's shape, in place: unknown fields go, nulls that may not be go, metadata of
   * embedded resources is decoded. The object's own metadata is the caller's affair: it is decoded as every object's is.
   * @param onUnknown told the path of each field that is dropped
   * @throws {MalformedResource}
   */
  read(object: JsonObject, onUnknown?: (path: string) => void): void {
    prune(object, this.schema, { root: true, ...(onUnknown === undefined ? {} : { onUnknown }) });
    dropNulls(object, this.schema);
    if (!this.#embeds) return;
    const options = { objectMeta: this.#objectMeta, ...(onUnknown === undefined ? {} : { onUnknown }) };
    coerceEmbedded(object, this.schema, Path.root, options);
  }

  /** Fills in defaults, in place. */
  applyDefaults(object: JsonObject): void {
    applyDefaults(object, this.schema);
  }

  /**
   * Reports what is wrong with an object that was read. Errors that are already there count when it is decided
   * whether rules can be run.
   */
  validate(object: JsonObject, errors: FieldErrors, change: Change = {}): void {
    const { old } = change;
    const was = old === undefined ? undefined : new Correlated(object, old, this.schema);
    this.#checkShape(object, errors, { ...change, was });
    if (this.#embeds && change.statusOnly !== true) {
      validateEmbedded(object, this.schema, Path.root, { objectMeta: this.#objectMeta, errors });
    }
    this.#checkLists(object, old, errors);
    this.#runRules(object, errors, { ...change, was });
  }

  #checkShape(object: JsonObject, errors: FieldErrors, change: Change & { was: Correlated | undefined }): void {
    const { old, was, statusOnly } = change;
    if (statusOnly !== true) {
      report(checkValue(this.#checks.of(this.schema), object, was), undefined, errors);
      return;
    }
    const schema = propertyOf(this.schema, "status");
    if (schema === undefined || !Object.hasOwn(object, "status")) return;
    const before = (old as JsonObject | undefined)?.["status"];
    const pair = was?.key("status") ?? new Correlated(object["status"], before, schema);
    report(checkValue(this.#checks.of(schema), object["status"], pair), Path.of("status"), errors);
  }

  /** Duplicates that were there before are let be. */
  #checkLists(object: JsonObject, old: unknown, errors: FieldErrors): void {
    const found = new FieldErrors();
    validateLists(object, this.schema, Path.root, found);
    if (found.ok) return;
    const before = new FieldErrors();
    if (old !== undefined) validateLists(old, this.schema, Path.root, before);
    if (before.ok) errors.list.push(...found.list);
  }

  #runRules(object: JsonObject, errors: FieldErrors, change: Change & { was: Correlated | undefined }): void {
    if (!this.#rules.any) return;
    if (errors.list.some(({ reason }) => blocking.has(reason))) {
      errors.add("FieldValueInvalid", "<nil>", null, notChecked);
      return;
    }
    const { old, was, onKept } = change;
    this.#rules.validate(object, errors, { old, was, ...(onKept === undefined ? {} : { onKept }) });
  }
}

/** Whether a schema embeds resources anywhere. */
function embeds(schema: Schema): boolean {
  if (schema["x-kubernetes-embedded-resource"] === true) return true;
  const { items, additionalProperties, properties = {} } = schema;
  if (items !== undefined && embeds(items)) return true;
  if (typeof additionalProperties === "object" && embeds(additionalProperties)) return true;
  return Object.values(properties).some(embeds);
}

/**
 * Whether the defaults of a schema fit it: they have no unknown fields, are valid, and break no rule.
 * Source: k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting/{validation,surroundingobject}.go
 */
import { deepEqual } from "../../equal.ts";
import { FieldErrors, Path } from "../../field.ts";
import { objectBudget } from "../../cel/program.ts";
import type { Schema } from "../schema.ts";
import { Checks, checkValue } from "./check/check.ts";
import { report } from "./check/findings.ts";
import { copyJson, hasDefault } from "./defaults.ts";
import { type CoerceOptions, coerceEmbedded, MalformedResource, validateEmbedded } from "./embedded.ts";
import { asResource, metaFields, prune } from "./prune.ts";
import { Rules } from "./rules.ts";

type JsonObject = Record<string, unknown>;

/** How defaults are judged. */
export interface DefaultOptions {
  /** The schema of metadata, with the facts of built-in types. */
  readonly objectMeta: Schema;
  /** Unknown fields in defaults are let be. */
  readonly allowUnpruned: boolean;
}

/** A part of the schema, and what would surround its value. */
interface Place {
  readonly schema: Schema;
  readonly at: Path;
  /** The resource that the part belongs to. */
  readonly resource: Schema;
  /** The least resource that holds a value of the part. */
  readonly wrap: (value: unknown) => JsonObject;
  /** The part is apiVersion, kind or metadata of the resource, or inside. */
  readonly insideMeta: boolean;
}

function wrapRoot(value: unknown): JsonObject {
  const object = (typeof value === "object" && value !== null ? value : {}) as JsonObject;
  return { kind: "Validation", apiVersion: "validation/v1", ...object };
}

/** Reports what is wrong with the defaults of a whole resource's schema. The schema must be structural. */
export function validateDefaults(schema: Schema, at: Path, options: DefaultOptions, errors: FieldErrors): void {
  const root = asResource(schema);
  new DefaultRules(options, errors).visit({ schema: root, at, resource: root, wrap: wrapRoot, insideMeta: false });
}

class DefaultRules {
  readonly #options: DefaultOptions;
  readonly #errors: FieldErrors;
  readonly #checks = new Checks({ instances: false });
  #budget = objectBudget;

  constructor(options: DefaultOptions, errors: FieldErrors) {
    this.#options = options;
    this.#errors = errors;
  }

  visit(given: Place): void {
    const embedded = given.schema["x-kubernetes-embedded-resource"] === true;
    const place = embedded ? { ...given, resource: given.schema, wrap: wrapRoot, insideMeta: false } : given;
    const { schema, at, wrap } = place;
    if (hasDefault(schema)) this.#check(place);
    // Defaults are forbidden under additionalProperties.
    if (schema.items !== undefined) {
      this.visit({ ...place, schema: schema.items, at: at.child("items"), wrap: (value) => wrap([value]) });
    }
    for (const [name, property] of Object.entries(schema.properties ?? {})) {
      if (this.#budget < 0) return;
      this.visit({
        ...place,
        schema: property,
        at: at.child("properties").key(name),
        wrap: (value) => wrap({ [name]: value }),
        insideMeta: place.insideMeta || (embedded && metaFields.has(name)),
      });
    }
  }

  #check(place: Place): void {
    const { schema, insideMeta } = place;
    const at = place.at.child("default");
    if (!insideMeta && !this.#options.allowUnpruned) this.#checkPruned(schema, at);
    const value = copyJson(schema.default);
    const fine = insideMeta ? this.#checkMeta(place, value, at) : this.#checkEmbedded(schema, value, at);
    if (!fine) return;
    const before = this.#errors.list.length;
    report(checkValue(this.#checks.of(schema), value), at, this.#errors);
    if (this.#errors.list.length === before) this.#checkRules(place, value, at);
  }

  #checkPruned(schema: Schema, at: Path): void {
    const pruned = copyJson(schema.default);
    prune(pruned, schema, { root: schema["x-kubernetes-embedded-resource"] === true });
    if (!deepEqual(pruned, schema.default)) this.#errors.invalid(at, schema.default, "must not have unknown fields");
  }

  #checkEmbedded(schema: Schema, value: unknown, at: Path): boolean {
    const malformed = coerce(value, schema, at, { objectMeta: this.#options.objectMeta });
    if (malformed !== undefined) {
      this.#errors.add("FieldValueInvalid", malformed.field, value, malformed.message);
      return false;
    }
    const before = this.#errors.list.length;
    validateEmbedded(value, schema, at, { objectMeta: this.#options.objectMeta, errors: this.#errors });
    return this.#errors.list.length === before;
  }

  /** A default of metadata is judged by the resource it would make. */
  #checkMeta({ resource, wrap }: Place, value: unknown, at: Path): boolean {
    const object = wrap(value);
    const malformed = coerce(object, resource, Path.root, { objectMeta: this.#options.objectMeta });
    const found = new FieldErrors();
    const report = { objectMeta: this.#options.objectMeta, errors: found };
    if (malformed === undefined) validateEmbedded(object, resource, Path.root, report);
    if (malformed === undefined && found.ok) return true;
    const why = malformed?.message ?? found.list.map(({ field, message }) => `${field}: ${message}`).join(", ");
    this.#errors.invalid(at, value, `must result in valid metadata: ${why}`);
    return false;
  }

  /** As a value that did not change, and as one that is new. */
  #checkRules({ schema, resource }: Place, value: unknown, at: Path): void {
    const rules = new Rules(schema, schema === resource);
    const before = this.#errors.list.length;
    const budget = this.#budget;
    this.#budget = rules.validate(value, this.#errors, { old: value, at, budget });
    if (this.#errors.list.length > before) return;
    this.#budget = Math.min(this.#budget, rules.validate(value, this.#errors, { at, budget }));
  }
}

function coerce(value: unknown, schema: Schema, at: Path, options: CoerceOptions): MalformedResource | undefined {
  try {
    coerceEmbedded(value, schema, at, options);
    return undefined;
  } catch (error) {
    if (error instanceof MalformedResource) return error;
    throw error;
  }
}

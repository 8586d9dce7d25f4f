/**
 * Rules of a CustomResourceDefinition's spec.
 * Source: k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/validation/validation.go
 */
import { deepEqual } from "@atoll/machinery/equal";
import { FieldErrors, type Path } from "@atoll/machinery/field";
import { isStructural, validateStructure } from "@atoll/machinery/schema/structural/structure";
import { asSchema, type RawSchema, someSchema, unsupportedReason } from "@atoll/machinery/schema/structural/raw";
import { validateDefaults } from "@atoll/machinery/schema/structural/default-rules";
import { builtinSchema } from "../schemas.ts";
import { isCABundle, speaksReview, validateConversion } from "./conversion.ts";
import { type Definition, schemaOfVersion, schemasOf, type Shared, type Version } from "./definition.ts";
import { hasLooseKeys, hasNonAtomicSet } from "./list-rules.ts";
import { requireNames, strictLabel, validateGroup, validateNames } from "./names.ts";
import { RuleContext } from "./rule-rules.ts";
import { SchemaRules } from "./schema-rules.ts";
import {
  maxSelectableFields,
  validateColumn,
  validateDeprecation,
  validateSelectableFields,
  validateSubresources,
} from "./version-rules.ts";

/** What an update lets be because the old definition had it. */
export interface Leniency {
  readonly unknownReviewVersions: boolean;
  readonly badCABundle: boolean;
  readonly missingSchemas: boolean;
  readonly unknownTypes: boolean;
  readonly notStructural: boolean;
  readonly unprunedDefaults: boolean;
  readonly nonAtomicSets: boolean;
  readonly looseMapKeys: boolean;
  /** Versions whose schema is the same as before; "" is the shared one. */
  readonly sameSchema: ReadonlySet<string>;
  /** Versions whose selectable fields were too many and are the same; "" for the shared ones. */
  readonly tooManyFields: ReadonlySet<string>;
}

/** A new definition: nothing is let be, but for its CA bundle, which nobody has used yet. */
export const strict: Leniency = {
  unknownReviewVersions: false,
  badCABundle: true,
  missingSchemas: false,
  unknownTypes: false,
  notStructural: false,
  unprunedDefaults: false,
  nonAtomicSets: false,
  looseMapKeys: false,
  sameSchema: new Set(),
  tooManyFields: new Set(),
};

const types: ReadonlySet<string> = new Set(["array", "boolean", "integer", "number", "object", "string"]);

function hasUnknownType({ type = "" }: RawSchema): boolean {
  return type !== "" && !types.has(type);
}

function versionsLike(definition: Definition, is: (name: string) => boolean): ReadonlySet<string> {
  return new Set(definition.versions.map(({ name }) => name).filter(is));
}

/** What an update of `old` may leave as it is. */
export function leniencyOf(definition: Definition, old: Definition, established: boolean, at: Path): Leniency {
  const schemas = schemasOf(old).map(({ schema }) => schema);
  const some = (is: (schema: RawSchema) => boolean) => schemas.some((schema) => someSchema(schema, is));
  const caBundle = old.conversion?.webhook?.clientConfig?.caBundle ?? "";
  const same = (name: string) => deepEqual(schemaOfVersion(definition, name), schemaOfVersion(old, name));
  return {
    unknownReviewVersions: !speaksReview(old.conversion?.webhook?.conversionReviewVersions),
    badCABundle: !established || (caBundle !== "" && !isCABundle(caBundle)),
    missingSchemas: old.versions.some(({ name }) => schemaOfVersion(old, name) === undefined),
    unknownTypes: some(hasUnknownType),
    notStructural: schemas.some((schema) => unsupportedReason(schema) !== undefined || !isStructural(schema, at)),
    unprunedDefaults: hasUnprunedDefaults(schemas, at),
    nonAtomicSets: some(hasNonAtomicSet),
    looseMapKeys: some(hasLooseKeys),
    sameSchema: versionsLike(definition, same),
    tooManyFields: tooManyFields(definition, old),
  };
}

function tooManyFields(definition: Definition, old: Definition): ReadonlySet<string> {
  const fieldsOf = (from: Definition, name: string) =>
    (name === "" ? from.shared : from.versions.find((version) => version.name === name))?.selectableFields;
  const isKept = (name: string) => {
    const before = fieldsOf(old, name) ?? [];
    return before.length > maxSelectableFields && deepEqual(before, fieldsOf(definition, name));
  };
  return new Set(["", ...definition.versions.map(({ name }) => name)].filter(isKept));
}

function hasUnprunedDefaults(schemas: readonly RawSchema[], at: Path): boolean {
  return schemas.some((schema) => {
    if (unsupportedReason(schema) !== undefined || !isStructural(schema, at)) return false;
    const errors = new FieldErrors();
    const objectMeta = builtinSchema("meta/v1", "ObjectMeta");
    validateDefaults(asSchema(schema), at, { objectMeta, allowUnpruned: false }, errors);
    return errors.list.some(({ message }) => message.endsWith("must not have unknown fields"));
  });
}

/** Judges a definition's spec. */
export class SpecRules {
  readonly #definition: Definition;
  readonly #lenient: Leniency;
  readonly #errors: FieldErrors;
  readonly #at: Path;

  constructor(definition: Definition, lenient: Leniency, report: { readonly at: Path; readonly errors: FieldErrors }) {
    this.#definition = definition;
    this.#lenient = lenient;
    this.#at = report.at;
    this.#errors = report.errors;
  }

  validate(): void {
    const { group, scope, names, conversion, preserveUnknownFields } = this.#definition;
    const errors = this.#errors;
    validateGroup(group, this.#at.child("group"), errors);
    this.#checkScope(scope);
    this.#requireSchemas();
    if (preserveUnknownFields && this.#hasDefaults()) {
      const path = this.#at.child("preserveUnknownFields");
      errors.invalid(path, true, "must be false in order to use defaults in the schema");
    }
    this.#checkVersions();
    requireNames(names, this.#at.child("names"), errors);
    validateNames(names, this.#at.child("names"), errors);
    this.#checkShared();
    if (conversion === undefined) return;
    const at = this.#at.child("conversion");
    if (conversion.strategy !== "None" && preserveUnknownFields) {
      errors.invalid(at.child("strategy"), conversion.strategy, "must be None if spec.preserveUnknownFields is true");
    }
    validateConversion(conversion, this.#lenient, at, errors);
  }

  #checkScope(scope: string): void {
    const at = this.#at.child("scope");
    if (scope === "") this.#errors.required(at);
    else if (scope !== "Cluster" && scope !== "Namespaced") {
      this.#errors.notSupported(at, scope, ["Cluster", "Namespaced"]);
    }
  }

  /** Every version needs a schema; those that had none before need one only if they are served and pruned. */
  #requireSchemas(): void {
    const { shared, versions, preserveUnknownFields } = this.#definition;
    const { missingSchemas } = this.#lenient;
    if (shared.schema?.openAPIV3Schema !== undefined || (missingSchemas && preserveUnknownFields)) return;
    for (const [i, { served, schema }] of versions.entries()) {
      if (schema?.openAPIV3Schema !== undefined || (missingSchemas && !served)) continue;
      const at = this.#at.child("versions").index(i).child("schema").child("openAPIV3Schema");
      this.#errors.required(at, missingSchemas ? "because otherwise all fields are pruned" : "");
    }
  }

  #hasDefaults(): boolean {
    const isDefault = (schema: RawSchema) => schema.default !== undefined && schema.default !== null;
    return schemasOf(this.#definition).some(({ schema }) => someSchema(schema, isDefault));
  }

  #checkVersions(): void {
    const { versions, version, shared } = this.#definition;
    const at = this.#at.child("versions");
    for (const [i, own] of versions.entries()) {
      strictLabel(own.name, at.index(i).child("name"), this.#errors);
      validateDeprecation(own, at.index(i), this.#errors);
      this.#checkSaid(own, own.name, at.index(i), { statusEnabled: hasStatus(own) || hasStatus(shared) });
    }
    if (new Set(versions.map(({ name }) => name)).size < versions.length) {
      this.#errors.invalid(at, versions, "must contain unique version names");
    }
    if (versions.filter(({ storage }) => storage).length !== 1) {
      this.#errors.invalid(at, versions, "must have exactly one version marked as storage version");
    }
    if (version !== "") strictLabel(version, this.#at.child("version"), this.#errors);
  }

  #checkShared(): void {
    const { shared, versions, version } = this.#definition;
    this.#checkSaid(shared, "", this.#at, { statusEnabled: hasStatus(shared) || versions.some(hasStatus), version });
  }

  /** @param where versions say `schema` what all say as `validation` */
  #checkSaid(
    said: Shared | Version,
    name: string,
    at: Path,
    options: { readonly statusEnabled: boolean; readonly version?: string },
  ): void {
    const { schema, subresources, additionalPrinterColumns = [], selectableFields = [] } = said;
    const schemaAt = at.child(name === "" && !("served" in said) ? "validation" : "schema");
    const raw = schema?.openAPIV3Schema;
    if (raw !== undefined) {
      const same = this.#lenient.sameSchema.has(options.version ?? name);
      this.#checkSchema(raw, schemaAt, { same, statusEnabled: options.statusEnabled });
    }
    validateSubresources(subresources, at.child("subresources"), this.#errors);
    for (const [i, column] of additionalPrinterColumns.entries()) {
      validateColumn(column, at.child("additionalPrinterColumns").index(i), this.#errors);
    }
    if (selectableFields.length > 0) this.#checkFields(said, name, at.child("selectableFields"));
  }

  #checkFields({ schema, selectableFields = [] }: Shared, name: string, at: Path): void {
    const raw = schema?.openAPIV3Schema;
    if (raw === undefined) {
      const where = name === "" ? "validations.schema is included" : "`version.schema.openAPIV3Schema` is not included";
      this.#errors.invalid(at, "", `may only be set when ${where}`);
      return;
    }
    const tooMany = this.#lenient.tooManyFields.has(name);
    validateSelectableFields(selectableFields, { schema: raw, tooMany }, at, this.#errors);
  }

  #checkSchema(
    schema: RawSchema,
    at: Path,
    { same, statusEnabled }: { readonly same: boolean; readonly statusEnabled: boolean },
  ): void {
    const path = at.child("openAPIV3Schema");
    const before = this.#errors.list.length;
    if (statusEnabled) checkRootKeywords(schema, at, this.#errors);
    if (schema.nullable === true) {
      this.#errors.add(
        "FieldValueForbidden",
        `${path.toString()}.nullable`,
        undefined,
        "nullable cannot be true at the root",
      );
    }
    const rules = this.#needsStructure() ? this.#checkStructure(schema, path) : undefined;
    const { unknownTypes, nonAtomicSets, looseMapKeys } = this.#lenient;
    const walk = new SchemaRules({ unknownTypes, nonAtomicSets, looseMapKeys, anyRuleCost: same });
    walk.validate(schema, path, rules, this.#errors);
    const reason = this.#needsStructure() ? unsupportedReason(schema) : undefined;
    if (reason !== undefined && this.#errors.list.length === before) this.#errors.invalid(path, "", reason);
  }

  /** Pruning, defaults and extensions work with structural schemas only. */
  #needsStructure(): boolean {
    const { preserveUnknownFields } = this.#definition;
    return !this.#lenient.notStructural || !preserveUnknownFields || this.#hasDefaults() || this.#hasExtensions();
  }

  #hasExtensions(): boolean {
    return schemasOf(this.#definition).some(({ schema }) =>
      someSchema(schema, (part) => Object.keys(part).some((keyword) => keyword.startsWith("x-kubernetes-"))),
    );
  }

  /** @returns the context of rules, when the schema is fit for rules to be compiled */
  #checkStructure(schema: RawSchema, at: Path): RuleContext | undefined {
    if (unsupportedReason(schema) !== undefined) return undefined;
    const before = this.#errors.list.length;
    validateStructure(schema, at, this.#errors);
    if (this.#errors.list.length > before) return undefined;
    const objectMeta = builtinSchema("meta/v1", "ObjectMeta");
    const allowUnpruned = this.#lenient.unprunedDefaults;
    validateDefaults(asSchema(schema), at, { objectMeta, allowUnpruned }, this.#errors);
    return this.#errors.list.length > before ? undefined : RuleContext.root(schema);
  }
}

function hasStatus({ subresources }: Shared): boolean {
  return subresources?.status !== undefined;
}

/** Keywords that would be lost when the status is validated by its own part of the schema. */
const notAtRoot: readonly (keyof RawSchema)[] = [
  "id",
  "$schema",
  "$ref",
  "nullable",
  "default",
  "enum",
  "maxProperties",
  "minProperties",
  "allOf",
  "oneOf",
  "anyOf",
  "not",
  "additionalProperties",
  "patternProperties",
  "dependencies",
  "additionalItems",
  "definitions",
  "x-kubernetes-embedded-resource",
  "x-kubernetes-int-or-string",
  "x-kubernetes-list-map-keys",
  "x-kubernetes-list-type",
  "x-kubernetes-map-type",
];

const allowedAtRoot =
  "[Description Type Format Title Maximum ExclusiveMaximum Minimum ExclusiveMinimum MaxLength MinLength Pattern MaxItems MinItems UniqueItems MultipleOf Required Items Properties ExternalDocs Example XPreserveUnknownFields XValidations]";

function checkRootKeywords(schema: RawSchema, at: Path, errors: FieldErrors): void {
  const { type = "" } = schema;
  const set = notAtRoot.filter((keyword) => {
    const value = schema[keyword];
    const flag = keyword === "nullable" || keyword.startsWith("x-kubernetes-");
    return value !== undefined && value !== "" && value !== null && !(flag && value === false);
  });
  const first = set[0];
  const early = first === "id" || first === "$schema" || first === "$ref";
  if (!early && type !== "" && type !== "object") {
    const detail =
      'only "object" is allowed as the type at the root of the schema if the status subresource is enabled';
    errors.invalid(at.child("openAPIV3Schema").child("type"), type, detail);
  } else if (first !== undefined) {
    const detail = `only ${allowedAtRoot} fields are allowed at the root of the schema if the status subresource is enabled`;
    errors.invalid(at.child("openAPIV3Schema"), schema, detail);
  }
}

/**
 * Rules of the schemas of custom kinds, beyond being structural.
 * Source: k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/validation/validation.go
 * (ValidateCustomResourceDefinitionOpenAPISchema)
 */
import { FieldErrors, type Path } from "@atoll/machinery/field";
import { partsOf, type RawSchema, type SchemaStep } from "@atoll/machinery/schema/structural/raw";
import { ListRules } from "./list-rules.ts";
import { type RuleContext, type RulePlace, RuleRules } from "./rule-rules.ts";
import { requireType, type SchemaLeniency } from "./schema-type.ts";

/** Where a schema stands, and what follows from that. */
interface SchemaPlace extends RulePlace {
  readonly root: boolean;
  /** Inside apiVersion, kind or metadata of a resource. */
  readonly insideMeta: boolean;
  /** Why defaults are forbidden; undefined where they are not. */
  readonly noDefaults: string | undefined;
  /** For the rules of this part; undefined inside logic. */
  readonly rules: RuleContext | undefined;
}

const metaFields: ReadonlySet<string> = new Set(["metadata", "kind", "apiVersion"]);
const types = ["array", "boolean", "integer", "number", "object", "string"];

/** Walks a schema. Errors of rules come after those of shape, and only where the shape is good. */
export class SchemaRules {
  readonly #lenient: SchemaLeniency;
  readonly #shape = new FieldErrors();
  readonly #rules: RuleRules;
  readonly #lists: ListRules;

  constructor(lenient: SchemaLeniency) {
    this.#lenient = lenient;
    this.#rules = new RuleRules(lenient.anyRuleCost);
    this.#lists = new ListRules(lenient, this.#shape);
  }

  /** @param rules undefined when rules must not be compiled, since the schema is not structural */
  validate(schema: RawSchema, at: Path, rules: RuleContext | undefined, errors: FieldErrors): void {
    this.#visit(schema, {
      at,
      root: true,
      insideMeta: false,
      noDefaults: undefined,
      uncorrelated: undefined,
      rules,
    });
    errors.list.push(...this.#shape.list, ...this.#rules.errors.list);
    if (rules !== undefined) this.#rules.reportTotal(at, errors);
  }

  #visit(schema: RawSchema, place: SchemaPlace): void {
    const before = this.#shape.list.length;
    this.#checkKeywords(schema, place);
    for (const { step, part } of partsOf(schema)) this.#visit(part, this.#placeOf(schema, step, place));
    this.#checkExtensions(schema, place.at);
    this.#lists.check(schema, place.at);
    const rules = schema["x-kubernetes-validations"] ?? [];
    for (const [i, rule] of rules.entries()) {
      this.#rules.checkForm(rule, schema, place.at.child("x-kubernetes-validations").index(i), this.#shape);
    }
    const good = this.#shape.list.length === before;
    if (good && rules.length > 0 && place.rules !== undefined) this.#rules.compile(rules, place.rules, place);
  }

  #placeOf(schema: RawSchema, step: SchemaStep, place: SchemaPlace): SchemaPlace {
    const { keyword } = step;
    let at = place.at.child(keyword);
    if ("index" in step) at = at.index(step.index);
    if ("key" in step) at = at.key(step.key);
    const below = { ...place, at, root: false, rules: undefined };
    if (keyword === "additionalProperties") return this.#placeOfAdditional(schema, below, place);
    if (keyword === "items") {
      // Only items of keyed lists can be told from one another.
      const keyed = schema["x-kubernetes-list-type"] === "map";
      const uncorrelated = keyed ? place.uncorrelated : (place.uncorrelated ?? place.at);
      return { ...below, uncorrelated, rules: place.rules?.items(schema) };
    }
    return "key" in step && keyword === "properties"
      ? this.#placeOfProperty(schema, step.key, { below, place })
      : below;
  }

  #placeOfAdditional(schema: RawSchema, below: SchemaPlace, { insideMeta, rules }: SchemaPlace): SchemaPlace {
    const reason = "inside additionalProperties applying to object metadata";
    const noDefaults = insideMeta ? reason : below.noDefaults;
    return { ...below, noDefaults, rules: rules?.additional(schema) };
  }

  #placeOfProperty(
    schema: RawSchema,
    name: string,
    { below, place }: { readonly below: SchemaPlace; readonly place: SchemaPlace },
  ): SchemaPlace {
    const mapType = schema["x-kubernetes-map-type"];
    const correlated = mapType === undefined || mapType === "granular" || mapType === "atomic";
    const uncorrelated = correlated ? place.uncorrelated : (place.uncorrelated ?? place.at);
    const ofResource = place.root || schema["x-kubernetes-embedded-resource"] === true;
    const insideMeta = place.insideMeta || (ofResource && metaFields.has(name));
    const noDefaults = place.root && metaFields.has(name) ? `in top-level ${name}` : below.noDefaults;
    return { ...below, uncorrelated, insideMeta, noDefaults, rules: place.rules?.property(schema, name) };
  }

  #checkKeywords(schema: RawSchema, { at, insideMeta, noDefaults }: SchemaPlace): void {
    this.#checkType(schema, at);
    if (schema.default !== undefined && schema.default !== null && noDefaults !== undefined) {
      this.#shape.forbidden(at.child("default"), `must not be set ${noDefaults}`);
    }
    this.#checkUnsupported(schema, at);
    if (schema.$ref !== undefined) this.#shape.forbidden(at.child("$ref"), "$ref is not supported");
    if (Array.isArray(schema.items) && schema.items.length > 0) {
      this.#shape.forbidden(at.child("items"), "items must be a schema object and not an array");
    }
    if (insideMeta && schema["x-kubernetes-embedded-resource"] === true) {
      const path = at.child("x-kubernetes-embedded-resource");
      this.#shape.forbidden(path, "must not be used inside of resource meta");
    }
    if (schema.uniqueItems === true) {
      const detail = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic";
      this.#shape.forbidden(at.child("uniqueItems"), detail);
    }
    this.#checkAdditional(schema, at);
  }

  #checkType({ type = "" }: RawSchema, at: Path): void {
    if (type !== "" && !this.#lenient.unknownTypes && !types.includes(type)) {
      this.#shape.notSupported(at.child("type"), type, types);
    }
    if (type !== "null") return;
    this.#shape.forbidden(at.child("type"), "type cannot be set to null, use nullable as an alternative");
  }

  #checkUnsupported(schema: RawSchema, at: Path): void {
    if ((schema.id ?? "") !== "") this.#shape.forbidden(at.child("id"), "id is not supported");
    for (const keyword of ["additionalItems", "patternProperties", "definitions", "dependencies"] as const) {
      const value = schema[keyword];
      const empty = keyword !== "additionalItems" && keyword !== "dependencies" && isEmpty(value);
      if (value !== undefined && !empty) this.#shape.forbidden(at.child(keyword), `${keyword} is not supported`);
    }
  }

  #checkAdditional({ additionalProperties, properties }: RawSchema, at: Path): void {
    if (additionalProperties === undefined || additionalProperties === true || isEmpty(properties)) return;
    const detail = "additionalProperties and properties are mutual exclusive";
    this.#shape.forbidden(at.child("additionalProperties"), detail);
  }

  #checkExtensions(schema: RawSchema, at: Path): void {
    if (schema["x-kubernetes-preserve-unknown-fields"] === false) {
      this.#shape.invalid(at.child("x-kubernetes-preserve-unknown-fields"), false, "must be true or undefined");
    }
    const mapType = schema["x-kubernetes-map-type"];
    if (mapType === undefined) return;
    requireType(schema, { at, type: "object", because: "x-kubernetes-map-type" }, this.#shape);
    if (mapType !== "atomic" && mapType !== "granular") {
      this.#shape.notSupported(at.child("x-kubernetes-map-type"), mapType, ["atomic", "granular"]);
    }
  }
}

function isEmpty(value: unknown): boolean {
  return typeof value !== "object" || value === null || Object.keys(value).length === 0;
}

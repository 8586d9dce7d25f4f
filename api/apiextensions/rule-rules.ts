/**
 * Rules of x-kubernetes-validations: their form, whether they compile, and what they may cost at most.
 * Source: k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/validation/{validation,cel_validation}.go
 */
import { Compiler, type Declaration, declareSchema, escapeName, maxCardinality } from "@atoll/machinery/cel/index";
import { FieldErrors, type Path } from "@atoll/machinery/field";
import type { ValidationRule } from "@atoll/machinery/schema/schema";
import { type CompiledRule, compileRule, type Expression } from "@atoll/machinery/schema/structural/compiled-rule";
import { fieldPath } from "@atoll/machinery/schema/structural/fieldpath";
import { asSchema, type RawSchema, unsupportedReason } from "@atoll/machinery/schema/structural/raw";

/** The most one rule may cost, by estimate. Source: StaticEstimatedCostLimit */
const ruleCostLimit = 10_000_000;
/** The most all rules of a schema may cost, by estimate. Source: StaticEstimatedCRDCostLimit */
const schemaCostLimit = 100_000_000;

const reasons = ["FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"];

/** What the rules of a part of a schema are compiled against, and how often they can run. */
export class RuleContext {
  readonly #schema: RawSchema;
  readonly #parent: { readonly context: RuleContext; readonly declared: () => Declaration | undefined } | undefined;
  /** A part above has rules, and so is declared anyway. */
  readonly #declaredAbove: boolean;
  /** How many values of the part one object can have; undefined: no bound is given. */
  readonly cardinality: number | undefined;
  #declaration: Declaration | undefined;

  private constructor(
    schema: RawSchema,
    cardinality: number | undefined,
    parent: { readonly context: RuleContext; readonly declared: () => Declaration | undefined } | undefined,
  ) {
    this.#schema = schema;
    this.#parent = parent;
    this.cardinality = cardinality;
    this.#declaredAbove = parent !== undefined && parent.context.#inScope;
  }

  /** Of a whole resource. */
  static root(schema: RawSchema): RuleContext {
    return new RuleContext(schema, 1, undefined);
  }

  get schema(): RawSchema {
    return this.#schema;
  }

  get #inScope(): boolean {
    return this.#declaredAbove || (this.#schema["x-kubernetes-validations"] ?? []).length > 0;
  }

  property(schema: RawSchema, name: string): RuleContext | undefined {
    const identifier = escapeName(name);
    return this.#child(schema.properties?.[name], () =>
      identifier === undefined ? undefined : this.declaration?.fields?.get(identifier),
    );
  }

  items({ items }: RawSchema): RuleContext | undefined {
    return this.#child(Array.isArray(items) ? undefined : (items as RawSchema), () => this.declaration?.element);
  }

  additional({ additionalProperties }: RawSchema): RuleContext | undefined {
    const schema = typeof additionalProperties === "object" ? additionalProperties : undefined;
    return this.#child(schema, () => this.declaration?.element);
  }

  #child(schema: RawSchema | undefined, declared: () => Declaration | undefined): RuleContext | undefined {
    if (schema === undefined) return undefined;
    const factor = mostValues(this.#schema);
    const bounded = this.cardinality !== undefined && factor !== undefined;
    return new RuleContext(schema, bounded ? (this.cardinality ?? 0) * factor : undefined, { context: this, declared });
  }

  /** Taken from that of the part above where there is one; making one reads everything below. */
  get declaration(): Declaration | undefined {
    if (this.#declaration !== undefined) return this.#declaration;
    if (this.#declaredAbove) this.#declaration = this.#parent?.declared();
    const root = this.#parent === undefined || this.#schema["x-kubernetes-embedded-resource"] === true;
    this.#declaration ??= declareSchema(asSchema(this.#schema), { name: "selfType", root });
    return this.#declaration;
  }
}

/** How many values a list or map has room for; 1 for what is neither, undefined without a bound. */
function mostValues({ type, additionalProperties, maxProperties, maxItems }: RawSchema): number | undefined {
  if (type === "object" && additionalProperties !== undefined) {
    return maxProperties === undefined ? undefined : Math.max(maxProperties, 0);
  }
  if (type === "array") return maxItems === undefined ? undefined : Math.max(maxItems, 0);
  return 1;
}

/** Where rules stand. */
export interface RulePlace {
  readonly at: Path;
  /** The nearest part above whose values cannot be told from those they replace. */
  readonly uncorrelated: Path | undefined;
}

/** Judges the rules of one schema and adds up their costs. */
export class RuleRules {
  readonly errors = new FieldErrors();
  readonly #anyCost: boolean;
  readonly #compiler = new Compiler();
  readonly #expensive: { readonly at: Path; readonly cost: number }[] = [];
  #total = 0;

  constructor(anyCost: boolean) {
    this.#anyCost = anyCost;
  }

  /** A rule's texts, before it is compiled. */
  checkForm(rule: ValidationRule, schema: RawSchema, at: Path, errors: FieldErrors): void {
    this.#checkTexts(rule, at, errors);
    const { messageExpression = "", reason, fieldPath: path = "" } = rule;
    if (messageExpression !== "" && messageExpression.trim() === "") {
      errors.required(at.child("messageExpression"), "messageExpression must be non-empty if specified");
    }
    if (reason !== undefined && !reasons.includes(reason)) errors.notSupported(at.child("reason"), reason, reasons);
    if (path === "") return;
    if (path.trim() === "") errors.invalid(at.child("fieldPath"), path, "must be non-empty if specified");
    if (/[\n\r]/.test(path)) errors.invalid(at.child("fieldPath"), path, "must not contain line breaks");
    if (unsupportedReason(schema) === undefined && "error" in fieldPath(path, schema)) {
      errors.invalid(at.child("fieldPath"), path, "must be a valid path");
    }
  }

  #checkTexts({ rule, message = "" }: ValidationRule, at: Path, errors: FieldErrors): void {
    const told = message.trim();
    if ((rule ?? "").trim() === "") errors.required(at.child("rule"), "rule is not specified");
    else if (message !== "" && told === "")
      errors.invalid(at.child("message"), message, "must be non-empty if specified");
    else if (/[\n\r]/.test(told)) errors.invalid(at.child("message"), message, "must not contain line breaks");
    else if (/[\n\r]/.test(rule.trim()) && told === "") {
      errors.required(at.child("message"), "message must be specified if rule contains line breaks");
    }
  }

  /** Compiles the rules of a part and reckons what they cost. */
  compile(rules: readonly ValidationRule[], context: RuleContext, place: RulePlace): void {
    const at = place.at.child("x-kubernetes-validations");
    const self = context.declaration;
    if (self === undefined) {
      const why = "failed to construct type information for x-kubernetes-validations rules";
      const cause = "unable to convert structural schema to CEL declarations";
      this.errors.add("InternalError", at, undefined, `internal error: ${why}: ${cause}`);
      return;
    }
    const scope = { schema: asSchema(context.schema), self, compiler: this.#compiler };
    const times = context.cardinality ?? maxCardinality(self);
    for (const [i, rule] of rules.entries()) {
      this.#judge(compileRule(rule, scope), times, { at: at.index(i), uncorrelated: place.uncorrelated });
    }
  }

  #judge(compiled: CompiledRule, times: number, { at, uncorrelated }: RulePlace): void {
    const { rule, condition, message } = compiled;
    const cost = condition?.error === undefined ? (condition?.program.estimateCost().max ?? 0) : 0;
    this.#spend(cost === 0 ? 0 : cost * times, "estimated rule cost", at.child("rule"));
    if (condition?.error !== undefined) this.errors.invalid(at.child("rule"), rule, condition.error);
    this.#judgeMessage(message, rule, at.child("messageExpression"));
    if (!compiled.usesOldSelf) {
      if (rule.optionalOldSelf !== undefined) {
        const detail = "may not be set if oldSelf is not used in rule";
        this.errors.invalid(at.child("optionalOldSelf"), rule.optionalOldSelf, detail);
      }
    } else if (uncorrelated !== undefined) {
      const detail = `oldSelf cannot be used on the uncorrelatable portion of the schema within ${uncorrelated.toString()}`;
      this.errors.invalid(at.child("rule"), rule.rule, detail);
    }
  }

  #judgeMessage(message: Expression | undefined, rule: ValidationRule, at: Path): void {
    if (message === undefined) return;
    if (message.error !== undefined) this.errors.invalid(at, rule, message.error);
    else this.#spend(message.program.estimateCost().max, "estimated messageExpression cost", at);
  }

  #spend(cost: number, name: string, at: Path): void {
    if (!this.#anyCost && cost > ruleCostLimit) this.errors.forbidden(at, tooExpensive(name, cost / ruleCostLimit));
    this.#total += cost;
    if (cost < schemaCostLimit / 100) return;
    this.#expensive.push({ at, cost });
    this.#expensive.sort((a, b) => b.cost - a.cost || 0);
    this.#expensive.splice(4);
  }

  /** Reports a schema whose rules together cost too much, and those that cost most. */
  reportTotal(at: Path, errors: FieldErrors): void {
    if (this.#total <= schemaCostLimit) return;
    for (const expensive of this.#expensive) {
      const detail = "contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema";
      errors.forbidden(expensive.at, detail);
    }
    const name = "x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema";
    errors.forbidden(at, tooExpensive(name, this.#total / schemaCostLimit));
  }
}

function tooExpensive(name: string, factor: number): string {
  const near = factor < 1.5 ? `${factor.toFixed(6)}x` : `${factor.toFixed(1)}x`;
  const times = factor > 100 ? "more than 100x" : near;
  const hint =
    "try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared";
  return `${name} exceeds budget by factor of ${times} (${hint})`;
}

/**
 * Runs the rules of x-kubernetes-validations over a value, within a budget of cost.
 * Source: k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel/validation.go
 */
import { Compiler } from "../../cel/compile.ts";
import type { Declaration } from "../../cel/declaration.ts";
import { escapeName } from "../../cel/escape.ts";
import { type Evaluation, objectBudget, perCallLimit } from "../../cel/program.ts";
import { declareSchema } from "../../cel/schema.ts";
import { type FieldErrors, type FieldReason, omitted, Path } from "../../field.ts";
import type { Schema, ValidationRule } from "../schema.ts";
import { type CompiledRule, compileRule } from "./compiled-rule.ts";
import { type Correlated, isJsonObject, KeyedItems } from "./correlated.ts";

/** The rules of a schema, and of the parts inside it that have any. */
interface RuleNode {
  readonly schema: Schema;
  /** Compiled when first run. Undefined: the schema cannot be declared. */
  readonly rules: () => readonly CompiledRule[] | undefined;
  readonly properties: ReadonlyMap<string, RuleNode>;
  readonly items: RuleNode | undefined;
  readonly additional: RuleNode | undefined;
}

function hasRules(schema: Schema): boolean {
  return (schema["x-kubernetes-validations"] ?? []).length > 0;
}

function buildNode(schema: Schema, declaration: Declaration | undefined, compiler: Compiler): RuleNode | undefined {
  const part = (inner: Schema, declared: Declaration | undefined) => buildNode(inner, declared, compiler);
  const properties = new Map<string, RuleNode>();
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    const declared = declarationOf(name, property, declaration);
    // CEL does not see fields of unknown type at all.
    const node = declared === undefined ? undefined : part(property, declared);
    if (node !== undefined) properties.set(name, node);
  }
  const { items: itemSchema, additionalProperties } = schema;
  const items = itemSchema === undefined ? undefined : part(itemSchema, declaration?.element);
  const additional =
    typeof additionalProperties === "object" ? part(additionalProperties, declaration?.element) : undefined;
  if (!hasRules(schema) && properties.size === 0 && items === undefined && additional === undefined) return undefined;
  return { schema, rules: compileOnce(schema, declaration, compiler), properties, items, additional };
}

/** A property whose name CEL cannot spell is declared by itself. */
function declarationOf(name: string, property: Schema, parent: Declaration | undefined): Declaration | undefined {
  const identifier = escapeName(name);
  if (identifier !== undefined) return parent?.fields?.get(identifier);
  return declareSchema(property, { name: "selfType", root: property["x-kubernetes-embedded-resource"] === true });
}

function compileOnce(schema: Schema, declaration: Declaration | undefined, compiler: Compiler): RuleNode["rules"] {
  const rules = schema["x-kubernetes-validations"] ?? [];
  let compiled: readonly CompiledRule[] | undefined;
  return () => {
    if (rules.length === 0) return [];
    if (declaration === undefined) return undefined;
    compiled ??= rules.map((rule) => compileRule(rule, { schema, self: declaration, compiler }));
    return compiled;
  };
}

/** A change to a value, to be run over by rules. */
export interface RuleRun {
  /** What is replaced; undefined on create. Rules about a change run only where there is one. */
  readonly old?: unknown;
  /** The pair of the value with the old one, where unchanged parts keep what was allowed before. */
  readonly was?: Correlated | undefined;
  /** Where the value stands; undefined for a whole object. */
  readonly at?: Path;
  /** Cost that may be spent; objectBudget unless told. */
  readonly budget?: number;
  /** Told failures that are not held against an unchanged part. */
  readonly onKept?: (message: string) => void;
}

/** The rules of a schema and everything inside it. */
export class Rules {
  readonly #schema: Schema;
  readonly #root: boolean;
  #node: RuleNode | undefined;
  #built = false;

  /** @param root the schema is that of a whole resource */
  constructor(schema: Schema, root: boolean) {
    this.#schema = schema;
    this.#root = root;
  }

  /** Whether there are any, in parts that CEL can see. */
  get any(): boolean {
    return this.#tree() !== undefined;
  }

  /**
   * Reports the rules that a value breaks.
   * @returns what is left of the budget; negative when it ran out
   */
  validate(value: unknown, errors: FieldErrors, run: RuleRun = {}): number {
    const budget = run.budget ?? objectBudget;
    const node = this.#tree();
    if (node === undefined) return budget;
    const runner = new Runner(errors, budget, run.onKept);
    runner.run(node, {
      value,
      old: run.old,
      at: run.at ?? Path.root,
      kept: { current: run.was, parent: undefined },
    });
    return runner.remaining;
  }

  #tree(): RuleNode | undefined {
    if (this.#built) return this.#node;
    this.#built = true;
    if (declaresRules(this.#schema)) {
      const self = declareSchema(this.#schema, { name: "selfType", root: this.#root });
      this.#node = buildNode(this.#schema, self, new Compiler());
    }
    return this.#node;
  }
}

/** Whether a schema has rules anywhere that they count. */
function declaresRules(schema: Schema): boolean {
  if (hasRules(schema)) return true;
  const { items, additionalProperties, properties = {} } = schema;
  if (items !== undefined && declaresRules(items)) return true;
  if (typeof additionalProperties === "object" && declaresRules(additionalProperties)) return true;
  return Object.values(properties).some(declaresRules);
}

/** Whether a failure counts, for one value: not where it, or else the nearest pair above it, did not change. */
interface Kept {
  readonly current: Correlated | undefined;
  readonly parent: Correlated | undefined;
}

function keptBelow({ current, parent }: Kept, step: string | number): Kept {
  if (current === undefined) return { current, parent };
  if (parent === undefined && (step === "apiVersion" || step === "kind")) return { current: undefined, parent };
  return { current: typeof step === "number" ? current.index(step) : current.key(step), parent: current };
}

function isKept({ current, parent }: Kept): boolean {
  return (current ?? parent)?.equal === true;
}

/** A value where it stands. */
interface Place {
  readonly value: unknown;
  readonly old: unknown;
  readonly at: Path;
  readonly kept: Kept;
}

const outOfBudget = "validation failed due to running out of cost budget, no further validation rules will be run";

class Runner {
  readonly #errors: FieldErrors;
  readonly #onKept: ((message: string) => void) | undefined;
  remaining: number;

  constructor(errors: FieldErrors, budget: number, onKept: ((message: string) => void) | undefined) {
    this.#errors = errors;
    this.#onKept = onKept;
    this.remaining = budget;
  }

  run(node: RuleNode, place: Place): void {
    if (place.value === null || place.value === undefined) return;
    this.#runRules(node, place);
    if (this.remaining < 0) return;
    if (Array.isArray(place.value)) this.#runItems(node, place, place.value);
    else if (isJsonObject(place.value)) this.#runFields(node, place, place.value);
  }

  #runFields(node: RuleNode, { old, at, kept }: Place, value: Readonly<Record<string, unknown>>): void {
    const before = isJsonObject(old) ? old : {};
    for (const name of Object.keys(value)) {
      const property = node.properties.get(name);
      const part = property ?? node.additional;
      if (part === undefined) continue;
      this.run(part, {
        value: value[name],
        old: Object.hasOwn(before, name) ? before[name] : undefined,
        at: property === undefined ? at.key(name) : at.child(name),
        kept: keptBelow(kept, name),
      });
      if (this.remaining < 0) return;
    }
  }

  #runItems({ items, schema }: RuleNode, { old, at, kept }: Place, value: readonly unknown[]): void {
    if (items === undefined) return;
    const before = new KeyedItems(schema, Array.isArray(old) ? old : []);
    for (const [i, item] of value.entries()) {
      this.run(items, { value: item, old: before.get(item), at: at.index(i), kept: keptBelow(kept, i) });
      if (this.remaining < 0) return;
    }
  }

  #runRules(node: RuleNode, place: Place): void {
    const rules = node.rules();
    const type = node.schema.type ?? "";
    if (rules === undefined) {
      const why = "failed to convert to declType for CEL validation rules";
      this.#invalid(place.at, type, `rule compiler initialization error: ${why}`);
      return;
    }
    if (rules.length === 0) return;
    if (this.remaining <= 0) return this.#stop(place.at, type, outOfBudget);
    for (const rule of rules) {
      this.#runRule(rule, type, place);
      if (this.remaining < 0) return;
    }
  }

  #runRule(compiled: CompiledRule, type: string, place: Place): void {
    const { rule, condition } = compiled;
    if (condition === undefined) return;
    if (condition.error !== undefined) return this.#invalid(place.at, type, `rule compile error: ${condition.error}`);
    const hasOld = place.old !== undefined && place.old !== null;
    if (compiled.usesOldSelf && !hasOld && rule.optionalOldSelf !== true) return;
    const outcome = condition.program.evaluate(bindingsOf(compiled, place), { costLimit: perCallLimit });
    if (outcome.cost > this.remaining) return this.#stop(place.at, type, outOfBudget);
    this.remaining -= outcome.cost;
    if (outcome.error !== undefined) this.#evaluationFailed(outcome, rule, type, place.at);
    else if (outcome.value !== true) this.#broken(compiled, type, place);
  }

  #evaluationFailed(outcome: Evaluation, rule: ValidationRule, type: string, at: Path): void {
    const message = outcome.error?.message ?? "";
    const told = spellRule(rule);
    if (outcome.error?.kind === "cost") {
      const why = `no further validation rules will be run due to call cost exceeds limit for rule: ${told}`;
      return this.#stop(at, type, `'${message}': ${why}`);
    }
    if (message.startsWith("no such overload")) {
      const why = "call arguments did not match a supported operator, function or macro signature for rule";
      return this.#invalid(at, type, `'${message}': ${why}: ${told}`);
    }
    this.#invalid(at, type, `${message} evaluating rule: ${told}`);
  }

  #broken(compiled: CompiledRule, type: string, place: Place): void {
    const { rule } = compiled;
    const field = fieldOf(place.at, compiled.fieldPath);
    const message = this.#messageOf(compiled, type, place);
    const value = type === "object" || type === "array" ? omitted : place.value;
    const reason = (rule.reason ?? "FieldValueInvalid") as FieldReason;
    const before = this.#errors.list.length;
    this.#errors.add(reason, field, value, reason === "FieldValueDuplicate" ? "" : message);
    if (compiled.usesOldSelf || !isKept(place.kept)) return;
    for (const error of this.#errors.list.splice(before)) this.#onKept?.(`${error.field}: ${error.message}`);
  }

  /** The message expression's text if it makes a good one, else the rule's message, else the rule. */
  #messageOf(compiled: CompiledRule, type: string, place: Place): string {
    const { rule, message } = compiled;
    const plain = (rule.message ?? "") === "" ? `failed rule: ${spellRule(rule)}` : (rule.message ?? "").trim();
    if (message === undefined || message.error !== undefined) return plain;
    const outcome = message.program.evaluate(bindingsOf(compiled, place), { costLimit: perCallLimit });
    if (outcome.cost > this.remaining || outcome.error?.kind === "cost") {
      this.#stop(place.at, type, "messageExpression evaluation failed due to running out of cost budget");
      return plain;
    }
    this.remaining -= outcome.cost;
    const text = typeof outcome.value === "string" ? outcome.value.trim() : "";
    return text === "" || text.length > messageMax || text.includes("\n") ? plain : text;
  }

  #invalid(at: Path, type: string, detail: string): void {
    this.#errors.add("FieldValueInvalid", fieldOf(at, ""), type, detail);
  }

  /** Nothing more may run. */
  #stop(at: Path, type: string, detail: string): void {
    this.#invalid(at, type, detail);
    this.remaining = -1;
  }
}

/** Longest text of a message expression, in bytes. */
const messageMax = 5 * 1024;

function bindingsOf({ usesOldSelf, rule }: CompiledRule, { value, old }: Place): Readonly<Record<string, unknown>> {
  if (!usesOldSelf) return { self: value };
  return { self: value, oldSelf: rule.optionalOldSelf === true ? (old ?? null) : old };
}

function spellRule({ rule, message = "" }: ValidationRule): string {
  return (message === "" ? rule : message).trim();
}

/** Where there is no field Kubernetes writes `<nil>`. */
function fieldOf(at: Path, below: string): string {
  const parent = at.toString();
  if (below === "") return parent === "" ? "<nil>" : parent;
  return parent === "" ? below : `${parent}.${below}`;
}

/**
 * Sets of fields, in the very form of FieldsV1, so that neither reading nor writing managedFields converts anything.
 *
 *     { "f:spec": { "f:replicas": {}, "f:ports": { "k:{\"port\":80}": { ".": {}, "f:name": {} } } } }
 *
 * Below a step stands a node: `{}` means the field itself is in the set; `"."` beside other steps means the same; a node
 * without it only holds what is in the set below it. Steps are sorted and in their one form. Sets are values: nothing
 * here changes one, and results share what they can with the arguments, so identity tells "nothing changed".
 *
 * Source: sigs.k8s.io/structured-merge-diff/v6/fieldpath (set.go, serialize.go)
 */
import {
  BadStep,
  type Step,
  compareElements,
  compareSteps,
  compareText,
  isPlainlyCanonical,
  parseStep,
  spellStep,
  writeElement,
} from "./element.ts";
import { isEmpty, isPlain } from "./plain.ts";

/** A set, or a node of one. */
export interface FieldSet {
  readonly [step: Step]: FieldSet;
}

/** The node of a field that is in the set, with nothing below it. */
export const leaf: FieldSet = Object.freeze({});

/** The set without fields. */
export const noFields: FieldSet = Object.freeze({});

/** Says, beside other steps, that the field itself is in the set. */
export const self: Step = ".";

type Building = Record<Step, FieldSet>;

/** Whether the field of a node is in the set itself. */
export function isMember(node: FieldSet): boolean {
  return node === leaf || self in node || isEmpty(node);
}

/** The set of fields below a node. */
function below(node: FieldSet | undefined): FieldSet {
  if (node === undefined) return noFields;
  if (!(self in node)) return node;
  const { [self]: _, ...rest } = node;
  return rest;
}

/** The node of a field: in the set itself or not, with a set below it. Undefined when that is nothing. */
export function nodeOf(member: boolean, fields: FieldSet): FieldSet | undefined {
  if (fields === leaf || isEmpty(fields)) return member ? leaf : undefined;
  return member ? { [self]: leaf, ...fields } : fields;
}

/** A step and its node, on the way into a set. */
export type Field = readonly [step: Step, node: FieldSet];

/** A set of nodes whose steps come in any order. */
export function setOf(fields: readonly Field[]): FieldSet {
  return gather({}, fields);
}

/** A node whose field is in the set itself, with others below it, whose steps come in any order. */
export function memberWith(fields: readonly Field[]): FieldSet {
  return fields.length === 0 ? leaf : gather({ [self]: leaf }, fields);
}

function gather(set: Building, fields: readonly Field[]): FieldSet {
  for (const [step, node] of inOrder(fields)) set[step] = node;
  return set;
}

function inOrder(fields: readonly Field[]): readonly Field[] {
  for (let i = 1; i < fields.length; i++) {
    const before = fields[i - 1];
    const here = fields[i];
    if (before !== undefined && here !== undefined && compareSteps(before[0], here[0]) > 0) return sorted(fields);
  }
  return fields;
}

function sorted(fields: readonly Field[]): readonly Field[] {
  if (fields.every(([step]) => step.startsWith("f:"))) return fields.toSorted(([a], [b]) => compareText(a, b));
  // Taken apart once, not at every comparison.
  const parsed = fields.map((field) => ({ field, element: parseStep(field[0]) }));
  parsed.sort((a, b) => compareElements(a.element, b.element));
  return parsed.map(({ field }) => field);
}

/** A set of one field and, when `steps` names several, of none of the fields on the way. */
export function pathSet(...steps: readonly Step[]): FieldSet {
  return steps.reduceRight<FieldSet>((node, step) => ({ [step]: node }), leaf);
}

/** The set of dotted paths of plain names, as `metadata.labels`. */
export function fieldPaths(...paths: readonly string[]): FieldSet {
  return paths.map((path) => pathSet(...path.split(".").map((name) => `f:${name}`))).reduce(union, noFields);
}

function stepsOf(node: FieldSet): Step[] {
  const steps = Object.keys(node);
  return steps[0] === self ? steps.slice(1) : steps.filter((step) => step !== self);
}

/** Fields in either set. */
export function union(a: FieldSet, b: FieldSet): FieldSet {
  if (a === b || isEmpty(b)) return a;
  if (isEmpty(a)) return b;
  return mergeNodes(a, b, {});
}

function unionNodes(a: FieldSet, b: FieldSet): FieldSet {
  if (a === b) return a;
  if (isEmpty(a)) return isMember(b) ? b : { [self]: leaf, ...b };
  if (isEmpty(b)) return isMember(a) ? a : { [self]: leaf, ...a };
  return mergeNodes(a, b, self in a || self in b ? { [self]: leaf } : {});
}

function mergeNodes(a: FieldSet, b: FieldSet, merged: Building): FieldSet {
  const left = stepsOf(a);
  const right = stepsOf(b);
  let i = 0;
  let changed = self in merged && !(self in a);
  for (const step of right) {
    for (let next = left[i]; next !== undefined && compareSteps(next, step) < 0; next = left[++i]) {
      copyNode(merged, a, next);
    }
    const mine = left[i] === step ? a[step] : undefined;
    const other = b[step] ?? leaf;
    const node = mine === undefined ? other : unionNodes(mine, other);
    if (mine !== undefined) i++;
    changed ||= node !== mine;
    merged[step] = node;
  }
  for (const step of left.slice(i)) copyNode(merged, a, step);
  return changed ? merged : a;
}

function copyNode(to: Building, from: FieldSet, step: Step): void {
  const node = from[step];
  if (node !== undefined) to[step] = node;
}

/** What a field of both sets leaves behind: another node, or undefined for nothing. */
type Combine = (a: FieldSet, b: FieldSet) => FieldSet | undefined;

function subtract(a: FieldSet, b: FieldSet, combine: Combine): FieldSet {
  if (isEmpty(a) || isEmpty(b)) return a;
  const kept: Building = {};
  let changed = false;
  for (const step of Object.keys(a)) {
    const mine = a[step] ?? leaf;
    const other = step === self ? undefined : b[step];
    const node = other === undefined ? mine : combine(mine, other);
    changed ||= node !== mine;
    if (node !== undefined) kept[step] = node;
  }
  return changed ? kept : a;
}

/** Fields of `a` that are not in `b`. What lies below a field of `b` stays. */
export function difference(a: FieldSet, b: FieldSet): FieldSet {
  return subtract(a, b, differenceOfNodes);
}

function differenceOfNodes(a: FieldSet, b: FieldSet): FieldSet | undefined {
  const rest = subtract(a, b, differenceOfNodes);
  const member = isMember(a) && !isMember(b);
  return rest === a && member === isMember(a) ? a : nodeOf(member, below(rest));
}

/** Fields of `a` that are neither in `b` nor below a field of `b`. */
export function differenceBelow(a: FieldSet, b: FieldSet): FieldSet {
  return subtract(a, b, (mine, other) => (isMember(other) ? undefined : emptied(mine, differenceBelow(mine, other))));
}

/** A node that had something below it and has nothing left is gone, unless its field is in the set itself. */
function emptied(before: FieldSet, after: FieldSet): FieldSet | undefined {
  if (after === before) return before;
  if (isEmpty(after)) return undefined;
  return isEmpty(below(after)) && self in after ? leaf : after;
}

/** Fields in both sets. */
export function intersection(a: FieldSet, b: FieldSet): FieldSet {
  const both: Building = {};
  for (const step of Object.keys(a)) {
    const mine = a[step];
    const other = step === self ? undefined : b[step];
    if (mine === undefined || other === undefined) continue;
    const node = nodeOf(isMember(mine) && isMember(other), intersection(mine, other));
    if (node !== undefined) both[step] = node;
  }
  return both;
}

/** Whether two sets hold the same fields. */
export function sameFields(a: FieldSet, b: FieldSet): boolean {
  if (a === b) return true;
  const steps = Object.keys(a);
  return (
    steps.length === Object.keys(b).length &&
    steps.every((step) => {
      const other = b[step];
      return other !== undefined && sameFields(a[step] ?? leaf, other);
    })
  );
}

/** Whether a field is in a set. */
export function has(set: FieldSet, path: readonly Step[]): boolean {
  let node: FieldSet | undefined = set;
  for (const step of path) {
    node = node[step];
    if (node === undefined) return false;
  }
  return path.length > 0 && isMember(node);
}

/** Every field of a set: those of one level first, then what is below each, as upstream lists conflicts. */
export function pathsOf(set: FieldSet): Step[][] {
  const paths: Step[][] = [];
  const visit = (node: FieldSet, prefix: readonly Step[]): void => {
    const steps = stepsOf(node);
    for (const step of steps) if (isMember(node[step] ?? leaf)) paths.push([...prefix, step]);
    for (const step of steps) visit(node[step] ?? leaf, [...prefix, step]);
  };
  visit(set, []);
  return paths;
}

/** A path as messages spell it: `.spec.ports[port=80].name`. */
export function spellPath(path: readonly Step[]): string {
  return path.map(spellStep).join("");
}

/** Keeps some fields of a set. */
export type FieldFilter = (set: FieldSet) => FieldSet;

/** Keeps all but some fields and what is below them. */
export function excluding(fields: FieldSet): FieldFilter {
  return (set) => differenceBelow(set, fields);
}

/** A pattern of fields: a name, or `*` for every step, to what is kept below it; null keeps all. */
export interface FieldPattern {
  readonly [name: string]: FieldPattern | null;
}

/** Keeps what a pattern matches. Fields on the way are kept, too. Source: fieldpath.NewIncludeMatcherFilter */
export function including(pattern: FieldPattern): FieldFilter {
  return (set) => matching(set, pattern);
}

function matching(set: FieldSet, pattern: FieldPattern): FieldSet {
  const kept: Building = {};
  for (const step of stepsOf(set)) {
    const node = set[step] ?? leaf;
    const name = step.startsWith("f:") ? step.slice(2) : "*";
    const inner = pattern[name] === undefined ? pattern["*"] : pattern[name];
    if (inner === undefined) continue;
    const match = inner === null ? node : nodeOf(isMember(node), matching(node, inner));
    if (match !== undefined) kept[step] = match;
  }
  return kept;
}

/** fieldsV1 that is not what it should be. */
export class BadFields extends Error {
  override readonly name = "BadFields";
}

const deepest = 1_000;

/**
 * The set that fieldsV1 stands for: the same object when it is in the one form, as what this server wrote is.
 * @throws {BadFields}
 */
export function readFields(fields: unknown): FieldSet {
  if (fields === undefined || fields === null) return noFields;
  const { node } = readNode(fields, 0);
  return below(node);
}

function readNode(given: unknown, depth: number): { node: FieldSet; member: boolean } {
  if (given === null) return { node: leaf, member: true };
  if (!isPlain(given)) throw new BadFields("fields are not an object");
  if (depth > deepest) throw new BadFields("fields are nested too deeply");
  let before: Step | undefined;
  for (const step in given) {
    const child = given[step];
    const canonical = child !== null && follows(step, before) && readNode(child, depth + 1).node === child;
    if (!canonical || (step === self && !isEmpty(child))) return rewritten(given, depth);
    before = step;
  }
  if (before === self) return { node: leaf, member: true };
  return { node: given as FieldSet, member: before === undefined || self in given };
}

/** Whether a step is in its one form and in its place after another. */
function follows(step: Step, before: Step | undefined): boolean {
  if (step === self) return before === undefined;
  if (!isPlainlyCanonical(step) && canonicalStep(step) !== step) return false;
  return before === undefined || before === self || compareSteps(before, step) < 0;
}

function canonicalStep(step: Step): Step | undefined {
  try {
    const element = parseStep(step);
    return element === undefined ? undefined : writeElement(element);
  } catch (cause) {
    if (cause instanceof BadStep) throw new BadFields(cause.message, { cause });
    throw cause;
  }
}

/** Steps put in their one form and in order; kinds of steps that this version does not know go. */
function rewritten(given: Record<string, unknown>, depth: number): { node: FieldSet; member: boolean } {
  const nodes = new Map<Step, FieldSet>();
  for (const step of Object.keys(given)) {
    const canonical = step === self ? undefined : canonicalStep(step);
    if (canonical === undefined) continue;
    const { node } = readNode(given[step], depth + 1);
    const twin = nodes.get(canonical);
    nodes.set(canonical, twin === undefined ? node : unionNodes(twin, node));
  }
  const fields = setOf([...nodes]);
  const member = Object.hasOwn(given, self) || isEmpty(fields);
  return { node: nodeOf(member, fields) ?? leaf, member };
}

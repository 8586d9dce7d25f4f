/**
 * One step of a path in a field set, and how FieldsV1 writes it.
 *
 *     f:<name>        field or map key            .name
 *     k:{"name":"a"}  item of a keyed list        [name="a"]
 *     v:"a"           item of a set               [="a"]
 *     i:3             item of a list, by place    [3]
 *
 * Source: sigs.k8s.io/structured-merge-diff/v6/fieldpath (element.go, serialize-pe.go), value/value.go
 */

/** A step as written in FieldsV1, in the one form that equal steps share. */
export type Step = string;

/** What tells an item of a keyed list apart, sorted by name. */
type Fields = readonly (readonly [name: string, value: unknown])[];

/** A step taken apart. */
export type Element =
  | { readonly kind: "field"; readonly name: string }
  | { readonly kind: "key"; readonly fields: Fields }
  | { readonly kind: "value"; readonly value: unknown }
  | { readonly kind: "index"; readonly index: number };

/** The step of a field. */
export const fieldStep = (name: string): Step => `f:${name}`;

/** The step of a set's item. */
export const valueStep = (value: unknown): Step => `v:${writeScalar(value)}`;

/** The step of a keyed list's item. `fields` must be sorted by name. */
export function keyStep(fields: Fields): Step {
  return `k:{${fields.map(([name, value]) => `${quote(name)}:${writeScalar(value)}`).join(",")}}`;
}

/** The step in its one form. */
export function writeElement(element: Element): Step {
  switch (element.kind) {
    case "field":
      return fieldStep(element.name);
    case "key":
      return keyStep(element.fields);
    case "value":
      return valueStep(element.value);
    case "index":
      return `i:${element.index}`;
  }
}

// Texts that Go's JSON writes as they are.
const plainText = /^[^\p{C}"\\<>&\u2028\u2029]*$/u;

/** JSON of a value as Go writes it: `<`, `>`, `&` and line separators escaped. */
function writeScalar(value: unknown): string {
  if (typeof value === "string") return plainText.test(value) ? `"${value}"` : escapeHtml(quote(value));
  if (typeof value === "bigint") return value.toString();
  return typeof value === "object" && value !== null ? escapeHtml(JSON.stringify(value)) : String(value);
}

const escapeHtml = (json: string): string =>
  json.replaceAll(/[<>&\u2028\u2029]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);

const numbered: Readonly<Record<string, string>> = { "\\b": "\\u0008", "\\f": "\\u000c" };

/** JSON of a text, control characters other than newline, return and tab by number. */
function quote(text: string): string {
  if (plainText.test(text)) return `"${text}"`;
  return JSON.stringify(text).replaceAll(/\\./g, (escape) => numbered[escape] ?? escape);
}

/** A step could not be read. */
export class BadStep extends Error {
  override readonly name = "BadStep";
}

// The commonest keys: one or two names, with plain texts or small numbers. Their written form is the one form.
const plainField = String.raw`"([^\p{C}"\\]+)":(?:"([^\p{C}"\\<>&\u2028\u2029]*)"|(-?[1-9]\d{0,14}|0))`;
const simpleKey = new RegExp(`^k:\\{${plainField}(?:,${plainField})?\\}$`, "u");

/** The fields of a step that is one of the commonest keys. */
function simpleFields(step: Step): Fields | undefined {
  const match = simpleKey.exec(step);
  if (match === null) return undefined;
  const [, name = "", text, number, second, secondText, secondNumber] = match;
  const first = [name, text ?? Number(number)] as const;
  if (second === undefined) return [first];
  return compareText(name, second) < 0 ? [first, [second, secondText ?? Number(secondNumber)]] : undefined;
}

/** Whether a step is surely in its one form; false when that takes more than a glance. */
export function isPlainlyCanonical(step: Step): boolean {
  return step.startsWith("f:") || simpleFields(step) !== undefined;
}

/**
 * @returns undefined for kinds of steps this version does not know
 * @throws {BadStep}
 */
export function parseStep(step: Step): Element | undefined {
  if (step.charCodeAt(1) !== 0x3a) throw new BadStep(`missing colon: ${step}`);
  const rest = step.slice(2);
  switch (step[0]) {
    case "f":
      return { kind: "field", name: rest };
    case "k":
      return parseKey(step, rest);
    case "v":
      return { kind: "value", value: parse(rest) };
    case "i":
      if (!/^[+-]?\d{1,15}$/.test(rest)) throw new BadStep(`bad index: ${step}`);
      return { kind: "index", index: Number(rest) };
    default:
      return undefined;
  }
}

function parseKey(step: Step, rest: string): Element {
  const simple = simpleFields(step);
  if (simple !== undefined) return { kind: "key", fields: simple };
  const fields = parse(rest);
  if (typeof fields !== "object" || fields === null || Array.isArray(fields)) throw new BadStep(`bad key: ${step}`);
  return { kind: "key", fields: Object.entries(fields).sort(([a], [b]) => compareText(a, b)) };
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json) as unknown;
  } catch (cause) {
    throw new BadStep(`bad JSON: ${json}`, { cause });
  }
}

/** Order of texts by their UTF-8 bytes. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x === y) continue;
    // Surrogates stand for characters after all others, but their numbers do not.
    const xHigh = x >= 0xd800 && x <= 0xdfff;
    const yHigh = y >= 0xd800 && y <= 0xdfff;
    if (xHigh !== yHigh && Math.min(x, y) >= 0xd800) return xHigh ? 1 : -1;
    return x - y;
  }
  return a.length - b.length;
}

/** Order of steps: fields, keys, values, indices, each by what they hold. */
export function compareSteps(a: Step, b: Step): number {
  if (a === b) return 0;
  if (a.startsWith("f:") && b.startsWith("f:")) return compareText(a, b);
  return compareElements(parseStep(a), parseStep(b));
}

const kindOrder = { field: 0, key: 1, value: 2, index: 3 } as const;

/** The order of compareSteps, for steps taken apart. */
export function compareElements(a: Element | undefined, b: Element | undefined): number {
  if (a === undefined || b === undefined) return 0;
  if (a.kind === "field" && b.kind === "field") return compareText(a.name, b.name);
  if (a.kind === "key" && b.kind === "key") return compareFields(a.fields, b.fields);
  if (a.kind === "value" && b.kind === "value") return compareValues(a.value, b.value);
  if (a.kind === "index" && b.kind === "index") return a.index - b.index;
  return kindOrder[a.kind] - kindOrder[b.kind];
}

function compareFields(a: Fields, b: Fields): number {
  for (const [i, left] of a.entries()) {
    const right = b[i];
    if (right === undefined) return 1;
    const order = compareText(left[0], right[0]) || compareValues(left[1], right[1]);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

function rank(value: unknown): number {
  if (typeof value === "number" || typeof value === "bigint") return 0;
  if (typeof value === "string") return 1;
  if (typeof value === "boolean") return 2;
  return value === null ? 5 : 3;
}

/** Order of values: numbers, texts, booleans, lists and objects, null. */
function compareValues(a: unknown, b: unknown): number {
  const byKind = rank(a) - rank(b);
  if (byKind !== 0 || a === b) return byKind;
  if (typeof a === "string" && typeof b === "string") return compareText(a, b);
  if (rank(a) === 3) return compareText(JSON.stringify(a), JSON.stringify(b));
  return (a as number) < (b as number) ? -1 : 1;
}

/** A step as messages spell it: `.name`, `[name="a"]`, `[="a"]`, `[3]`. */
export function spellStep(step: Step): string {
  const element = parseStep(step);
  switch (element?.kind) {
    case "field":
      return `.${element.name}`;
    case "key":
      return `[${element.fields.map(([name, value]) => `${name}=${spellValue(value)}`).join(",")}]`;
    case "value":
      return `[=${spellValue(element.value)}]`;
    case "index":
      return `[${element.index}]`;
    default:
      return step;
  }
}

function spellValue(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}

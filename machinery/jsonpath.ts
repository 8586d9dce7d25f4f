/**
 * kubectl's JSONPath, as printer columns use it: `.spec.replicas`, `.metadata.labels['a\.b']`, `.items[0:2]`,
 * `.status.conditions[?(@.type=="Ready")].status`, `..name`. Missing keys are no error.
 * Source: k8s.io/client-go/util/jsonpath
 */
import { stringifyJson } from "./json/json.ts";

/** A path that cannot be read. */
export class JsonPathSyntaxError extends Error {
  override readonly name = "JsonPathSyntaxError";
}

/** From some values to those a step further; undefined when a step makes no sense, as an index into text. */
type Step = (values: readonly unknown[]) => unknown[] | undefined;

/** A path, ready to be asked. */
export class JsonPath {
  readonly #steps: readonly Step[];

  /** @param text without braces. @throws {JsonPathSyntaxError} */
  constructor(text: string) {
    this.#steps = new Parser(text).steps();
  }

  /** What the path leads to; empty when there is nothing, or when a step makes no sense. */
  find(root: unknown): readonly unknown[] {
    return walk(this.#steps, [root]) ?? [];
  }
}

function walk(steps: readonly Step[], start: readonly unknown[]): readonly unknown[] | undefined {
  let values: readonly unknown[] | undefined = start;
  for (const step of steps) {
    values = step(values);
    if (values === undefined) return undefined;
  }
  return values;
}

/** A value found, as text. */
export function printFound(value: unknown): string {
  if (value === null || value === undefined) return "<no value>";
  if (typeof value === "object") return stringifyJson(value);
  return typeof value === "number" ? printNumber(value) : String(value as string | boolean | bigint);
}

/** Source: Go's %v of a float64, which writes small numbers with an exponent earlier than JavaScript does. */
function printNumber(value: number): string {
  const small = value !== 0 && Math.abs(value) < 1e-4;
  return (small ? value.toExponential() : String(value)).replace(/e([+-])(\d)$/, "e$10$2");
}

type JsonObject = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function field(name: string): Step {
  return (values) => values.flatMap((value) => (isObject(value) && Object.hasOwn(value, name) ? [value[name]] : []));
}

const wildcard: Step = (values) => values.flatMap(membersOf);

function membersOf(value: unknown): unknown[] {
  if (Array.isArray(value)) return value;
  return isObject(value) ? Object.values(value) : [];
}

/** Everything that has members, outermost first. */
const everywhere: Step = (values) => {
  const found: unknown[] = [];
  const open = values.toReversed();
  while (open.length > 0) {
    const value = open.pop();
    const members = membersOf(value);
    if (members.length === 0) continue;
    found.push(value);
    for (const member of members.toReversed()) open.push(member);
  }
  return found;
};

/** What is done to each array; anything else but null makes no sense. */
function ofArrays(pick: (items: readonly unknown[]) => unknown[] | undefined): Step {
  return (values) => {
    const found: unknown[] = [];
    for (const value of values) {
      if (value === null) continue;
      const picked = Array.isArray(value) ? pick(value) : undefined;
      if (picked === undefined) return undefined;
      for (const item of picked) found.push(item);
    }
    return found;
  };
}

function index(at: number): Step {
  return ofArrays((items) => {
    const place = at < 0 ? at + items.length : at;
    if (items.length === 0) return [];
    return place >= 0 && place < items.length ? [items[place]] : undefined;
  });
}

interface Range {
  readonly from: number | undefined;
  readonly to: number | undefined;
  readonly step: number | undefined;
}

function slice({ from, to, step = 1 }: Range): Step {
  return ofArrays((items) => (step <= 0 ? undefined : items.slice(from, to).filter((_, i) => i % step === 0)));
}

function union(alternatives: readonly Step[]): Step {
  return (values) => {
    const found = alternatives.map((step) => step(values));
    return found.includes(undefined) ? undefined : found.flatMap((some) => some ?? []);
  };
}

type Comparison = (left: unknown, right: unknown) => boolean | undefined;

/** Texts with texts, numbers with numbers: nothing else compares. */
function ordered(compare: (left: string | number, right: string | number) => boolean): Comparison {
  return (left, right) => {
    if (typeof left === "string" && typeof right === "string") return compare(left, right);
    return isNumber(left) && isNumber(right) ? compare(Number(left), Number(right)) : undefined;
  };
}

function isNumber(value: unknown): boolean {
  return typeof value === "number" || typeof value === "bigint";
}

const equal: Comparison = (left, right) =>
  // A bigint and a number are equal when they are the same number.
  typeof left === "boolean" && typeof right === "boolean" ? left === right : ordered((a, b) => a === b)(left, right);

const comparisons: Readonly<Record<string, Comparison>> = {
  "==": equal,
  "!=": (left, right) => {
    const same = equal(left, right);
    return same === undefined ? undefined : !same;
  },
  "<": ordered((a, b) => a < b),
  "<=": ordered((a, b) => a <= b),
  ">": ordered((a, b) => a > b),
  ">=": ordered((a, b) => a >= b),
};

type Operand = (item: unknown) => readonly unknown[] | undefined;

function having(operand: Operand): Step {
  return ofArrays((items) => {
    const kept: unknown[] = [];
    for (const item of items) {
      const found = operand(item);
      if (found === undefined) return undefined;
      if (found.length > 0) kept.push(item);
    }
    return kept;
  });
}

function comparing(left: Operand, compare: Comparison, right: Operand): Step {
  const decide = (item: unknown): boolean | undefined => {
    const [a, b] = [left(item), right(item)];
    if (a === undefined || b === undefined || a.length > 1 || b.length > 1) return undefined;
    return a.length === 1 && b.length === 1 ? compare(a[0], b[0]) : false;
  };
  return ofArrays((items) => {
    const kept: unknown[] = [];
    for (const item of items) {
      const decided = decide(item);
      if (decided === undefined) return undefined;
      if (decided) kept.push(item);
    }
    return kept;
  });
}

const numberForm = /^-?\d+(\.\d+)?$/;
const sliceForm = /^(-?\d*)(?::(-?\d*))?(?::(-?\d*))?$/;
const filterForm = /^\?\(([^!<>=]+)([!<>=]+)(.+)\)$/s;
const existsForm = /^\?\(([^!<>=]+)\)$/s;
// A dot, a bracket or a blank ends a name unless a backslash stands before it.
const nameForm = /(?:\\.|[^\\.,[\]$@{}\s|()])*/sy;
const quotes: ReadonlySet<string> = new Set(["'", '"']);
const blank: ReadonlySet<string> = new Set([" ", "\t", "\n", "\r"]);

class Parser {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text.trim();
  }

  steps(): readonly Step[] {
    const steps: Step[] = [];
    if (this.#text === "" || this.#text === ".") return steps;
    if (this.#text[0] === "$" || this.#text[0] === "@") this.#at = 1;
    while (this.#at < this.#text.length) {
      const step = this.#step();
      if (step !== undefined) steps.push(step);
    }
    return steps;
  }

  #step(): Step | undefined {
    const letter = this.#text[this.#at] ?? "";
    if (blank.has(letter)) {
      this.#at++;
      return undefined;
    }
    if (letter === "[") return this.#brackets();
    if (letter !== ".") throw this.#unexpected(letter);
    this.#at++;
    if (this.#text[this.#at] === ".") {
      // `..name` is everywhere, then name; `..[0]` is everywhere, then an index.
      if (this.#text[this.#at + 1] === "[") this.#at++;
      return everywhere;
    }
    return this.#name();
  }

  #name(): Step {
    nameForm.lastIndex = this.#at;
    const raw = nameForm.exec(this.#text)?.[0] ?? "";
    this.#at += raw.length;
    if (raw === "") throw this.#unexpected(this.#text[this.#at] ?? "end");
    return raw === "*" ? wildcard : field(raw.replaceAll("\\", ""));
  }

  #brackets(): Step {
    const end = this.#closing();
    const inner = this.#text.slice(this.#at + 1, end);
    this.#at = end + 1;
    return this.#bracketed(inner.trim());
  }

  /** The bracket that closes the one here; those in quotes and in inner brackets do not count. */
  #closing(): number {
    let quote = "";
    let depth = 0;
    for (let at = this.#at; at < this.#text.length; at++) {
      const letter = this.#text[at] ?? "";
      if (quote !== "") quote = letter === quote ? "" : quote;
      else if (quotes.has(letter)) quote = letter;
      else if (letter === "[") depth++;
      else if (letter === "]" && --depth === 0) return at;
    }
    throw new JsonPathSyntaxError(quote === "" ? "unterminated array" : "unterminated quoted string");
  }

  #bracketed(inner: string): Step {
    if (inner === "*") return wildcard;
    if (inner.startsWith("?")) return this.#filter(inner);
    const parts = splitOutsideQuotes(inner);
    if (parts.length > 1) return union(parts.map((part) => this.#bracketed(part.trim())));
    const quote = inner[0] ?? "";
    if (quotes.has(quote) && inner.endsWith(quote) && inner.length > 1) return field(inner.slice(1, -1));
    return this.#range(inner);
  }

  #range(inner: string): Step {
    const parts = sliceForm.exec(inner);
    if (parts === null || inner === "") throw new JsonPathSyntaxError(`invalid array index ${inner}`);
    const [from, to, step] = parts
      .slice(1)
      .map((part) => (part === undefined || part === "" ? undefined : Number(part)));
    if (!inner.includes(":")) return index(from ?? 0);
    return slice({ from, to, step });
  }

  #filter(inner: string): Step {
    const compared = filterForm.exec(inner);
    if (compared === null) {
      const existing = existsForm.exec(inner);
      if (existing === null) throw new JsonPathSyntaxError(`unrecognized filter ${inner}`);
      return having(operand(existing[1] ?? ""));
    }
    const [, left = "", operator = "", right = ""] = compared;
    const comparison = Object.hasOwn(comparisons, operator) ? comparisons[operator] : undefined;
    if (comparison === undefined) throw new JsonPathSyntaxError(`unrecognized filter operator ${operator}`);
    return comparing(operand(left), comparison, operand(right));
  }

  #unexpected(what: string): JsonPathSyntaxError {
    return new JsonPathSyntaxError(`unrecognized character in action: ${what} at ${this.#at}`);
  }
}

/** One side of a comparison: text, a number, true, false, or a path from the item. */
function operand(text: string): Operand {
  const value = text.trim();
  const quote = value[0] ?? "";
  if (quotes.has(quote)) {
    if (value.length < 2 || !value.endsWith(quote)) throw new JsonPathSyntaxError("unterminated quoted string");
    const literal = [value.slice(1, -1)];
    return () => literal;
  }
  if (numberForm.test(value)) return () => [Number(value)];
  if (value === "true" || value === "false") return () => [value === "true"];
  const path = new Parser(value).steps();
  return (item) => walk(path, [item]);
}

function splitOutsideQuotes(text: string): string[] {
  const parts: string[] = [];
  let quote = "";
  let from = 0;
  for (const [at, letter] of [...text].entries()) {
    if (quote !== "") quote = letter === quote ? "" : quote;
    else if (quotes.has(letter)) quote = letter;
    else if (letter === ",") {
      parts.push(text.slice(from, at));
      from = at + 1;
    }
  }
  return [...parts, text.slice(from)];
}

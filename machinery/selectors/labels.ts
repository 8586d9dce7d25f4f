/**
 * Label selectors: `app=web,tier in (a,b),!old`, and metav1.LabelSelector.
 * Source: k8s.io/apimachinery/pkg/labels/selector.go
 */
import { labelValueErrors, qualifiedNameErrors } from "../names.ts";

/** How a requirement compares. */
export type Operator = "In" | "NotIn" | "Exists" | "DoesNotExist" | "Gt" | "Lt";

/** One comparison; all of a selector's must hold. */
export interface Requirement {
  readonly key: string;
  readonly operator: Operator;
  readonly values: readonly string[];
}

/** Requirements that must all hold; none selects everything. */
export type LabelSelector = readonly Requirement[];

/** A selector's text could not be read; the message says where. */
export class SelectorSyntaxError extends Error {
  override readonly name = "SelectorSyntaxError";
}

const maxRequirements = 5000;

/** Whether labels satisfy every requirement. */
export function matchesLabels(selector: LabelSelector, labels: Readonly<Record<string, string>> | undefined): boolean {
  for (const requirement of selector) {
    const has = labels !== undefined && Object.hasOwn(labels, requirement.key);
    if (!holds(requirement, has ? labels[requirement.key] : undefined)) return false;
  }
  return true;
}

function holds({ operator, values }: Requirement, value: string | undefined): boolean {
  switch (operator) {
    case "In":
      return value !== undefined && values.includes(value);
    case "NotIn":
      return value === undefined || !values.includes(value);
    case "Exists":
      return value !== undefined;
    case "DoesNotExist":
      return value === undefined;
    case "Gt":
    case "Lt":
      return compares(operator, value, values[0]);
  }
}

const integer = /^-?\d{1,19}$/;

function compares(operator: "Gt" | "Lt", value: string | undefined, bound: string | undefined): boolean {
  if (value === undefined || bound === undefined || !integer.test(value)) return false;
  return operator === "Gt" ? BigInt(value) > BigInt(bound) : BigInt(value) < BigInt(bound);
}

/** @throws {SelectorSyntaxError} */
export function parseLabelSelector(text: string): LabelSelector {
  return new Parser(text).parse();
}

type Token = { readonly kind: "word"; readonly text: string } | { readonly kind: "symbol"; readonly text: string };

const symbols = ["==", "!=", "=", "!", "(", ")", ",", "<", ">"] as const;
const symbolStart = /[=!(),<>]/;

function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < text.length) {
    const char = text[at] ?? "";
    if (/\s/.test(char)) {
      at++;
      continue;
    }
    const symbol = symbols.find((candidate) => text.startsWith(candidate, at));
    if (symbol !== undefined) {
      tokens.push({ kind: "symbol", text: symbol });
      at += symbol.length;
      continue;
    }
    let end = at;
    while (end < text.length && !/\s/.test(text[end] ?? "") && !symbolStart.test(text[end] ?? "")) end++;
    tokens.push({ kind: "word", text: text.slice(at, end) });
    at = end;
  }
  return tokens;
}

class Parser {
  readonly #tokens: Token[];
  #at = 0;

  constructor(text: string) {
    this.#tokens = tokenize(text);
  }

  parse(): LabelSelector {
    const requirements: Requirement[] = [];
    if (this.#tokens.length === 0) return requirements;
    for (;;) {
      // Commas before a requirement and after the last are tolerated one at a time, as upstream's parser does.
      requirements.push(this.#requirement());
      if (requirements.length > maxRequirements) {
        throw new SelectorSyntaxError(`a selector may have at most ${maxRequirements} requirements`);
      }
      const next = this.#next();
      if (next === undefined) return requirements.sort((a, b) => (a.key < b.key ? -1 : Number(a.key > b.key)));
      if (next.text !== ",") throw this.#unexpected(next, "',' or 'end of string'");
      const following = this.#peek();
      if (following?.kind !== "word" && following?.text !== "!") {
        throw this.#unexpected(following, "identifier after ','");
      }
    }
  }

  #requirement(): Requirement {
    const negated = this.#peek()?.text === "!";
    if (negated) this.#at++;
    const key = this.#key();
    const next = this.#peek();
    if (negated) return checked({ key, operator: "DoesNotExist", values: [] });
    if (next === undefined || next.text === ",") return checked({ key, operator: "Exists", values: [] });
    return checked(this.#comparison(key));
  }

  #key(): string {
    const token = this.#next();
    if (token?.kind !== "word") throw this.#unexpected(token, "!, identifier, or 'end of string'");
    const [error] = qualifiedNameErrors(token.text);
    if (error !== undefined)
      throw new SelectorSyntaxError(`key: Invalid value: ${JSON.stringify(token.text)}: ${error}`);
    return token.text;
  }

  #comparison(key: string): Requirement {
    const token = this.#next();
    switch (token?.text) {
      case "=":
      case "==":
        return { key, operator: "In", values: [this.#exact()] };
      case "!=":
        return { key, operator: "NotIn", values: [this.#exact()] };
      case ">":
        return { key, operator: "Gt", values: [this.#exact()] };
      case "<":
        return { key, operator: "Lt", values: [this.#exact()] };
      case "in":
        return { key, operator: "In", values: this.#set() };
      case "notin":
        return { key, operator: "NotIn", values: this.#set() };
      default:
        throw this.#unexpected(token, "in, notin, =, ==, !=, gt, lt");
    }
  }

  /** The value after `=`; nothing there is the empty value. */
  #exact(): string {
    const next = this.#peek();
    if (next === undefined || next.text === ",") return "";
    if (next.kind !== "word") throw this.#unexpected(next, "identifier");
    this.#at++;
    return next.text;
  }

  #set(): string[] {
    const open = this.#next();
    if (open?.text !== "(") throw this.#unexpected(open, "'('");
    const values = new Set<string>();
    let expectValue = true;
    for (;;) {
      const token = this.#next();
      if (token === undefined) throw this.#unexpected(token, "',', ')' or identifier");
      if (token.kind === "word") {
        if (!expectValue) throw this.#unexpected(token, "',' or ')'");
        values.add(token.text);
        expectValue = false;
      } else if (token.text === ",") {
        if (expectValue) values.add("");
        expectValue = true;
      } else if (token.text === ")") {
        if (expectValue) values.add("");
        return [...values].sort();
      } else throw this.#unexpected(token, "',', ')' or identifier");
    }
  }

  #peek(): Token | undefined {
    return this.#tokens[this.#at];
  }

  #next(): Token | undefined {
    return this.#tokens[this.#at++];
  }

  #unexpected(token: Token | undefined, expected: string): SelectorSyntaxError {
    return new SelectorSyntaxError(`found '${token?.text ?? ""}', expected: ${expected}`);
  }
}

function checked(requirement: Requirement): Requirement {
  if (requirement.operator === "Gt" || requirement.operator === "Lt") {
    if (!integer.test(requirement.values[0] ?? "")) {
      throw new SelectorSyntaxError(
        `values[0]: Invalid value: ${JSON.stringify(requirement.values[0])}: for 'Gt', 'Lt' operators, the value must be an integer`,
      );
    }
  }
  for (const value of requirement.values) {
    const [error] = labelValueErrors(value);
    if (error !== undefined) throw new SelectorSyntaxError(`values: Invalid value: ${JSON.stringify(value)}: ${error}`);
  }
  return requirement;
}

/** The shape of metav1.LabelSelector. */
export interface LabelSelectorObject {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly {
    readonly key: string;
    readonly operator: string;
    readonly values?: readonly string[] | null;
  }[];
}

/** A LabelSelector object as requirements. It has been validated; an absent one selects nothing. */
export function selectorOf(object: LabelSelectorObject | undefined | null): LabelSelector | undefined {
  if (object === undefined || object === null) return undefined;
  const equal = Object.entries(object.matchLabels ?? {}).map(
    ([key, value]): Requirement => ({ key, operator: "In", values: [value] }),
  );
  const expressions = (object.matchExpressions ?? []).map(
    ({ key, operator, values }): Requirement => ({ key, operator: operator as Operator, values: values ?? [] }),
  );
  return [...equal, ...expressions];
}

/** A selector in text, as `scale` and kubectl show it. */
export function formatLabelSelector(selector: LabelSelector): string {
  return [...selector]
    .sort((a, b) => (a.key < b.key ? -1 : Number(a.key > b.key)))
    .map(formatRequirement)
    .join(",");
}

function formatRequirement({ key, operator, values }: Requirement): string {
  switch (operator) {
    case "Exists":
      return key;
    case "DoesNotExist":
      return `!${key}`;
    case "Gt":
      return `${key}>${values[0]}`;
    case "Lt":
      return `${key}<${values[0]}`;
    case "In":
      return values.length === 1 ? `${key}=${values[0]}` : `${key} in (${[...values].sort().join(",")})`;
    case "NotIn":
      return values.length === 1 ? `${key}!=${values[0]}` : `${key} notin (${[...values].sort().join(",")})`;
  }
}

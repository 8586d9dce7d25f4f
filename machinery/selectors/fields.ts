/**
 * Field selectors: `metadata.name=a,status.phase!=Running`.
 * Source: k8s.io/apimachinery/pkg/fields/selector.go
 */
import { SelectorSyntaxError } from "./labels.ts";

/** One comparison of a field's text. */
export interface FieldTerm {
  readonly field: string;
  readonly equal: boolean;
  readonly value: string;
}

/** Terms that must all hold. */
export type FieldSelector = readonly FieldTerm[];

const maxTerms = 5000;

/** @throws {SelectorSyntaxError} */
export function parseFieldSelector(text: string): FieldSelector {
  const terms = splitTerms(text).filter((term) => term !== "");
  if (terms.length > maxTerms) throw new SelectorSyntaxError(`a selector may have at most ${maxTerms} terms`);
  return terms.map(parseTerm);
}

/** At commas that no backslash precedes. */
function splitTerms(text: string): string[] {
  const terms: string[] = [];
  let start = 0;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === "\\") i++;
    else if (text[i] === ",") {
      terms.push(text.slice(start, i));
      start = i + 1;
    }
  }
  terms.push(text.slice(start));
  return terms;
}

function parseTerm(term: string): FieldTerm {
  for (let i = 0; i < term.length; i++) {
    if (term[i] === "\\") {
      i++;
      continue;
    }
    const operator = ["!=", "==", "="].find((candidate) => term.startsWith(candidate, i));
    if (operator === undefined) continue;
    return {
      field: term.slice(0, i),
      equal: operator !== "!=",
      value: unescape(term.slice(i + operator.length)),
    };
  }
  throw new SelectorSyntaxError(`invalid selector: '${term}'; can't understand '${term}'`);
}

function unescape(value: string): string {
  if (!/[\\,=]/.test(value)) return value;
  let out = "";
  for (let i = 0; i < value.length; i++) {
    const char = value[i] ?? "";
    if (char === "\\") {
      const next = value[++i];
      if (next === undefined || !"\\,=".includes(next)) {
        throw new SelectorSyntaxError(`invalid field selector: invalid escape sequence in ${JSON.stringify(value)}`);
      }
      out += next;
    } else if (char === "," || char === "=") {
      throw new SelectorSyntaxError(
        `invalid field selector: unescaped ${JSON.stringify(char)} in ${JSON.stringify(value)}`,
      );
    } else out += char;
  }
  return out;
}

/** Whether the fields, read by `valueOf`, satisfy every term. */
export function matchesFields(selector: FieldSelector, valueOf: (field: string) => string): boolean {
  return selector.every(({ field, equal, value }) => (valueOf(field) === value) === equal);
}

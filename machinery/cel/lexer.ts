/**
 * Tokens of an expression.
 * Source: cel-spec doc/langdef.md "Syntax"; error words as cel-go's generated lexer has them
 */
import type { Issues } from "./source.ts";

/** What a token is; punctuation and words of the grammar are their own kind. */
export type TokenKind = "ident" | "quoted" | "int" | "uint" | "float" | "string" | "bytes" | "punct" | "end";

export interface Token {
  readonly kind: TokenKind;
  readonly text: string;
  readonly offset: number;
}

const blank = /[ \t\r\n\f]+|\/\/[^\n]*/y;
const word = /[A-Za-z_][A-Za-z0-9_]*/y;
const quotedName = /`[A-Za-z0-9_.\-/ ]+`/y;
const number =
  /0x[0-9a-fA-F]+[uU]?|[0-9]+\.[0-9]+(?:[eE][+-]?[0-9]+)?|[0-9]+[eE][+-]?[0-9]+|\.[0-9]+(?:[eE][+-]?[0-9]+)?|[0-9]+[uU]?/y;
const punctuation = /&&|\|\||==|!=|<=|>=|[-+*/%<>!?:.,()[\]{}]/y;

const escape = String.raw`\\[abfnrtv"'\x60\\?]|\\[xX][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\U[0-9a-fA-F]{8}|\\[0-3][0-7]{2}`;
const body = (quote: string) => `(?:${escape}|[^\\\\${quote}\\n\\r])*`;
const longBody = `(?:${escape}|[^\\\\])*?`;
const string = new RegExp(
  [
    `[bB]?(?:"""${longBody}"""|'''${longBody}'''|"${body('"')}"|'${body("'")}')`,
    `[bB]?[rR](?:"""[^]*?"""|'''[^]*?'''|"[^"\\n\\r]*"|'[^'\\n\\r]*')`,
  ].join("|"),
  "y",
);

const reservedWords: ReadonlySet<string> = new Set(["in", "true", "false", "null"]);

const partialEscape = String.raw`\\(?:[xX][0-9a-fA-F]?|u[0-9a-fA-F]{0,3}|U[0-9a-fA-F]{0,7}|[0-3][0-7]?)?`;
/** A string as far as it goes, with the character that broke it. */
const brokenString = new RegExp(
  ['"', "'"]
    .map((quote) => `^[bB]?[rR]?${quote}(?:${escape}|[^\\\\${quote}\\n\\r])*(?:${partialEscape})?[^]?`)
    .join("|"),
  "u",
);
const brokenOther = /^(?:[=&|][^=&|]?|[^])/u;

/** Reads tokens one by one. */
class Lexer {
  readonly #text: string;
  readonly #issues: Issues;
  readonly #patterns: ReadonlyMap<TokenKind | "blank", RegExp>;
  #at = 0;

  constructor(text: string, issues: Issues) {
    this.#text = text;
    this.#issues = issues;
    this.#patterns = new Map<TokenKind | "blank", RegExp>([
      ["blank", new RegExp(blank)],
      ["string", new RegExp(string)],
      ["ident", new RegExp(word)],
      ["quoted", new RegExp(quotedName)],
      ["float", new RegExp(number)],
      ["punct", new RegExp(punctuation)],
    ]);
  }

  next(): Token {
    while (this.#at < this.#text.length) {
      const token = this.#read();
      if (token !== undefined) return token;
    }
    return { kind: "end", text: "<EOF>", offset: this.#text.length };
  }

  #read(): Token | undefined {
    const offset = this.#at;
    for (const [kind, pattern] of this.#patterns) {
      pattern.lastIndex = offset;
      const text = pattern.exec(this.#text)?.[0];
      if (text === undefined) continue;
      this.#at += text.length;
      return kind === "blank" ? undefined : { kind: refine(kind, text), text, offset };
    }
    this.#skipUnknown();
    return undefined;
  }

  /** Reports what cannot start a token. A broken string is reported up to where it broke. */
  #skipUnknown(): void {
    const offset = this.#at;
    const broken =
      brokenString.exec(this.#text.slice(offset))?.[0] ?? brokenOther.exec(this.#text.slice(offset))?.[0] ?? "";
    this.#at += Math.max(broken.length, 1);
    this.#issues.add(offset, `Syntax error: token recognition error at: '${broken}'`);
  }
}

function refine(kind: TokenKind, text: string): TokenKind {
  if (kind === "ident") return reservedWords.has(text) ? "punct" : "ident";
  if (kind === "string") return /^[bB]/.test(text) ? "bytes" : "string";
  if (kind !== "float") return kind;
  if (/[uU]$/.test(text)) return "uint";
  return /^(0x[0-9a-fA-F]+|[0-9]+)$/.test(text) ? "int" : "float";
}

/** All tokens of an expression, an `end` token last. Characters that start none are noted and skipped. */
export function tokenize(text: string, issues: Issues): readonly Token[] {
  const lexer = new Lexer(text, issues);
  const tokens: Token[] = [];
  for (;;) {
    const token = lexer.next();
    tokens.push(token);
    if (token.kind === "end") return tokens;
  }
}

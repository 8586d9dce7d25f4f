/**
 * Turns text into an expression, macros expanded. Recursive descent over CEL's grammar.
 * Source: cel-spec doc/langdef.md "Syntax"; cel-go parser (limits, words of errors, where errors point)
 */
import {
  callOf,
  type Expr,
  identOf,
  type ListElement,
  literalOf,
  type LiteralValue,
  type MapEntry,
  operators,
  partsOf,
  type StructField,
} from "./ast.ts";
import { isReserved } from "./escape.ts";
import { type Token, tokenize } from "./lexer.ts";
import { type Macro, type MacroCall, MacroError } from "./library.ts";
import { parseBytesLiteral, parseIntLiteral, parseStringLiteral, parseUintLiteral } from "./literals.ts";
import { countCodePoints, type Issues } from "./source.ts";

const deepestNesting = 250;
const longestExpression = 100_000;
// Chains like a+b+c+… nest in the tree without nesting in the text; the limit keeps later walks off the stack's end.
const deepestTree = 1_000;

const startsOfExpression =
  "{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}";
const startsOfArguments = startsOfExpression.replace("'(', ", "'(', ')', ");

const opening: ReadonlySet<string> = new Set(["[", "{", "(", ".", "-", "!", "true", "false", "null"]);
const relations: ReadonlySet<string> = new Set(["<", "<=", ">", ">=", "==", "!=", "in"]);

/** Thrown to leave the parser once the text makes no sense; the issue is already noted. */
class SyntaxFault extends Error {}

type OperatorText = keyof typeof operators;

class Parser {
  readonly #tokens: readonly Token[];
  readonly #issues: Issues;
  readonly #macros: ReadonlyMap<string, Macro>;
  #at = 0;
  #nesting = 0;

  constructor(issues: Issues, macros: ReadonlyMap<string, Macro>) {
    this.#tokens = tokenize(issues.text, issues);
    this.#issues = issues;
    this.#macros = macros;
  }

  parse(): Expr {
    const expr = this.#expression();
    const rest = this.#token;
    if (rest.kind !== "end") {
      const known = this.#peek(1).kind === "end" ? "extraneous" : "mismatched";
      this.#fail(rest, `${known} input '${rest.text}' expecting <EOF>`);
    }
    return expr;
  }

  // ---- tokens

  get #token(): Token {
    return this.#peek(0);
  }

  #peek(ahead: number): Token {
    const last = this.#tokens.length - 1;
    return this.#tokens[Math.min(this.#at + ahead, last)] as Token;
  }

  #is(text: string): boolean {
    const token = this.#token;
    return token.kind === "punct" && token.text === text;
  }

  #take(): Token {
    const token = this.#token;
    this.#at++;
    return token;
  }

  #accept(text: string): Token | undefined {
    return this.#is(text) ? this.#take() : undefined;
  }

  #expect(text: string): Token {
    if (this.#is(text)) return this.#take();
    const token = this.#token;
    const after = this.#peek(1);
    if (after.kind === "punct" && after.text === text) {
      this.#note(token, `extraneous input '${token.text}' expecting '${text}'`);
      this.#at++;
      return this.#take();
    }
    const closes = text === ")" || text === "]" || text === "}";
    return this.#fail(token, closes ? `missing '${text}' at '${token.text}'` : mismatch(token, `'${text}'`));
  }

  #note(token: Token, message: string): void {
    this.#issues.add(token.offset, `Syntax error: ${message}`);
  }

  #fail(token: Token, message: string): never {
    this.#note(token, message);
    throw new SyntaxFault();
  }

  // ---- grammar, from the loosest binding to the tightest

  #expression(): Expr {
    if (++this.#nesting > deepestNesting) {
      this.#issues.add(-1, `expression recursion limit exceeded: ${deepestNesting}`);
      throw new SyntaxFault();
    }
    const condition = this.#logical("||", () => this.#logical("&&", () => this.#relation()));
    const mark = this.#accept("?");
    if (mark === undefined) {
      this.#nesting--;
      return condition;
    }
    const yes = this.#logical("||", () => this.#logical("&&", () => this.#relation()));
    this.#expect(":");
    const no = this.#expression();
    this.#nesting--;
    return callOf(mark.offset, "_?_:_", condition, yes, no);
  }

  #logical(operator: "||" | "&&", operand: () => Expr): Expr {
    const first = operand();
    const mark = this.#token;
    if (!this.#is(operator)) return first;
    const terms = [first];
    while (this.#accept(operator) !== undefined) terms.push(operand());
    return callOf(mark.offset, operators[operator], ...terms);
  }

  #relation(): Expr {
    let left = this.#sum();
    while (this.#token.kind === "punct" && relations.has(this.#token.text)) {
      left = this.#binary(left, () => this.#sum());
    }
    return left;
  }

  #sum(): Expr {
    let left = this.#product();
    while (this.#is("+") || this.#is("-")) left = this.#binary(left, () => this.#product());
    return left;
  }

  #product(): Expr {
    let left = this.#unary();
    while (this.#is("*") || this.#is("/") || this.#is("%")) left = this.#binary(left, () => this.#unary());
    return left;
  }

  #binary(left: Expr, operand: () => Expr): Expr {
    const mark = this.#take();
    return callOf(mark.offset, operators[mark.text as OperatorText], left, operand());
  }

  #unary(): Expr {
    const mark = this.#token;
    if (this.#is("!")) return this.#repeated(mark, "!", "!_");
    // A single minus before a number belongs to the number.
    const number = this.#peek(1).kind === "int" || this.#peek(1).kind === "float";
    if (this.#is("-") && !number) return this.#repeated(mark, "-", "-_");
    return this.#member();
  }

  #repeated(mark: Token, text: string, name: string): Expr {
    let count = 0;
    while (this.#accept(text) !== undefined) count++;
    const operand = this.#member();
    return count % 2 === 0 ? operand : callOf(mark.offset, name, operand);
  }

  #member(): Expr {
    let expr = this.#primary();
    for (;;) {
      if (this.#is(".")) expr = this.#selection(expr);
      else if (this.#is("[")) expr = this.#index(expr);
      else return expr;
    }
  }

  #selection(operand: Expr): Expr {
    const dot = this.#take();
    const optional = this.#accept("?") !== undefined;
    const field = this.#fieldName(dot);
    if (optional) {
      return callOf(dot.offset, "_?._", operand, literalOf(this.#peek(-1).offset, field.name));
    }
    const open = field.quoted ? undefined : this.#accept("(");
    if (open === undefined) {
      return { kind: "select", offset: dot.offset, operand, field: field.name, testOnly: false };
    }
    return this.#call(field.name, { offset: open.offset, target: operand, args: this.#arguments() });
  }

  #fieldName(dot: Token): { name: string; quoted: boolean } {
    const token = this.#token;
    if (token.kind === "ident") return { name: this.#take().text, quoted: false };
    if (token.kind === "quoted") return { name: this.#take().text.slice(1, -1), quoted: true };
    if (token.kind === "end") return this.#fail(dot, `no viable alternative at input '${dot.text}'`);
    if (["true", "false", "null"].includes(token.text)) return this.#fail(token, mismatch(token, "IDENTIFIER"));
    return this.#fail(token, `no viable alternative at input '${dot.text}${token.text}'`);
  }

  #index(operand: Expr): Expr {
    const open = this.#take();
    const optional = this.#accept("?") !== undefined;
    const index = this.#expression();
    this.#expect("]");
    return callOf(open.offset, optional ? "_[?_]" : "_[_]", operand, index);
  }

  #arguments(): Expr[] {
    const args: Expr[] = [];
    if (this.#accept(")") !== undefined) return args;
    if (!this.#startsExpression(this.#token)) this.#recover(startsOfArguments);
    do args.push(this.#expression());
    while (this.#accept(",") !== undefined);
    this.#expect(")");
    return args;
  }

  #startsExpression(token: Token): boolean {
    if (token.kind === "punct") return opening.has(token.text);
    return token.kind !== "end" && token.kind !== "quoted";
  }

  /** One token too many is noted and skipped; otherwise there is no way on. */
  #recover(expecting: string): void {
    const token = this.#token;
    if (token.kind === "end" || !this.#startsExpression(this.#peek(1))) this.#fail(token, mismatch(token, expecting));
    this.#note(token, `extraneous input '${token.text}' expecting ${expecting}`);
    this.#at++;
  }

  // ---- primary expressions

  #primary(): Expr {
    if (!this.#startsExpression(this.#token)) this.#recover(startsOfExpression);
    const token = this.#token;
    switch (token.text) {
      case "(":
        return this.#parenthesised();
      case "[":
        return this.#list();
      case "{":
        return this.#map();
      case ".":
        return this.#named();
      default:
        return token.kind === "ident" ? this.#named() : this.#literal();
    }
  }

  #parenthesised(): Expr {
    this.#take();
    const inner = this.#expression();
    this.#expect(")");
    return inner;
  }

  #list(): Expr {
    const open = this.#take();
    const elements: ListElement[] = [];
    while (!this.#is("]")) {
      const optional = this.#accept("?") !== undefined;
      elements.push({ value: this.#expression(), optional });
      if (this.#accept(",") === undefined) break;
      if (this.#token.kind === "end") break;
    }
    this.#expect("]");
    return { kind: "list", offset: open.offset, elements };
  }

  #map(): Expr {
    const open = this.#take();
    const entries: MapEntry[] = [];
    while (!this.#is("}")) {
      const optional = this.#accept("?") !== undefined;
      const key = this.#expression();
      const colon = this.#expect(":");
      entries.push({ offset: colon.offset, key, value: this.#expression(), optional });
      if (this.#accept(",") === undefined) break;
    }
    this.#expect("}");
    return { kind: "map", offset: open.offset, entries };
  }

  /** An identifier, a call, or a struct `a.b.C{…}`; a leading dot asks for the name from the root. */
  #named(): Expr {
    const leading = this.#accept(".");
    const token = this.#token;
    if (token.kind !== "ident") {
      const before = leading ?? token;
      this.#fail(token, `no viable alternative at input '${before.text}${token.text}'`);
    }
    const length = this.#structNameLength();
    if (length > 0) return this.#struct(length, leading !== undefined);
    this.#take();
    const name = leading === undefined ? token.text : `.${token.text}`;
    if (isReserved(token.text)) this.#issues.add(token.offset, `reserved identifier: ${token.text}`);
    const open = this.#accept("(");
    if (open === undefined) return identOf(token.offset, name);
    return this.#call(name, { offset: open.offset, target: undefined, args: this.#arguments() });
  }

  /** Tokens of the name of a struct literal that starts here; 0 when none does. */
  #structNameLength(): number {
    let length = 1;
    while (this.#peek(length).text === "." && this.#peek(length + 1).kind === "ident") length += 2;
    const next = this.#peek(length);
    return next.kind === "punct" && next.text === "{" ? length : 0;
  }

  #struct(length: number, rooted: boolean): Expr {
    let type = rooted ? "." : "";
    for (let i = 0; i < length; i++) type += this.#take().text;
    const open = this.#take();
    const fields: StructField[] = [];
    while (!this.#is("}")) {
      const optional = this.#accept("?") !== undefined;
      const name = this.#fieldName(open).name;
      const colon = this.#expect(":");
      fields.push({ offset: colon.offset, name, value: this.#expression(), optional });
      if (this.#accept(",") === undefined) break;
    }
    this.#expect("}");
    return { kind: "struct", offset: open.offset, type, fields };
  }

  #literal(): Expr {
    const minus = this.#accept("-");
    const token = this.#take();
    const offset = minus?.offset ?? token.offset;
    const value = literalValue(token, minus !== undefined);
    if (value === undefined) {
      this.#issues.add(offset, literalFault(token));
    }
    return literalOf(offset, value ?? null);
  }

  // ---- macros

  #call(name: string, call: MacroCall): Expr {
    const macro = this.#macros.get(macroKey({ name, receiver: call.target !== undefined, arity: call.args.length }));
    const expanded = macro?.expand(call);
    if (expanded instanceof MacroError) this.#issues.add(expanded.at.offset, expanded.message);
    else if (expanded !== undefined) return expanded;
    return { kind: "call", name, ...call };
  }
}

const mismatch = (token: Token, expecting: string): string => `mismatched input '${token.text}' expecting ${expecting}`;

function literalValue(token: Token, negative: boolean): LiteralValue | undefined {
  switch (token.kind) {
    case "int":
      return parseIntLiteral(token.text, negative);
    case "uint":
      return parseUintLiteral(token.text);
    case "float":
      return finite(negative ? -Number(token.text) : Number(token.text));
    case "string":
      return parseStringLiteral(token.text);
    case "bytes":
      return parseBytesLiteral(token.text);
    default:
      return token.text === "null" ? null : token.text === "true";
  }
}

function literalFault(token: Token): string {
  if (token.kind === "string") return "invalid unicode code point";
  return `invalid ${token.kind === "float" ? "double" : token.kind} literal`;
}

const finite = (value: number): number | undefined => (Number.isFinite(value) ? value : undefined);

/** What a macro is found by. */
export const macroKey = (macro: Pick<Macro, "name" | "receiver" | "arity">): string =>
  `${macro.receiver ? "receiver" : "global"} ${macro.name}/${macro.arity}`;

/** Whether a tree is deeper than later, recursive walks can stand. Walks level by level, so depth costs no stack. */
function isTooDeep(root: Expr): boolean {
  let level: ReadonlySet<Expr> = new Set([root]);
  for (let depth = 0; level.size > 0; depth++) {
    if (depth > deepestTree) return true;
    level = new Set([...level].flatMap(partsOf));
  }
  return false;
}

/** Parses the text of `issues`; undefined, with issues noted, when it is no expression. */
export function parse(issues: Issues, macros: ReadonlyMap<string, Macro>): Expr | undefined {
  if (issues.text.length > longestExpression) {
    const size = countCodePoints(issues.text);
    if (size > longestExpression) {
      issues.add(-1, `expression code point size exceeds limit: size: ${size}, limit ${longestExpression}`);
      return undefined;
    }
  }
  try {
    const expr = new Parser(issues, macros).parse();
    if (isTooDeep(expr)) issues.add(-1, `expression recursion limit exceeded: ${deepestTree}`);
    return issues.count === 0 ? expr : undefined;
  } catch (fault) {
    if (fault instanceof SyntaxFault) return undefined;
    throw fault;
  }
}

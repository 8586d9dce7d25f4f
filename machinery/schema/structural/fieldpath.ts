/**
 * Paths into an object by fields and map keys, checked against its schema: `.spec.replicas`, `.labels['a.b']`.
 * Source: k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel/validation.go (ValidFieldPath)
 */
import { Path } from "../../field.ts";
import type { RawSchema } from "./raw.ts";

/** A path that leads somewhere. */
export interface FieldPath {
  readonly names: readonly string[];
  /** As Kubernetes spells it in errors. */
  readonly path: Path;
  /** The schema at its end; undefined below additional properties without a schema. */
  readonly schema: RawSchema | undefined;
}

/** Delimiters, quoted strings, and what stands between. */
const token = /'(?:\\[^]|[^'\\])*'|[.[\]]|[^.[\]']?[^.[\]]*/y;

function tokensOf(text: string): string[] {
  const pattern = new RegExp(token);
  const tokens: string[] = [];
  while (pattern.lastIndex < text.length) {
    const [found = ""] = pattern.exec(text) ?? [];
    if (found === "") return [...tokens, text.slice(pattern.lastIndex)];
    tokens.push(found);
  }
  return tokens;
}

const escapes: Readonly<Record<string, string>> = {
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  "'": "'",
  "\\": "\\",
};

function unquote(text: string): string | { readonly error: string } {
  let wrong = "";
  const plain = text.replace(/\\(.)/g, (all, letter: string) => {
    const meant = escapes[letter];
    if (meant === undefined) wrong ||= all;
    return meant ?? "";
  });
  return wrong === "" ? plain : { error: `invalid string literal: invalid escape char ${wrong}` };
}

const nowhere = "does not refer to a valid field";

/** Follows a path step by step. */
class Follower {
  #path = Path.root;
  readonly #names: string[] = [];
  #schema: RawSchema | undefined;

  constructor(schema: RawSchema) {
    this.#schema = schema;
  }

  get end(): FieldPath {
    return { names: this.#names, path: this.#path, schema: this.#schema };
  }

  /** What is wrong with the step, if anything. */
  step(name: string): string | undefined {
    const { properties, additionalProperties } = this.#schema ?? {};
    if (properties !== undefined && Object.keys(properties).length > 0) {
      this.#path = this.#path.child(name);
      if (!Object.hasOwn(properties, name)) return nowhere;
      this.#schema = properties[name];
    } else if (additionalProperties !== undefined) {
      this.#path = this.#path.key(name);
      this.#schema = typeof additionalProperties === "object" ? additionalProperties : undefined;
    } else return nowhere;
    this.#names.push(name);
    return undefined;
  }
}

/**
 * @param options brackets: whether `['name']` is allowed
 * @returns where the path leads, or what is wrong with it
 */
export function fieldPath(
  text: string,
  schema: RawSchema,
  options: { readonly brackets: boolean } = { brackets: true },
): FieldPath | { readonly error: string } {
  const follower = new Follower(schema);
  const tokens = tokensOf(text);
  for (let i = 0; i < tokens.length; ) {
    const read = tokens[i] === "[" ? readBracket(tokens, i, options.brackets) : readDot(tokens, i);
    if ("error" in read) return read;
    const error = follower.step(read.name);
    if (error !== undefined) return { error };
    i = read.next;
    if (!read.bracket) continue;
    if (tokens[i] === undefined) return { error: "unexpected end of JSON path" };
    if (tokens[i] !== "]") return { error: `expected ] but got ${tokens[i]}` };
    i++;
  }
  return follower.end;
}

type Read = { readonly name: string; readonly next: number; readonly bracket: boolean } | { readonly error: string };

function readDot(tokens: readonly string[], i: number): Read {
  if (tokens[i] !== ".") return { error: `expected [ or . but got: ${tokens[i]}` };
  const name = tokens[i + 1];
  return name === undefined ? { error: "unexpected end of JSON path" } : { name, next: i + 2, bracket: false };
}

function readBracket(tokens: readonly string[], i: number, allowed: boolean): Read {
  if (!allowed) return { error: "array notation is not allowed" };
  const quoted = tokens[i + 1];
  if (quoted === undefined) return { error: "unexpected end of JSON path" };
  if (quoted.length < 2 || !quoted.startsWith("'") || !quoted.endsWith("'")) {
    return { error: `expected single quoted string but got ${quoted}` };
  }
  const name = unquote(quoted.slice(1, -1));
  return typeof name === "string" ? { name, next: i + 2, bracket: true } : name;
}

/**
 * Values of literal tokens.
 * Source: cel-spec doc/langdef.md "String and Bytes Values", "Numeric Values"
 */
import { Uint } from "./values.ts";

const maxInt = 2n ** 63n - 1n;
const minInt = -(2n ** 63n);
const maxUint = 2n ** 64n - 1n;

/** An int literal with its sign; undefined when it does not fit 64 bits. */
export function parseIntLiteral(text: string, negative: boolean): bigint | undefined {
  const value = negative ? -BigInt(text) : BigInt(text);
  return value >= minInt && value <= maxInt ? value : undefined;
}

/** A uint literal with its suffix; undefined when it does not fit 64 bits. */
export function parseUintLiteral(text: string): Uint | undefined {
  const value = BigInt(text.slice(0, -1));
  return value <= maxUint ? new Uint(value) : undefined;
}

const simpleEscapes: Readonly<Record<string, string>> = {
  a: "\u0007",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
};

/** Splits a literal into its prefix letters and what stands between its quotes. */
function unquote(text: string): { raw: boolean; body: string } {
  const opening = /^[bBrR]*/.exec(text)?.[0] ?? "";
  const quoted = text.slice(opening.length).replace(/\r\n?/g, "\n");
  const quotes = quoted.startsWith('"""') || quoted.startsWith("'''") ? 3 : 1;
  return { raw: /[rR]/.test(opening), body: quoted.slice(quotes, quoted.length - quotes) };
}

const escapes = /\\(?:[xX]([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-3][0-7]{2})|([^]))/g;

function codeOf(groups: readonly (string | undefined)[]): number | undefined {
  const [hex, short, long, octal] = groups;
  const digits = hex ?? short ?? long;
  if (digits !== undefined) return Number.parseInt(digits, 16);
  return octal === undefined ? undefined : Number.parseInt(octal, 8);
}

/** A string literal; undefined when an escape names no character. */
export function parseStringLiteral(text: string): string | undefined {
  const { raw, body } = unquote(text);
  if (raw || !body.includes("\\")) return body;
  let valid = true;
  const value = body.replace(escapes, (_all, ...groups: (string | undefined)[]) => {
    const code = codeOf(groups);
    if (code === undefined) return simpleEscapes[groups[4] ?? ""] ?? groups[4] ?? "";
    if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) valid = false;
    return valid ? String.fromCodePoint(code) : "";
  });
  return valid ? value : undefined;
}

/** A bytes literal; undefined when it has an escape of a character, which bytes do not allow. */
export function parseBytesLiteral(text: string): Uint8Array | undefined {
  const { raw, body } = unquote(text);
  const encoder = new TextEncoder();
  if (raw || !body.includes("\\")) return encoder.encode(body);
  const parts: number[] = [];
  let from = 0;
  for (const found of body.matchAll(escapes)) {
    parts.push(...encoder.encode(body.slice(from, found.index)));
    from = found.index + found[0].length;
    if (found[2] !== undefined || found[3] !== undefined) return undefined;
    const code = codeOf(found.slice(1));
    const char = found[5] ?? "";
    parts.push(...(code === undefined ? encoder.encode(simpleEscapes[char] ?? char) : [code]));
  }
  parts.push(...encoder.encode(body.slice(from)));
  return Uint8Array.from(parts);
}

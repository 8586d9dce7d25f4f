/**
 * A JSON parser for texts that the native one would get wrong: integers beyond 2^53, halves of surrogate pairs, and
 * keys spelled with escapes. (V8 13.6 reads `{"p":0,"\"":1}` as `{"p":0,"\\":1}` once it has met an object of the keys
 * `p` and `\`: it compares the escaped spelling with the key it expects.) Several times slower than the native one.
 */
import { endOfString } from "./scan.ts";

/** Text that is no JSON. The message holds none of it: it may be a Secret. */
export class JsonError extends Error {
  override readonly name = "JsonError";
}

const number = /-?(?:0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?/y;
/** A character below the space. */
const control = /[\u0000-\u001f]/;
/** Characters that steer, by their codes. */
const sign = {
  quote: 0x22,
  comma: 0x2c,
  colon: 0x3a,
  bracket: 0x5b,
  bracketEnd: 0x5d,
  f: 0x66,
  n: 0x6e,
  t: 0x74,
  brace: 0x7b,
  braceEnd: 0x7d,
} as const;
const minInt64 = -(2n ** 63n);
const maxInt64 = 2n ** 63n - 1n;

/** Not assigned: __proto__ is a key like others. It takes thirty times as long, so others are. */
function define(object: Record<string, unknown>, key: string, value: unknown): void {
  Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
}

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  whole(): unknown {
    const value = this.#value();
    if (!Number.isNaN(this.#next())) this.#fail();
    return value;
  }

  /** Skips white space; the code of the character that follows, NaN at the end. */
  #next(): number {
    const text = this.#text;
    let code = text.charCodeAt(this.#at);
    while (code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09) code = text.charCodeAt(++this.#at);
    return code;
  }

  #fail(): never {
    throw new JsonError(`Unexpected ${this.#at < this.#text.length ? "character" : "end"} at position ${this.#at}`);
  }

  #value(): unknown {
    switch (this.#next()) {
      case sign.brace:
        return this.#object();
      case sign.bracket:
        return this.#list();
      case sign.quote:
        return this.#string();
      case sign.t:
        return this.#word("true", true);
      case sign.f:
        return this.#word("false", false);
      case sign.n:
        return this.#word("null", null);
      default:
        return this.#number();
    }
  }

  #word(word: string, value: unknown): unknown {
    if (!this.#text.startsWith(word, this.#at)) this.#fail();
    this.#at += word.length;
    return value;
  }

  #number(): number | bigint {
    number.lastIndex = this.#at;
    const match = number.exec(this.#text);
    if (match === null) this.#fail();
    this.#at = number.lastIndex;
    const value = Number(match[0]);
    if (Number.isSafeInteger(value)) return value;
    if (!Number.isFinite(value)) throw new JsonError("a number is out of range");
    if (match[1] !== undefined || match[2] !== undefined) return value;
    const exact = BigInt(match[0]);
    return exact >= minInt64 && exact <= maxInt64 ? exact : value;
  }

  #string(): string {
    const end = endOfString(this.#text, this.#at);
    const raw = this.#text.slice(this.#at, end + 1);
    if (end === this.#text.length || control.test(raw)) this.#fail();
    const text = raw.includes("\\") ? this.#unescape(raw) : raw.slice(1, -1);
    this.#at = end + 1;
    return text.toWellFormed();
  }

  /** A lone string: there is no key to take it for. */
  #unescape(raw: string): string {
    try {
      return JSON.parse(raw) as string;
    } catch {
      return this.#fail();
    }
  }

  #list(): unknown[] {
    const list: unknown[] = [];
    this.#at++;
    if (this.#next() === sign.bracketEnd) this.#at++;
    else {
      do list.push(this.#value());
      while (this.#more(sign.bracketEnd));
    }
    return list;
  }

  #object(): Record<string, unknown> {
    const object: Record<string, unknown> = {};
    this.#at++;
    if (this.#next() === sign.braceEnd) {
      this.#at++;
      return object;
    }
    do {
      if (this.#next() !== sign.quote) this.#fail();
      const key = this.#string();
      if (this.#next() !== sign.colon) this.#fail();
      this.#at++;
      const value = this.#value();
      if (key === "__proto__") define(object, key, value);
      else object[key] = value;
    } while (this.#more(sign.braceEnd));
    return object;
  }

  /** Passes a comma, or the end: then there is no more. */
  #more(end: number): boolean {
    const found = this.#next();
    if (found !== sign.comma && found !== end) this.#fail();
    this.#at++;
    return found === sign.comma;
  }
}

/**
 * Parses JSON, exactly. Recursive: the caller bounds the depth.
 * @returns integers beyond 2^53 that fit 64 bits as BigInt
 * @throws {JsonError} it is no JSON, or a number is too large for a double
 */
export function parseExactly(text: string): unknown {
  return new Reader(text).whole();
}

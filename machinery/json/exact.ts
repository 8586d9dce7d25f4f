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
const space = /[ \t\n\r]*/y;
/** A character below the space. */
const control = /[^ -\u{10ffff}]/u;
const minInt64 = -(2n ** 63n);
const maxInt64 = 2n ** 63n - 1n;

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  whole(): unknown {
    const value = this.#value();
    if (this.#next() !== "") this.#fail();
    return value;
  }

  /** Skips white space; the character that follows, "" at the end. */
  #next(): string {
    space.lastIndex = this.#at;
    space.test(this.#text);
    this.#at = space.lastIndex;
    return this.#text.charAt(this.#at);
  }

  #fail(): never {
    throw new JsonError(`Unexpected ${this.#at < this.#text.length ? "character" : "end"} at position ${this.#at}`);
  }

  #value(): unknown {
    const first = this.#next();
    if (first === "{") return this.#object();
    if (first === "[") return this.#list();
    if (first === '"') return this.#string();
    if (first === "t") return this.#word("true", true);
    if (first === "f") return this.#word("false", false);
    if (first === "n") return this.#word("null", null);
    return this.#number();
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
    if (this.#next() === "]") this.#at++;
    else {
      do list.push(this.#value());
      while (this.#more("]"));
    }
    return list;
  }

  #object(): Record<string, unknown> {
    const object: Record<string, unknown> = {};
    this.#at++;
    if (this.#next() === "}") {
      this.#at++;
      return object;
    }
    do {
      if (this.#next() !== '"') this.#fail();
      const key = this.#string();
      if (this.#next() !== ":") this.#fail();
      this.#at++;
      // Not assigned: __proto__ is a key like others.
      Object.defineProperty(object, key, {
        value: this.#value(),
        writable: true,
        enumerable: true,
        configurable: true,
      });
    } while (this.#more("}"));
    return object;
  }

  /** Passes a comma, or the end: then there is no more. */
  #more(end: string): boolean {
    const found = this.#next();
    if (found !== "," && found !== end) this.#fail();
    this.#at++;
    return found === ",";
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

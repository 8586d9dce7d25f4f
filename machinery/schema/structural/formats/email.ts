/**
 * Addresses of mail: `a@b`, `Name <a@b>`, `group: a@b;`.
 * Source: RFC 5322 as Go's net/mail.ParseAddress reads it
 */
import { isIP } from "./address.ts";

const specials = new Set('()<>[]:;@\\,"');

function isVisible(char: string): boolean {
  return (char >= "!" && char <= "~") || char >= "\u0080";
}

function isAtomText(char: string): boolean {
  return isVisible(char) && !specials.has(char);
}

function isSpace(char: string): boolean {
  return char === " " || char === "\t";
}

/** Reads one address. Every reader says whether it could read, and moves on only then. */
class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** The whole text is one address, or a group of one. */
  single(): boolean {
    const count = this.#address(true);
    return count === 1 && this.#skipComments() && this.#ended;
  }

  get #ended(): boolean {
    return this.#at >= this.#text.length;
  }

  get #next(): string {
    return this.#text[this.#at] ?? "";
  }

  #take(char: string): boolean {
    if (this.#next !== char) return false;
    this.#at++;
    return true;
  }

  #skipSpace(): void {
    while (isSpace(this.#next)) this.#at++;
  }

  /** How many addresses were read; undefined when none could. */
  #address(groups: boolean): number | undefined {
    this.#skipSpace();
    if (this.#ended) return undefined;
    if (this.#plain()) {
      this.#skipSpace();
      return this.#next !== "(" || (this.#take("(") && this.#comment()) ? 1 : undefined;
    }
    if (this.#next !== "<" && !this.#phrase()) return undefined;
    this.#skipSpace();
    if (groups && this.#take(":")) return this.#group();
    return this.#take("<") && this.#plain() && this.#take(">") ? 1 : undefined;
  }

  #group(): number | undefined {
    this.#skipSpace();
    if (this.#take(";")) return this.#skipComments() ? 0 : undefined;
    for (let count = 1; ; count++) {
      this.#skipSpace();
      if (this.#address(false) === undefined || !this.#skipComments()) return undefined;
      if (this.#take(";")) return this.#skipComments() ? count : undefined;
      if (!this.#take(",")) return undefined;
    }
  }

  /** local@domain; stays where it was when there is none. */
  #plain(): boolean {
    const start = this.#at;
    if (this.#local() && this.#take("@") && this.#domain()) return true;
    this.#at = start;
    return false;
  }

  #local(): boolean {
    this.#skipSpace();
    if (this.#next === '"') return (this.#quoted() ?? 0) > 0;
    return this.#atom(false);
  }

  #domain(): boolean {
    this.#skipSpace();
    return this.#next === "[" ? this.#domainLiteral() : this.#atom(false);
  }

  #domainLiteral(): boolean {
    const start = ++this.#at;
    while (!this.#ended && this.#next !== "]") {
      if (!isVisible(this.#next) || this.#next === "[" || this.#next === "\\") return false;
      this.#at++;
    }
    return this.#take("]") && isIP(this.#text.slice(start, this.#at - 1), "strict");
  }

  /** Atoms with dots between. A loose one may have dots anywhere. */
  #atom(loose: boolean): boolean {
    const start = this.#at;
    while (!this.#ended && isAtomText(this.#next)) this.#at++;
    const atom = this.#text.slice(start, this.#at);
    if (atom === "") return false;
    return loose || !(atom.startsWith(".") || atom.endsWith(".") || atom.includes(".."));
  }

  /** A quoted string's length, without quotes and escapes; undefined when it is broken. */
  #quoted(): number | undefined {
    let length = 0;
    for (this.#at++; !this.#ended; this.#at++) {
      if (this.#take('"')) return length;
      if (this.#next === "\\") this.#at++;
      if (!isVisible(this.#next) && !isSpace(this.#next)) return undefined;
      length++;
    }
    return undefined;
  }

  /** Words before an address; what follows the first of them may be broken. */
  #phrase(): boolean {
    for (let words = 0; ; words++) {
      if (words > 0 && !this.#skipComments()) return false;
      this.#skipSpace();
      if (this.#ended || !this.#word()) return words > 0 || this.#ended;
    }
  }

  #word(): boolean {
    const start = this.#at;
    const read = this.#next === '"' ? this.#quoted() !== undefined : this.#atom(true) && !this.#strange(start);
    // A broken quoted string is not passed over; an atom of an unknown character set is.
    if (!read && this.#text[start] === '"') this.#at = start;
    return read;
  }

  /** An encoded word in a character set that is not known. Source: RFC 2047 */
  #strange(start: number): boolean {
    const encoded = /^=\?([^?]+)\?[bBqQ]\?[^?]*\?=$/.exec(this.#text.slice(start, this.#at));
    return encoded !== null && !/^(utf-8|iso-8859-1|us-ascii)$/i.test(encoded[1] ?? "");
  }

  #skipComments(): boolean {
    this.#skipSpace();
    while (this.#take("(")) {
      if (!this.#comment()) return false;
      this.#skipSpace();
    }
    return true;
  }

  /** The rest of a comment; comments nest. */
  #comment(): boolean {
    for (let depth = 1; !this.#ended; this.#at++) {
      if (this.#next === "\\" && this.#at + 1 < this.#text.length) this.#at++;
      else if (this.#next === "(") depth++;
      else if (this.#next === ")" && --depth === 0) {
        this.#at++;
        return true;
      }
    }
    return false;
  }
}

/** Whether the text is one address of mail. */
export function isEmail(text: string): boolean {
  return new Reader(text).single();
}

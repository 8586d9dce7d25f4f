/** One pass over JSON text, before it is parsed. */

/** What the pass saw. Nothing here means that the text is valid. */
export interface Scan {
  /** Colons outside strings: one a key. */
  readonly keys: number;
  readonly depth: number;
  /** Holds what the native parser may get wrong: see exact.ts. */
  readonly unusual: boolean;
}

const quote = 0x22;
const backslash = 0x5c;
const colon = 0x3a;
/** Shorter integers are exact in a double. */
const exactDigits = 15;

/** Position of the quote that ends the string which begins at `start`; the text's length when there is none. */
export function endOfString(text: string, start: number): number {
  for (let at = text.indexOf('"', start + 1); at >= 0; at = text.indexOf('"', at + 1)) {
    let slashes = 0;
    while (text.charCodeAt(at - 1 - slashes) === backslash) slashes++;
    if (slashes % 2 === 0) return at;
  }
  return text.length;
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

/** Position after the number that begins at `start`. */
function endOfNumber(text: string, start: number): number {
  let at = start;
  for (; ; at++) {
    const code = text.charCodeAt(at);
    // . + - e E
    if (!isDigit(code) && code !== 0x2e && code !== 0x2b && code !== 0x2d && (code | 0x20) !== 0x65) return at;
  }
}

/** Too long or with an exponent: it may not fit a double. */
function mayNotFit(text: string, start: number, end: number): boolean {
  return end - start > exactDigits || /[eE]/.test(text.slice(start, end));
}

/** Whether the string that ends at `end` is a key. */
function isKey(text: string, end: number): boolean {
  let at = end + 1;
  while (text.charCodeAt(at) <= 0x20) at++;
  return text.charCodeAt(at) === colon;
}

class Scanner implements Scan {
  readonly #text: string;
  /** Position of the next backslash; -1: none is left. */
  #slash: number;
  #open = 0;
  keys = 0;
  depth = 0;
  unusual: boolean;

  constructor(text: string) {
    this.#text = text;
    this.#slash = text.indexOf("\\");
    this.unusual = this.#slash >= 0 && /\\u[dD][89a-fA-F]/.test(text);
  }

  run(): this {
    const text = this.#text;
    for (let at = 0; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code === quote) at = this.#string(at);
      else if (code === colon) this.keys++;
      else if (isDigit(code)) at = this.#number(at);
      else this.#bracket(code);
    }
    return this;
  }

  #bracket(code: number): void {
    // { and [, } and ]: the square one is 0x20 below.
    if ((code | 0x20) === 0x7b) {
      if (++this.#open > this.depth) this.depth = this.#open;
    } else if ((code | 0x20) === 0x7d) this.#open--;
  }

  #string(start: number): number {
    const text = this.#text;
    if (this.#slash < 0) {
      const end = text.indexOf('"', start + 1);
      return end < 0 ? text.length : end;
    }
    const end = endOfString(text, start);
    if (this.#slash < start) this.#slash = text.indexOf("\\", start);
    if (this.#slash >= 0 && this.#slash < end && isKey(text, end)) this.unusual = true;
    return end;
  }

  #number(start: number): number {
    const end = endOfNumber(this.#text, start);
    this.unusual ||= mayNotFit(this.#text, start, end);
    return end - 1;
  }
}

/** Looks at every character outside strings once. */
export function scanJson(text: string): Scan {
  return new Scanner(text).run();
}

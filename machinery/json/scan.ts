/** One pass over JSON text, before it is parsed. */

/** What the pass saw. Nothing here means that the text is valid. */
export interface Scan {
  /** Colons outside strings: one a key. */
  readonly keys: number;
  readonly depth: number;
  /** A number that a double may not hold, or an escaped surrogate that may lack its other half. */
  readonly unusual: boolean;
}

const quote = 0x22;
const backslash = 0x5c;
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

/** Position after the number, and whether it is plain. */
function endOfNumber(text: string, start: number): { end: number; plain: boolean } {
  let at = start;
  let plain = true;
  for (; ; at++) {
    const code = text.charCodeAt(at);
    // e, E
    if (code === 0x65 || code === 0x45) plain = false;
    // . + -
    else if (!isDigit(code) && code !== 0x2e && code !== 0x2b && code !== 0x2d) break;
  }
  return { end: at, plain: plain && at - start <= exactDigits };
}

/** Looks at every character outside strings once. */
export function scanJson(text: string): Scan {
  let keys = 0;
  let depth = 0;
  let deepest = 0;
  let unusual = /\\u[dD][89a-fA-F]/.test(text);
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === quote) at = endOfString(text, at);
    else if (code === 0x3a) keys++;
    else if (code === 0x7b || code === 0x5b) {
      depth++;
      if (depth > deepest) deepest = depth;
    } else if (code === 0x7d || code === 0x5d) depth--;
    else if (isDigit(code)) {
      const number = endOfNumber(text, at);
      if (!number.plain) unusual = true;
      at = number.end - 1;
    }
  }
  return { keys, depth: deepest, unusual };
}

/**
 * Regular expressions that users write: RE2's syntax, and time linear in the text whatever the pattern. Never use
 * RegExp for those: one such as `(a+)+$` stops the whole process.
 * Source: Go regexp, whose words are used for what is wrong with a pattern
 */
import { RE2JS, RE2JSException } from "re2js";

/** A pattern that compiled. */
export interface Regex {
  /** Whether the pattern is found anywhere in the text. */
  test(text: string): boolean;
  /** The leftmost match; undefined when there is none. */
  find(text: string): string | undefined;
  /** Matches from left to right that do not overlap, at most `limit` of them. */
  findAll(text: string, limit: number): string[];
}

/** What is wrong with a pattern, in Go's words. */
export interface RegexFault {
  readonly error: string;
}

/** Bounds of a pattern. */
export interface RegexLimits {
  /** The most instructions the pattern may come to: `(a{1000}){1000}` is short, its program is not. */
  readonly maxProgram?: number;
}

/** Go's own limit is 1,000 repetitions; nothing it takes comes to more than this. */
const largestProgram = 100_000;

function wrap(compiled: RE2JS): Regex {
  return {
    test: (text) => compiled.test(text),
    find(text) {
      const matcher = compiled.matcher(text);
      return matcher.find() ? (matcher.group() ?? "") : undefined;
    },
    findAll(text, limit) {
      const found: string[] = [];
      const matcher = compiled.matcher(text);
      while (found.length < limit && matcher.find()) found.push(matcher.group() ?? "");
      return found;
    },
  };
}

/** The pattern ready for use, or what is wrong with it. */
export function compileRegex(pattern: string, limits: RegexLimits = {}): Regex | RegexFault {
  try {
    const compiled = RE2JS.compile(pattern);
    const size = compiled.programSize();
    const most = limits.maxProgram ?? largestProgram;
    if (size > most) return { error: `regex program size ${size} exceeds limit of ${most}` };
    return wrap(compiled);
  } catch (error) {
    if (!(error instanceof RE2JSException) && !(error instanceof RangeError)) throw error;
    return { error: error.message };
  }
}

/** Compiled patterns, the most recently used kept. */
export class RegexCache {
  readonly #most: number;
  readonly #limits: RegexLimits;
  readonly #patterns = new Map<string, Regex | Error>();

  /** @param most patterns kept at a time */
  constructor(most: number, limits: RegexLimits = {}) {
    this.#most = most;
    this.#limits = limits;
  }

  /** The pattern ready for use; an Error, in Go's words, when it is none. */
  compile(pattern: string): Regex | Error {
    const known = this.#patterns.get(pattern);
    if (known !== undefined) {
      // Last in the map is most recently used.
      this.#patterns.delete(pattern);
      this.#patterns.set(pattern, known);
      return known;
    }
    const compiled = compileRegex(pattern, this.#limits);
    const kept = "error" in compiled ? new Error(compiled.error) : compiled;
    this.#patterns.set(pattern, kept);
    if (this.#patterns.size > this.#most) {
      const [oldest] = this.#patterns.keys();
      if (oldest !== undefined) this.#patterns.delete(oldest);
    }
    return kept;
  }
}

/**
 * Regular expressions that users write: RE2's syntax, and time linear in the text whatever the pattern. Never use
 * RegExp for those: one such as `(a+)+$` stops the whole process.
 * Source: Go regexp, whose words are used for what is wrong with a pattern
 */
import { RE2JS } from "re2js";

/** A pattern that compiled. */
export interface Regex {
  /** Whether the pattern is found anywhere in the text. */
  test(text: string): boolean;
}

/** The pattern ready for use, or what is wrong with it. */
export function compileRegex(pattern: string): Regex | { readonly error: string } {
  try {
    const compiled = RE2JS.compile(pattern);
    return { test: (text) => compiled.test(text) };
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}

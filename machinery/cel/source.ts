/**
 * An expression's text, and how its errors are shown.
 * Source: cel-go common/error.go (layout of a shown error)
 */
import type { Issue } from "./program.ts";

const longestShownLine = 16_384;

/** Line (from 1) and column (from 0, in code points) of an offset in UTF-16 units. */
function locate(text: string, offset: number): { line: number; column: number } {
  let line = 1;
  let start = 0;
  for (let at = text.indexOf("\n"); at >= 0 && at < offset; at = text.indexOf("\n", at + 1)) {
    line++;
    start = at + 1;
  }
  return { line, column: countCodePoints(text.slice(start, offset)) };
}

/** Unicode code points in a string. */
export function countCodePoints(text: string): number {
  let count = text.length;
  for (let i = 0; i < text.length - 1; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0xd800 || unit > 0xdbff) continue;
    const next = text.charCodeAt(i + 1);
    if (next >= 0xdc00 && next <= 0xdfff) {
      count--;
      i++;
    }
  }
  return count;
}

/** Collects what is wrong with one expression. */
export class Issues {
  readonly text: string;
  readonly #list: Issue[] = [];

  constructor(text: string) {
    this.text = text;
  }

  /** Notes an error at an offset in UTF-16 units; a negative offset stands for no place. */
  add(offset: number, message: string): void {
    if (offset < 0) this.#list.push({ line: -1, column: -1, message });
    else this.#list.push({ ...locate(this.text, offset), message });
  }

  get count(): number {
    return this.#list.length;
  }

  /** All issues, by place. */
  sorted(): readonly Issue[] {
    return this.#list.toSorted((a, b) => a.line - b.line || a.column - b.column);
  }
}

const isWide = (char: string | undefined): boolean => char !== undefined && (char.codePointAt(0) ?? 0) > 0x7f;

function spellIssue(issue: Issue, lines: readonly string[]): string {
  const heading = `ERROR: <input>:${issue.line}:${issue.column + 1}: ${issue.message}`;
  const line = lines[issue.line - 1];
  // An expression without any text has no line to point into.
  if (line === undefined || line.length > longestShownLine || (lines.length === 1 && line === "")) return heading;
  const shown = line.replaceAll("\t", " ");
  const chars = Array.from(shown);
  const dots = chars.slice(0, issue.column).map((char) => (isWide(char) ? "\uff0e" : "."));
  const mark = isWide(chars[issue.column]) ? "\uff3e" : "^";
  return `${heading}\n | ${shown}\n | ${dots.join("")}${mark}`;
}

/** Issues as cel-go prints them, each with its line and a mark under the place. */
export function spellIssues(issues: readonly Issue[], expression: string): string {
  const lines = expression.split("\n");
  return issues.map((issue) => spellIssue(issue, lines)).join("\n");
}

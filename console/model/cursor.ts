/**
 * Where in an object a cursor in its YAML stands, found by indentation: while somebody types, the text is seldom YAML that
 * a parser takes. Block style everywhere, flow style within a line.
 */

/** A step down: a key, or into an item of a list. */
export type Step = string | typeof item;

/** Stands for any item of a list. */
export const item: unique symbol = Symbol("item");

/** What is being written at a cursor. */
export interface Cursor {
  readonly apiVersion: string;
  readonly kind: string;
  /** From the object to what holds what is being written. */
  readonly path: readonly Step[];
  /** A key, or the value at the path. */
  readonly writes: "key" | "value";
  /** What is there of it. */
  readonly begun: string;
  /** Keys that stand beside it. */
  readonly beside: readonly string[];
  /** Column of the key; undefined within a line of flow style. */
  readonly column: number | undefined;
}

/** A line in its parts: `  - name: web` has a dash at 2 and the key `name` at 4. */
interface Line {
  readonly dashes: readonly number[];
  /** Where what follows the dashes begins. */
  readonly column: number;
  readonly key: string | undefined;
  /** After the key and its colon; without a key all after the dashes. */
  readonly rest: string;
}

const separator = /^---(\s|$)/;
const keyed = /^("[^"]*"|'[^']*'|[^\s"'{[#&*!|>%@`][^\s:]*)\s*:(?:\s+(.*))?$/;
const plain = /^[\w./$-]*$/;

function partsOf(text: string): Line | undefined {
  const [, spaces = "", marks = "", rest = ""] = /^( *)((?:-(?: +|$))*)(.*)$/.exec(text) ?? [];
  if (marks === "" && (rest === "" || rest.startsWith("#"))) return undefined;
  const dashes = [...marks.matchAll(/-/g)].map(({ index }) => spaces.length + index);
  const [, key, value = ""] = keyed.exec(rest) ?? [];
  const column = spaces.length + marks.length;
  if (key === undefined) return { dashes, column, key, rest };
  return { dashes, column, key: unquoted(key), rest: value.replace(/(^|\s)#.*$/, "").trim() };
}

const unquoted = (text: string): string => text.replace(/^["']|["']$/g, "");

/** The lines of the document that a place is in, and which of them it is in. */
function documentAt(text: string, at: number): { readonly lines: readonly string[]; readonly row: number } {
  const lines = text.split("\n");
  const row = text.slice(0, at).split("\n").length - 1;
  const start = lines.slice(0, row + 1).findLastIndex((line) => separator.test(line)) + 1;
  const end = lines.findIndex((line, index) => index > row && separator.test(line));
  return { lines: lines.slice(start, end < 0 ? undefined : end), row: row - start };
}

/** @returns undefined where nothing can be told: in texts, comments, and below what is no map */
export function cursorAt(text: string, at: number): Cursor | undefined {
  const { lines, row } = documentAt(text, at);
  if (row < 0) return undefined;
  const before = text.slice(text.lastIndexOf("\n", at - 1) + 1, at);
  if (/(^|\s)#/.test(before)) return undefined;
  const line = partsOf(before) ?? { dashes: [], column: before.length, key: undefined, rest: "" };
  const above = climb(lines.slice(0, row), line);
  if (above === undefined) return undefined;
  const own = [...above, ...line.dashes.map((): Step => item)];
  const said = { apiVersion: topValue(lines, "apiVersion"), kind: topValue(lines, "kind") };
  const value = line.rest;
  if (/^[{[]/.test(value)) {
    const inside = flowAt(value);
    return (
      inside && { ...said, ...inside, path: [...own, ...(line.key === undefined ? [] : [line.key]), ...inside.path] }
    );
  }
  if (line.key !== undefined) {
    const path = [...own, line.key];
    return plain.test(value)
      ? { ...said, path, writes: "value", begun: value, beside: [], column: undefined }
      : undefined;
  }
  if (!plain.test(value)) return undefined;
  const beside = besideOf(lines, row, line.column);
  return { ...said, path: own, writes: "key", begun: value, beside, column: line.column };
}

const topValue = (lines: readonly string[], name: string): string =>
  unquoted(
    lines
      .find((line) => line.startsWith(`${name}:`))
      ?.slice(name.length + 1)
      .replace(/\s#.*$/, "")
      .trim() ?? "",
  );

/** The steps to what holds a line; undefined when that is a text or a single value. */
function climb(above: readonly string[], line: Line): readonly Step[] | undefined {
  const steps: Step[] = [];
  let column = line.dashes[0] ?? line.column;
  let isDash = line.dashes.length > 0;
  for (const text of above.toReversed()) {
    if (column === 0 && !isDash) break;
    const parts = partsOf(text);
    if (parts === undefined) continue;
    if (parts.key !== undefined && (parts.column < column || (isDash && parts.column === column))) {
      if (parts.rest !== "") return undefined;
      steps.unshift(parts.key);
      column = parts.column;
      isDash = false;
    }
    for (const dash of parts.dashes.toReversed()) {
      if (dash >= column) continue;
      steps.unshift(item);
      column = dash;
      isDash = true;
    }
  }
  return steps;
}

/** Keys of the same map: at the same column, until the text goes further left. */
function besideOf(lines: readonly string[], row: number, column: number): readonly string[] {
  const keys: string[] = [];
  const look = (from: number, step: 1 | -1) => {
    for (let at = from; at >= 0 && at < lines.length; at += step) {
      const parts = partsOf(lines[at] ?? "");
      if (parts === undefined) continue;
      const begins = parts.dashes.some((dash) => dash < column);
      // Going down, an item that begins is another's; going up, its first key is still of this one.
      if (begins && step === 1) return;
      if (parts.key !== undefined && parts.column === column) keys.push(parts.key);
      if (begins || parts.column < column) return;
    }
  };
  const own = partsOf(lines[row] ?? "");
  if (own === undefined || !own.dashes.some((dash) => dash < column)) look(row - 1, -1);
  look(row + 1, 1);
  return keys;
}

interface Frame {
  readonly isMap: boolean;
  key: string | undefined;
  readonly keys: string[];
}

type Inside = Pick<Cursor, "path" | "writes" | "begun" | "beside" | "column">;

/** Where the end of a text in flow style stands. */
function flowAt(text: string): Inside | undefined {
  const frames: Frame[] = [];
  let token = "";
  for (const [mark = ""] of text.matchAll(/"(?:[^"\\]|\\.)*"?|'[^']*'?|./g)) {
    if (turn(mark, token.trim(), frames)) token = "";
    else token += mark;
  }
  const top = frames.at(-1);
  const begun = token.trimStart();
  if (top === undefined || !plain.test(begun)) return undefined;
  const path = frames.flatMap(({ isMap, key }): readonly Step[] => {
    if (!isMap) return [item];
    return key === undefined ? [] : [key];
  });
  const writes = top.isMap && top.key === undefined ? "key" : "value";
  return { path, writes, begun, beside: top.keys, column: undefined };
}

/** @returns whether the mark steers, and what stood before it is done with */
function turn(mark: string, token: string, frames: Frame[]): boolean {
  const top = frames.at(-1);
  if (mark === "{" || mark === "[") frames.push({ isMap: mark === "{", key: undefined, keys: [] });
  else if (mark === "}" || mark === "]") frames.pop();
  else if (mark === ":" && top?.isMap === true && top.key === undefined) {
    top.key = unquoted(token);
    top.keys.push(top.key);
  } else if (mark === "," && top !== undefined) top.key = undefined;
  else return false;
  return true;
}

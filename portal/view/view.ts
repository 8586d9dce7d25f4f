/**
 * A table seen through a window: which rows match, in what order, and those between two places. The portal reckons it, so
 * that a page is sent what it shows however many rows there are.
 */
import { cellKind, type Column, found, type Row, sorted } from "./rows.ts";
import { type Tone, toneOf } from "./tones.ts";

/** What is to be seen of a table. */
export interface View {
  /** Words that rows must contain. */
  readonly words: string;
  /** Column to sort by, "-" before it for the other way round; "" for namespace and name. */
  readonly sort: string;
  /** Only rows in trouble, the worst first, in place of `sort`. */
  readonly troubled: boolean;
  /** Columns of which it is counted how many rows have which value. */
  readonly countBy: readonly string[];
  /** Place of the first row, from 0. */
  readonly from: number;
  /** Place after the last. */
  readonly to: number;
}

/** What is seen. */
export interface Seen {
  readonly from: number;
  readonly rows: readonly Row[];
  /** How many rows match. */
  readonly found: number;
}

/** The most rows that one view may hold. */
export const mostSeen = 10_000;

/** All matching rows in their order. */
export function chosenOf(rows: readonly Row[], columns: readonly Column[], view: View): readonly Row[] {
  const matching = found(rows, view.words);
  return view.troubled ? troubled(matching, columns) : sorted(matching, columns, view.sort);
}

/** The part in the window; a window past the end shows the end. */
export function windowOf(chosen: readonly Row[], { from, to }: View): Seen {
  const size = Math.min(Math.max(0, to - from), mostSeen);
  const start = Math.max(0, Math.min(from, chosen.length - size));
  return { from: start, rows: chosen.slice(start, start + size), found: chosen.length };
}

/** The word by which a row says how it is; "" when its table has no such column. */
export function stateOf({ cells, metadata }: Row, columns: readonly Column[]): string {
  if (metadata.deletionTimestamp !== undefined) return "Terminating";
  const value = cells[columns.findIndex((column) => cellKind(column) === "status")];
  return typeof value === "string" ? value : "";
}

/** How many rows there are of each tone. */
export function countTones(rows: readonly Row[], columns: readonly Column[]): Readonly<Record<Tone, number>> {
  const counts = { good: 0, busy: 0, warn: 0, bad: 0, plain: 0 };
  for (const row of rows) counts[toneOf(stateOf(row, columns))] += 1;
  return counts;
}

const mostValues = 50;

/** How many rows have which value in a column, the most frequent first; "" for rows that have none. */
export function countValues(
  rows: readonly Row[],
  columns: readonly Column[],
  name: string,
): readonly (readonly [string, number])[] {
  const index = columns.findIndex((column) => column.name === name);
  const counts = new Map<string, number>();
  for (const { cells } of rows) {
    const value = cells[index];
    const text = typeof value === "string" || typeof value === "number" ? String(value) : "";
    counts.set(text, (counts.get(text) ?? 0) + 1);
  }
  return [...counts].toSorted(([a, m], [b, n]) => n - m || a.localeCompare(b)).slice(0, mostValues);
}

/** Rows in trouble: the bad ones, then those to be watched; of each kind the youngest first. */
function troubled(rows: readonly Row[], columns: readonly Column[]): readonly Row[] {
  const rank = { bad: 0, warn: 1, busy: 2, plain: 3, good: 4 } as const;
  const born = ({ metadata }: Row) => metadata.creationTimestamp ?? "";
  return rows
    .map((row) => ({ row, at: rank[toneOf(stateOf(row, columns))] }))
    .filter(({ at }) => at <= rank.warn)
    .toSorted((a, b) => a.at - b.at || born(b.row).localeCompare(born(a.row)))
    .map(({ row }) => row);
}

/** What somebody should look at first: rows whose state means trouble, the worst first. */
import { cellKind } from "./columns.ts";
import type { Column, Row } from "./object.ts";
import { type Tone, toneOf } from "./tone.ts";

/** The word by which a row says how it is; "" when its table has no such column. */
export function stateOf({ cells }: Row, columns: readonly Column[]): string {
  const index = columns.findIndex((column) => cellKind(column) === "status");
  const value = cells[index];
  return typeof value === "string" ? value : "";
}

/** How many rows there are of each tone. */
export function countTones(rows: readonly Row[], columns: readonly Column[]): Readonly<Record<Tone, number>> {
  const counts = { good: 0, busy: 0, warn: 0, bad: 0, plain: 0 };
  for (const row of rows) counts[toneOf(stateOf(row, columns))] += 1;
  return counts;
}

/** Rows in trouble: the bad ones, then those to be watched; of each kind the youngest first. */
export function troubled(rows: readonly Row[], columns: readonly Column[]): readonly Row[] {
  const rank = { bad: 0, warn: 1, busy: 2, plain: 3, good: 4 } as const;
  const born = ({ metadata }: Row) => metadata.creationTimestamp ?? "";
  return rows
    .map((row) => ({ row, at: rank[toneOf(stateOf(row, columns))] }))
    .filter(({ at }) => at <= rank.warn)
    .toSorted((a, b) => a.at - b.at || born(b.row).localeCompare(born(a.row)))
    .map(({ row }) => row);
}

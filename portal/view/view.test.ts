import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Column, Row } from "./rows.ts";
import { chosenOf, countTones, countValues, stateOf, type View, windowOf } from "./view.ts";

const columns: readonly Column[] = ["Name", "Status"].map((name) => ({
  name,
  type: "string",
  description: "",
  priority: 0,
}));
const row = (name: string, state: string, born = ""): Row => ({
  metadata: { name, uid: name, creationTimestamp: born },
  cells: [name, state],
});
const all: View = { words: "", sort: "", troubled: false, countBy: [], from: 0, to: 100 };
const names = (rows: readonly Row[]): readonly string[] => rows.map(({ metadata }) => metadata.name);

test("chosenOf() tells trouble first: the bad before what is to be watched, the youngest first, and nothing that is well", () => {
  const rows = [
    row("well", "Running"),
    row("odd", "Unknown"),
    row("old", "Failed", "2026-01-01T00:00:00Z"),
    row("young", "Evicted", "2026-01-02T00:00:00Z"),
  ];
  assert.deepEqual(names(chosenOf(rows, columns, { ...all, troubled: true })), ["young", "old", "odd"]);
  assert.deepEqual(countTones(rows, columns), { good: 1, busy: 0, warn: 1, bad: 2, plain: 0 });
});

test("countValues() tells how many rows have which value, the most frequent first", () => {
  const rows = [row("a", "Failed"), row("b", "Running"), row("c", "Running"), { ...row("d", ""), cells: ["d", null] }];
  assert.deepEqual(countValues(rows, columns, "Status"), [
    ["Running", 2],
    ["", 1],
    ["Failed", 1],
  ]);
});

test("stateOf() says of what is being deleted that it terminates, whatever its cell says", () => {
  const going = row("going", "Running");
  assert.equal(stateOf(going, columns), "Running");
  const metadata = { ...going.metadata, deletionTimestamp: "2026-01-01T00:00:00Z" };
  assert.equal(stateOf({ ...going, metadata }, columns), "Terminating");
});

test("windowOf() shows what is there of the window, the end when it lies beyond, and never more than was asked", () => {
  const rows = Array.from({ length: 60 }, (_, index) => row(String(index), ""));
  const place = fc.integer({ min: -5, max: 200 });
  fc.assert(
    fc.property(place, place, (from, to) => {
      const seen = windowOf(rows, { ...all, from, to });
      const size = Math.max(0, to - from);
      assert.equal(seen.found, 60);
      assert.equal(seen.rows.length, Math.min(size, 60));
      if (from >= 0 && to <= 60) assert.deepEqual(names(seen.rows), names(rows.slice(from, Math.max(from, to))));
      if (size > 0) assert.equal(seen.rows[0], rows[seen.from]);
    }),
  );
});

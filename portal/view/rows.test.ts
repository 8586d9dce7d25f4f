import assert from "node:assert/strict";
import { test } from "node:test";
import { cellKind, type Column, found, type Row, shownColumns, sorted } from "./rows.ts";

const column = (name: string, priority = 0): Column => ({ name, type: "string", description: "", priority });
const columns = [column("Name"), column("Restarts"), column("Age"), column("Node", 1)];

const row = (name: string, restarts: number, born: string, labels: Record<string, string> = {}): Row => ({
  metadata: { name, namespace: "shop", uid: name, creationTimestamp: born, labels },
  cells: [name, restarts, "5m", "host-1"],
});

const rows = [
  row("web-10", 2, "2026-01-03T00:00:00Z"),
  row("web-2", 10, "2026-01-01T00:00:00Z", { tier: "front" }),
  row("db", 0, "2026-01-02T00:00:00Z"),
];
const names = (list: readonly Row[]): readonly string[] => list.map(({ metadata }) => metadata.name);

test("sorted() orders by name as kubectl does when no column is chosen", () => {
  assert.deepEqual(names(sorted(rows, columns, "")), ["db", "web-10", "web-2"]);
});

test("sorted() orders numbers by their size, and turns round", () => {
  assert.deepEqual(names(sorted(rows, columns, "Restarts")), ["db", "web-10", "web-2"]);
  assert.deepEqual(names(sorted(rows, columns, "-Restarts")), ["web-2", "web-10", "db"]);
});

test("sorted() takes ages from the time of creation, the youngest first", () => {
  assert.deepEqual(names(sorted(rows, columns, "Age")), ["web-10", "db", "web-2"]);
});

test("found() wants every word, in cells, namespaces or labels", () => {
  assert.deepEqual(names(found(rows, "shop web")), ["web-10", "web-2"]);
  assert.deepEqual(names(found(rows, "tier=FRONT")), ["web-2"]);
  assert.deepEqual(names(found(rows, "web nowhere")), []);
});

test("shownColumns() leaves out those of second rank, and keeps where their cells are", () => {
  assert.deepEqual(
    shownColumns(columns).map(({ index }) => index),
    [0, 1, 2],
  );
});

test("cellKind() knows names by their format, and states and ages by their column", () => {
  assert.equal(cellKind({ ...column("Name"), format: "name" }), "name");
  assert.equal(cellKind(column("Status")), "status");
  assert.equal(cellKind(column("Age")), "age");
});

/** A table of rows as the server has them: any number, of which only those in sight are drawn. */
import { Link } from "@tanstack/react-router";
import { useRef, useState } from "react";
import { cellKind, type Column, type Row, shownColumns } from "@atoll/portal/view/rows";
import type { Seen } from "../live/table.ts";
import { placedKind, type Resource } from "../model/resources.ts";
import { paths } from "../paths.ts";
import { Age } from "./age.tsx";
import { Status } from "./status.tsx";

/** Height of a row, px; theme.css holds rows to it. */
const rowPx = 33;
const beyond = 12;
const first = 40;
/** Rows asked for beyond those in sight, so that scrolling seldom waits. */
const ahead = 60;

interface RowsProps {
  readonly resource: Resource;
  readonly seen: Seen;
  readonly hasNamespaces: boolean;
  /** Columns of second rank, too. */
  readonly isWide?: boolean;
  readonly sort: string;
  onSort(by: string): void;
  /** Other rows are to be looked at. */
  onLook(part: { from: number; to: number }): void;
}

/** Scrolls by itself, so that the head stays in sight. */
export function Rows({ resource, seen, hasNamespaces, isWide = false, sort, onSort, onLook }: RowsProps) {
  const box = useRef<HTMLDivElement>(null);
  const [window, setWindow] = useState({ from: 0, to: first });
  const columns = withAge(resource, seen.columns);
  const names = shownColumns(columns, isWide).map(({ column }) => column.name);
  const heads = hasNamespaces ? names.toSpliced(1, 0, "Namespace") : names;

  function look() {
    const { scrollTop = 0, clientHeight = 0 } = box.current ?? {};
    const from = Math.max(0, Math.floor(scrollTop / rowPx) - beyond);
    const to = from + Math.ceil(clientHeight / rowPx) + 2 * beyond;
    setWindow((now) => (Math.abs(now.from - from) < beyond / 2 && now.to >= to ? now : { from, to }));
    const isHeld = from >= seen.from && Math.min(to, seen.found) <= seen.from + seen.rows.length;
    if (!isHeld) onLook({ from: Math.max(0, from - ahead), to: to + ahead });
  }

  // What is scrolled to and not here yet is an empty place until it comes.
  const start = Math.max(window.from, seen.from);
  const visible = seen.rows.slice(start - seen.from, Math.max(0, window.to - seen.from));
  const place = visible.length === 0 ? Math.min(window.from, seen.found) : start;
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls has to be reached by keys
    <div
      className="rows"
      ref={box}
      onScroll={look}
      tabIndex={0}
      role="region"
      aria-label={`Table of ${resource.plural}`}
    >
      <table className="table" aria-label={resource.plural} aria-rowcount={seen.found + 1}>
        <thead>
          <tr>
            {heads.map((name) => (
              <SortHead key={name} name={name} sort={sort} onSort={onSort} />
            ))}
          </tr>
        </thead>
        <tbody>
          <Spacer rows={place} span={heads.length} />
          {visible.map((row, index) => (
            <Line
              key={row.metadata.uid}
              resource={resource}
              row={row}
              columns={columns}
              hasNamespace={hasNamespaces}
              isWide={isWide}
              place={place + index + 2}
            />
          ))}
          <Spacer rows={Math.max(0, seen.found - place - visible.length)} span={heads.length} />
        </tbody>
      </table>
    </div>
  );
}

/** A definition may leave the age out; the rows know it all the same. */
function withAge(resource: Resource, columns: readonly Column[]): readonly Column[] {
  if (placedKind(resource) !== "" || columns.some(({ name }) => name === "Age")) return columns;
  return [...columns, { name: "Age", type: "date", priority: 0 } as Column];
}

interface LineProps {
  readonly resource: Resource;
  readonly row: Row;
  readonly columns: readonly Column[];
  readonly hasNamespace: boolean;
  readonly isWide: boolean;
  readonly place: number;
}

function Line({ resource, row, columns, hasNamespace, isWide, place }: LineProps) {
  return (
    <tr aria-rowindex={place}>
      {shownColumns(columns, isWide).map(({ column, index }, position) => [
        <td key={column.name} data-label={column.name}>
          <Cell resource={resource} row={row} column={column} value={row.cells[index]} />
        </td>,
        position === 0 && hasNamespace && (
          <td key="namespace" data-label="Namespace">
            {row.metadata.namespace}
          </td>
        ),
      ])}
    </tr>
  );
}

function Spacer({ rows, span }: { rows: number; span: number }) {
  if (rows === 0) return null;
  return (
    <tr aria-hidden="true">
      <td colSpan={span} style={{ height: rows * rowPx, padding: 0 }} />
    </tr>
  );
}

function SortHead({ name, sort, onSort }: { name: string; sort: string; onSort: (by: string) => void }) {
  const isUp = sort === name;
  const isDown = sort === `-${name}`;
  const order = isDown ? "descending" : "ascending";
  return (
    <th aria-sort={isUp || isDown ? order : "none"}>
      <button type="button" className="sort" onClick={() => onSort(isUp ? `-${name}` : name)}>
        {name}
        <span aria-hidden="true">{sortMark(isUp, isDown)}</span>
      </button>
    </th>
  );
}

function sortMark(isUp: boolean, isDown: boolean): string {
  if (isUp) return "↑";
  return isDown ? "↓" : "";
}

function Cell({ resource, row, column, value }: { resource: Resource; row: Row; column: Column; value: unknown }) {
  const { name, namespace, creationTimestamp, deletionTimestamp } = row.metadata;
  const text = value === null || value === undefined ? "" : String(value as string | number | boolean);
  const kind = cellKind(column);
  if (kind === "name") return <Link to={paths.object(resource, namespace, name)}>{name}</Link>;
  if (kind === "age") return <Age since={creationTimestamp} />;
  if (kind === "status") return <Status word={deletionTimestamp === undefined ? text : "Terminating"} />;
  return <span title={text}>{text}</span>;
}

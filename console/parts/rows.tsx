/** A table of rows as the server has them: any number, of which only those in sight are drawn. */
import { Table, Tbody, Td, Th, Thead, Tr } from "@patternfly/react-table";
import { Link } from "@tanstack/react-router";
import { useRef, useState } from "react";
import { cellKind, shownColumns } from "../model/columns.ts";
import type { Column, Row } from "../model/object.ts";
import type { Resource } from "../model/resources.ts";
import { paths } from "../paths.ts";
import { Age } from "./age.tsx";
import { Status } from "./status.tsx";

/** Height of a row, px; theme.css holds rows to it. */
const rowPx = 33;
const beyond = 12;
const first = 40;

interface RowsProps {
  readonly resource: Resource;
  readonly columns: readonly Column[];
  readonly rows: readonly Row[];
  readonly hasNamespaces: boolean;
  readonly sort: string;
  onSort(by: string): void;
}

/** Scrolls by itself, so that the head stays in sight. */
export function Rows({ resource, columns, rows, hasNamespaces, sort, onSort }: RowsProps) {
  const box = useRef<HTMLDivElement>(null);
  const [window, setWindow] = useState({ from: 0, to: first });
  const shown = shownColumns(columns);
  const names = shown.map(({ column }) => column.name);
  const heads = hasNamespaces ? ["Name", "Namespace", ...names.slice(1)] : names;

  function look() {
    const { scrollTop = 0, clientHeight = 0 } = box.current ?? {};
    const from = Math.max(0, Math.floor(scrollTop / rowPx) - beyond);
    const to = from + Math.ceil(clientHeight / rowPx) + 2 * beyond;
    setWindow((now) => (Math.abs(now.from - from) < beyond / 2 && now.to >= to ? now : { from, to }));
  }

  const visible = rows.slice(window.from, window.to);
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
      <Table
        aria-label={resource.plural}
        aria-rowcount={rows.length + 1}
        variant="compact"
        gridBreakPoint=""
        isStickyHeader
      >
        <Thead>
          <Tr>
            {heads.map((name) => (
              <SortHead key={name} name={name} sort={sort} onSort={onSort} />
            ))}
          </Tr>
        </Thead>
        <Tbody>
          <Spacer rows={window.from} span={heads.length} />
          {visible.map((row, index) => (
            <Tr key={row.metadata.uid} aria-rowindex={window.from + index + 2}>
              {shown.map(({ column, index: at }, position) => [
                <Td key={column.name} dataLabel={column.name}>
                  <Cell resource={resource} row={row} column={column} value={row.cells[at]} />
                </Td>,
                position === 0 && hasNamespaces && (
                  <Td key="namespace" dataLabel="Namespace">
                    {row.metadata.namespace}
                  </Td>
                ),
              ])}
            </Tr>
          ))}
          <Spacer rows={Math.max(0, rows.length - window.to)} span={heads.length} />
        </Tbody>
      </Table>
    </div>
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
    <Th aria-sort={isUp || isDown ? order : "none"}>
      <button type="button" className="sort" onClick={() => onSort(isUp ? `-${name}` : name)}>
        {name}
        <span aria-hidden="true">{sortMark(isUp, isDown)}</span>
      </button>
    </Th>
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

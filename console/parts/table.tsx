/** A plain table. On narrow screens each row stands as a list of its cells, each with its column's name. */
import type { ReactNode } from "react";

interface TableProps {
  readonly label: string;
  /** Names of the columns; "" for one that needs none. */
  readonly heads: readonly string[];
  /** Rows. */
  readonly children: ReactNode;
}

/** @param props `label`: what screen readers call it */
export function Table({ label, heads, children }: TableProps) {
  return (
    <div className="table-box">
      <table className="table is-plain" aria-label={label}>
        <thead>
          <tr>
            {heads.map((name) => (
              <th key={name} scope="col">
                {name === "" ? <span className="for-readers">Actions</span> : name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}

/** A cell. @param props `of`: its column's name */
export function Td({ of, isNumber = false, children }: { of: string; isNumber?: boolean; children?: ReactNode }) {
  return (
    <td data-label={of} className={isNumber ? "is-number" : undefined}>
      {children}
    </td>
  );
}

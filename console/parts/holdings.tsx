/** The policies that hold at a place, and where each was written. */
import { Table, Td } from "./table.tsx";
import { Link } from "@tanstack/react-router";
import type { Holding } from "../model/fleet.ts";
import { resourceOfKind } from "../model/resources.ts";
import { paths } from "../paths.ts";
import { Status } from "./status.tsx";

/** @param holdings as fleet.ts finds them */
export function Holdings({ holdings }: { holdings: readonly Holding[] }) {
  if (holdings.length === 0) return <p className="count">No policy holds here.</p>;
  return (
    <Table label="Policies" heads={["Policy", "Written for", "Enforcement", "State", "Violations"]}>
      {holdings.map((holding) => (
        <Held key={holding.policy.metadata.uid} holding={holding} />
      ))}
    </Table>
  );
}

function Held({ holding: { policy, level, isInherited, state, reason } }: { holding: Holding }) {
  const { metadata, spec, status } = policy;
  const { name = "", namespace } = metadata;
  const resource = resourceOfKind(policy.kind);
  return (
    <tr>
      <Td of="Policy">
        {policy.kind}{" "}
        {resource === undefined ? (
          name
        ) : (
          <Link className="inline" to={paths.object(resource, namespace, name)}>
            {name}
          </Link>
        )}
      </Td>
      <Td of="Written for">{isInherited ? `${level}, inherited` : level}</Td>
      <Td of="Enforcement">{spec.enforcement ?? "Enforce"}</Td>
      <Td of="State">
        {state === "" ? (status?.summary ?? "") : <Status word={state} />} {reason}
      </Td>
      <Td of="Violations">{status?.violations ?? 0}</Td>
    </tr>
  );
}

/** The policies that hold at a place, and where each was written. */
import { Table, Tbody, Td, Th, Thead, Tr } from "@patternfly/react-table";
import { Link } from "@tanstack/react-router";
import type { Holding } from "../model/fleet.ts";
import { resourceOfKind } from "../model/resources.ts";
import { paths } from "../paths.ts";
import { Status } from "./status.tsx";

/** @param holdings as fleet.ts finds them */
export function Holdings({ holdings }: { holdings: readonly Holding[] }) {
  if (holdings.length === 0) return <p className="count">No policy holds here.</p>;
  return (
    <Table aria-label="Policies" variant="compact" className="plain-table">
      <Thead>
        <Tr>
          <Th>Policy</Th>
          <Th>Written for</Th>
          <Th>Enforcement</Th>
          <Th>State</Th>
          <Th>Violations</Th>
        </Tr>
      </Thead>
      <Tbody>
        {holdings.map((holding) => (
          <Held key={holding.policy.metadata.uid} holding={holding} />
        ))}
      </Tbody>
    </Table>
  );
}

function Held({ holding: { policy, level, isInherited, state, reason } }: { holding: Holding }) {
  const { metadata, spec, status } = policy;
  const { name = "", namespace } = metadata;
  const resource = resourceOfKind(policy.kind);
  return (
    <Tr>
      <Td dataLabel="Policy">
        {policy.kind}{" "}
        {resource === undefined ? (
          name
        ) : (
          <Link className="inline" to={paths.object(resource, namespace, name)}>
            {name}
          </Link>
        )}
      </Td>
      <Td dataLabel="Written for">{isInherited ? `${level}, inherited` : level}</Td>
      <Td dataLabel="Enforcement">{spec.enforcement ?? "Enforce"}</Td>
      <Td dataLabel="State">
        {state === "" ? (status?.summary ?? "") : <Status word={state} />} {reason}
      </Td>
      <Td dataLabel="Violations">{status?.violations ?? 0}</Td>
    </Tr>
  );
}

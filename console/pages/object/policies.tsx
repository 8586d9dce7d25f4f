/** Of a cluster: the policies that hold there, where each was written, and what breaks them. */
import { Table, Td } from "../../parts/table.tsx";
import { ClusterReport } from "@atoll/api/fleet/v1alpha1/clusterreport";
import { useFleet } from "../../live/fleet.ts";
import { useObjects } from "../../live/use.ts";
import { holdingsAt } from "../../model/fleet.ts";
import type { AnyObject } from "../../model/object.ts";
import { Freshness } from "../../parts/freshness.tsx";
import { Holdings } from "../../parts/holdings.tsx";

/** A tab of a FleetCluster. */
export function Policies({ cluster }: { cluster: AnyObject }) {
  const { name, namespace = "" } = cluster.metadata;
  const { grown, policies, phase, message } = useFleet(namespace);
  const home = cluster.status?.["namespace"];
  return (
    <div className="stack">
      <Freshness phase={phase} message={message} />
      <Holdings holdings={holdingsAt({ kind: "cluster", name }, grown, policies)} />
      {typeof home === "string" && <Violations namespace={home} />}
    </div>
  );
}

/** @param namespace the cluster's own on the hub, where its agent reports */
function Violations({ namespace }: { namespace: string }) {
  const { items, phase, message } = useObjects(ClusterReport, { namespace });
  const spec = items[0]?.spec as ClusterReport["spec"] | undefined;
  const violations = spec?.violations ?? [];
  return (
    <section>
      <h2 className="small-head">
        Violations <span className="count">{spec?.violationsTotal ?? "not reported yet"}</span>
      </h2>
      <Freshness phase={phase} message={message} />
      {violations.length > 0 && (
        <Table label="Violations" heads={["Object", "Namespace", "Policy", "What is wrong"]}>
          {violations.map((each) => (
            <tr key={JSON.stringify(each)}>
              <Td of="Object">
                {each.kind} {each.name}
              </Td>
              <Td of="Namespace">{each.namespace}</Td>
              <Td of="Policy">{each.policy}</Td>
              <Td of="What is wrong">{each.message}</Td>
            </tr>
          ))}
        </Table>
      )}
    </section>
  );
}

/** What fleet objects would change on each cluster, before they are saved: reckoned as `atoll plan` does, with the rights of who asks. */
import { Alert, Spinner } from "@patternfly/react-core";
import { Table, Td } from "./table.tsx";
import { type Change, changesBetween } from "@atoll/fleet/explain/plan";
import { readFleet, replaced } from "@atoll/fleet/explain/organization";
import { systemClock } from "@atoll/machinery/clock";
import type { ApiObject } from "@atoll/machinery/object";
import { useEffect, useState } from "react";
import { hubClient } from "../model/hub.ts";
import type { AnyObject } from "../model/object.ts";
import { Status } from "./status.tsx";

const most = 200;
const tones = { add: "good", change: "busy", remove: "warn" } as const;

/** @param objects fleet objects of one organization, as they would be */
export function Plan({ objects }: { objects: readonly AnyObject[] }) {
  const [changes, setChanges] = useState<readonly Change[]>();
  const [failure, setFailure] = useState("");
  useEffect(() => {
    reckon(objects).then(setChanges, (error: unknown) =>
      setFailure(error instanceof Error ? error.message : String(error)),
    );
  }, [objects]);
  if (failure !== "")
    return <Alert variant="warning" isInline title={`What it would change cannot be told: ${failure}`} />;
  if (changes === undefined) return <Spinner aria-label="Planning" />;
  const clusters = new Set(changes.map(({ cluster }) => cluster)).size;
  if (changes.length === 0) return <p>No cluster would change.</p>;
  return (
    <section aria-label="Plan">
      <h2 className="small-head">
        {changes.length} {changes.length === 1 ? "object" : "objects"} on {clusters}{" "}
        {clusters === 1 ? "cluster" : "clusters"} would change
      </h2>
      <Table label="Plan" heads={["Cluster", "Does", "Object", "For", "Level"]}>
        {changes.slice(0, most).map(({ cluster, does, object, source, level }) => (
          <tr key={`${cluster} ${object}`}>
            <Td of="Cluster">{cluster}</Td>
            <Td of="Does">
              <Status word={does} tone={tones[does]} />
            </Td>
            <Td of="Object">{object}</Td>
            <Td of="For">{source}</Td>
            <Td of="Level">{level}</Td>
          </tr>
        ))}
      </Table>
      {changes.length > most && <p className="count">And {changes.length - most} more.</p>}
    </section>
  );
}

async function reckon(objects: readonly AnyObject[]): Promise<readonly Change[]> {
  const namespace = objects[0]?.metadata.namespace ?? "default";
  const before = await readFleet(hubClient(), namespace, systemClock.nowMs());
  const { fleet } = replaced(before, objects as unknown as readonly ApiObject[]);
  return changesBetween(before, fleet);
}

/** What happened to an object, the latest first. */
import { EmptyState, EmptyStateBody } from "@patternfly/react-core";
import { Table, Td } from "../../parts/table.tsx";
import { useObjects } from "../../live/use.ts";
import type { AnyObject, Metadata } from "../../model/object.ts";
import { resourceOf } from "../../model/resources.ts";
import { Age } from "../../parts/age.tsx";
import { Freshness } from "../../parts/freshness.tsx";
import { Status } from "../../parts/status.tsx";

/** Source: k8s.io/api/core/v1 Event */
interface HappenedEvent extends AnyObject {
  readonly type?: string;
  readonly reason?: string;
  readonly message?: string;
  readonly count?: number;
  readonly lastTimestamp?: string | null;
  readonly eventTime?: string | null;
}

const events = resourceOf("events");

const lastOf = ({ lastTimestamp, eventTime, metadata }: HappenedEvent): string =>
  lastTimestamp ?? eventTime ?? metadata.creationTimestamp ?? "";

/** The events of an object, live. */
export function Events({ of }: { of: Metadata }) {
  return events === undefined ? null : <List of={of} resource={events} />;
}

function List({ of, resource }: { of: Metadata; resource: typeof events & object }) {
  const { items, phase, message } = useObjects<HappenedEvent>(resource, {
    namespace: of.namespace ?? "",
    fieldSelector: `involvedObject.uid=${of.uid}`,
  });
  const latest = items.toSorted((a, b) => lastOf(b).localeCompare(lastOf(a)));
  if (latest.length === 0 && phase === "live") {
    return (
      <EmptyState titleText="Nothing happened lately" headingLevel="h2" variant="sm">
        <EmptyStateBody>Events are kept for an hour. New ones appear by themselves.</EmptyStateBody>
      </EmptyState>
    );
  }
  return (
    <>
      <Freshness phase={phase} message={message} />
      <Table label="Events" heads={["Last", "Type", "Reason", "What happened"]}>
        {latest.map((event) => (
          <tr key={event.metadata.uid}>
            <Td of="Last">
              <Age since={lastOf(event)} />
              {(event.count ?? 1) > 1 && <span className="count"> ×{event.count}</span>}
            </Td>
            <Td of="Type">
              <Status word={event.type ?? ""} />
            </Td>
            <Td of="Reason">{event.reason}</Td>
            <Td of="What happened">{event.message}</Td>
          </tr>
        ))}
      </Table>
    </>
  );
}

/** The first page: how everything is, and what needs somebody's attention. */
import { EmptyState, EmptyStateBody } from "@patternfly/react-core";
import { Table, Tbody, Td, Th, Thead, Tr } from "@patternfly/react-table";
import { Link } from "@tanstack/react-router";
import { useTable } from "../../live/use.ts";
import type { Column, Row } from "@atoll/portal/view/rows";
import { stateOf } from "@atoll/portal/view/view";
import { type Resource, resourceOf } from "../../model/resources.ts";
import { Age } from "../../parts/age.tsx";
import { useConsole } from "../../parts/context.ts";
import { PageHead } from "../../parts/head.tsx";
import { Status } from "../../parts/status.tsx";
import { paths } from "../../paths.ts";

/** Kinds whose health is shown, in this order; those that are not served are left out. */
const watched = ["fleetclusters.fleet.atoll.dev", "nodes", "supervisornamespaces.supervisor.atoll.dev", "pods"];
const counted = ["deployments.apps", "services", "persistentvolumeclaims"];
const most = 12;

/** `/` */
export function Page() {
  const { serves } = useConsole();
  const known = (slugs: readonly string[]) =>
    slugs.flatMap((slug) => resourceOf(slug) ?? []).filter((resource) => serves(resource));
  return (
    <section className="page">
      <PageHead title="Overview" />
      <div className="cards">
        {known([...watched, ...counted]).map((resource) => (
          <Card key={resource.plural} resource={resource} title={resource.title} />
        ))}
      </div>
      <h2 className="small-head">What needs attention</h2>
      <Attention resources={known(watched)} />
    </section>
  );
}

function Card({ resource, title }: { resource: Resource; title: string }) {
  const { all, tones, phase, rows } = useTable(resource, {}, { to: 1 });
  const { bad, warn } = tones;
  return (
    <Link className="card" to={paths.list(resource)}>
      <span className="count">{title}</span>
      <strong>{phase === "loading" && rows.length === 0 ? "…" : all}</strong>
      <Verdict phase={phase} bad={bad} warn={warn} />
    </Link>
  );
}

function Verdict({ phase, bad, warn }: { phase: string; bad: number; warn: number }) {
  if (phase === "refused") return <Status word="not yours to see" tone="plain" />;
  if (bad > 0) return <Status word={`${bad} failing`} tone="bad" />;
  if (warn > 0) return <Status word={`${warn} to look at`} tone="warn" />;
  return <Status word="no trouble" tone="good" />;
}

/** One table for all kinds. The kinds are the same as long as the page is there: discovery is read once. */
function Attention({ resources }: { resources: readonly Resource[] }) {
  const tables = resources.map((resource) => ({ resource, ...useTable(resource, {}, { troubled: true, to: most }) }));
  const rows = tables.flatMap(({ resource, rows: found, columns }) => found.map((row) => ({ resource, row, columns })));
  if (rows.length === 0) {
    return (
      <EmptyState titleText="Nothing" headingLevel="h3" variant="sm">
        <EmptyStateBody>
          Hosts, clusters and pods are well, or on their way. Trouble shows up here by itself.
        </EmptyStateBody>
      </EmptyState>
    );
  }
  return (
    <Table aria-label="What needs attention" variant="compact" className="plain-table">
      <Thead>
        <Tr>
          <Th>What</Th>
          <Th>State</Th>
          <Th>Where</Th>
          <Th>Age</Th>
        </Tr>
      </Thead>
      <Tbody>
        {rows.slice(0, most).map(({ resource, row, columns }) => (
          <Trouble key={row.metadata.uid} resource={resource} row={row} columns={columns} />
        ))}
      </Tbody>
    </Table>
  );
}

function Trouble({ resource, row, columns }: { resource: Resource; row: Row; columns: readonly Column[] }) {
  const { name, namespace, creationTimestamp } = row.metadata;
  return (
    <Tr>
      <Td dataLabel="What">
        {resource.kind}{" "}
        <Link className="inline" to={paths.object(resource, namespace, name)}>
          {name}
        </Link>
      </Td>
      <Td dataLabel="State">
        <Status word={stateOf(row, columns)} />
      </Td>
      <Td dataLabel="Where">{namespace}</Td>
      <Td dataLabel="Age">
        <Age since={creationTimestamp} />
      </Td>
    </Tr>
  );
}

/** The first page: how everything is, and what needs somebody's attention. */
import { EmptyState, EmptyStateBody } from "@patternfly/react-core";
import { Table, Td } from "../../parts/table.tsx";
import { Link } from "@tanstack/react-router";
import { useTable } from "../../live/use.ts";
import type { Column, Row } from "@atoll/portal/view/rows";
import { stateOf } from "@atoll/portal/view/view";
import { type Resource, resourceOf, slugOf } from "../../model/resources.ts";
import { Age } from "../../parts/age.tsx";
import { useConsole } from "../../parts/context.ts";
import { PageHead } from "../../parts/head.tsx";
import { Status } from "../../parts/status.tsx";
import { paths } from "../../paths.ts";

const clusters = "fleetclusters.fleet.atoll.dev";
/** Kinds whose health is shown, in this order; those that are not served are left out. */
const watched = [clusters, "nodes", "supervisornamespaces.supervisor.atoll.dev", "pods"];
const counted = ["deployments.apps", "services", "persistentvolumeclaims"];
const byColumns: readonly string[] = ["Phase", "Version", "Group"];
const most = 12;
const mostValues = 6;

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
      <Attention key={known(watched).map(slugOf).join()} resources={known(watched)} />
      {known([clusters]).map((resource) => (
        <Fleet key={resource.plural} resource={resource} />
      ))}
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
      <Verdict phase={phase} all={all} bad={bad} warn={warn} />
    </Link>
  );
}

function Verdict({ phase, all, bad, warn }: { phase: string; all: number; bad: number; warn: number }) {
  if (phase === "refused") return <Status word="not yours to see" tone="plain" />;
  if (bad > 0) return <Status word={`${bad} failing`} tone="bad" />;
  if (warn > 0) return <Status word={`${warn} to look at`} tone="warn" />;
  return all === 0 ? <Status word="none yet" tone="plain" /> : <Status word="no trouble" tone="good" />;
}

/** The clusters by health, version and group; nothing while there is none. */
function Fleet({ resource }: { resource: Resource }) {
  const { all, counts } = useTable(resource, {}, { to: 0, countBy: byColumns });
  if (all === 0) return null;
  return (
    <>
      <h2 className="small-head">
        Clusters <span className="count">{all}</span>
      </h2>
      <div className="panels">
        {byColumns.map((name, index) => (
          <section key={name} className="panel" aria-label={`Clusters by ${wordOf(name)}`}>
            <header>By {wordOf(name)}</header>
            <Tally resource={resource} counts={counts[index] ?? []} isState={name === "Phase"} />
          </section>
        ))}
      </div>
    </>
  );
}

const wordOf = (column: string): string => (column === "Phase" ? "health" : column.toLowerCase());

interface TallyProps {
  readonly resource: Resource;
  readonly counts: readonly (readonly [string, number])[];
  readonly isState: boolean;
}

function Tally({ resource, counts, isState }: TallyProps) {
  return (
    <ul className="tally">
      {counts.slice(0, mostValues).map(([value, count]) => (
        <li key={value}>
          <Link to={paths.list(resource, { q: value })}>
            {isState ? <Status word={value || "not known yet"} /> : value || "none"}
          </Link>
          <span className="count">{count}</span>
        </li>
      ))}
      {counts.length > mostValues && <li className="count">and {counts.length - mostValues} more</li>}
    </ul>
  );
}

/** One table for all kinds. The kinds are the same as long as it is there. */
function Attention({ resources }: { resources: readonly Resource[] }) {
  const tables = resources.map((resource) => ({ resource, ...useTable(resource, {}, { troubled: true, to: most }) }));
  const rows = tables.flatMap(({ resource, rows: found, columns }) => found.map((row) => ({ resource, row, columns })));
  if (rows.length === 0) {
    return (
      <EmptyState titleText="Nothing" headingLevel="h3" variant="xs">
        <EmptyStateBody>
          Hosts, clusters and pods are well, or on their way. Trouble shows up here by itself.
        </EmptyStateBody>
      </EmptyState>
    );
  }
  return (
    <Table label="What needs attention" heads={["What", "State", "Where", "Age"]}>
      {rows.slice(0, most).map(({ resource, row, columns }) => (
        <Trouble key={row.metadata.uid} resource={resource} row={row} columns={columns} />
      ))}
    </Table>
  );
}

function Trouble({ resource, row, columns }: { resource: Resource; row: Row; columns: readonly Column[] }) {
  const { name, namespace, creationTimestamp } = row.metadata;
  return (
    <tr>
      <Td of="What">
        {resource.kind}{" "}
        <Link className="inline" to={paths.object(resource, namespace, name)}>
          {name}
        </Link>
      </Td>
      <Td of="State">
        <Status word={stateOf(row, columns)} />
      </Td>
      <Td of="Where">{namespace}</Td>
      <Td of="Age">
        <Age since={creationTimestamp} />
      </Td>
    </tr>
  );
}

/** What is under way, how far, and how it is called off; below it what happened lately. */
import { EmptyState, EmptyStateBody } from "@patternfly/react-core";
import { Link } from "@tanstack/react-router";
import { worstOf } from "../../live/several.ts";
import { useObjects, useTable } from "../../live/use.ts";
import { known, placed, type Resource, slugOf } from "../../model/resources.ts";
import { type Task, taskKinds, tasksOf } from "../../model/tasks.ts";
import { Age } from "../../parts/age.tsx";
import { useConsole } from "../../parts/context.ts";
import { Freshness } from "../../parts/freshness.tsx";
import { PageHead } from "../../parts/head.tsx";
import { KubectlHint } from "../../parts/kubectl.tsx";
import { Rows } from "../../parts/rows.tsx";
import { Status } from "../../parts/status.tsx";
import { Table, Td } from "../../parts/table.tsx";
import { paths } from "../../paths.ts";
import { CallOff } from "./off.tsx";

const events = known("events");
const most = 200;

/** `/infrastructure/tasks` */
export function Page() {
  const { serves } = useConsole();
  const kinds = placed.filter((each) => taskKinds.includes(each.kind) && serves(each));
  return (
    <section className="page">
      <Tasks key={kinds.map(slugOf).join()} kinds={kinds} />
      <Happened />
    </section>
  );
}

/** The kinds are the same as long as it is there. */
function Tasks({ kinds }: { kinds: readonly Resource[] }) {
  const parts = kinds.map((resource) => ({ resource, snapshot: useObjects(resource) }));
  const { phase, message } = worstOf(parts.map(({ snapshot }) => snapshot));
  const tasks = tasksOf(parts.map(({ resource, snapshot }) => ({ resource, objects: snapshot.items })));
  return (
    <>
      <PageHead
        title="Tasks and events"
        beside={<span className="count">{tasks.length} under way</span>}
        actions={
          <KubectlHint command="kubectl get deployments,statefulsets,daemonsets,jobs,persistentvolumeclaims -A" />
        }
      />
      <Freshness phase={phase} message={message} />
      {tasks.length === 0 && phase !== "loading" && (
        <EmptyState titleText="Nothing is under way" headingLevel="h2" variant="xs">
          <EmptyStateBody>
            Rollouts, jobs, clusters that are being attached, and what is being deleted show up here by themselves.
          </EmptyStateBody>
        </EmptyState>
      )}
      {tasks.length > 0 && (
        <Table label="Tasks" heads={["What", "State", "Progress", "Since", "What it says", ""]}>
          {tasks.slice(0, most).map((task) => (
            <Line key={task.object.metadata.uid} task={task} />
          ))}
        </Table>
      )}
      {tasks.length > most && <p className="count">And {tasks.length - most} more.</p>}
    </>
  );
}

function Line({ task }: { task: Task }) {
  const { resource, object, what, since, says, isStuck } = task;
  const { name, namespace } = object.metadata;
  return (
    <tr>
      <Td of="What">
        {resource.kind}{" "}
        <Link to={paths.object(resource, namespace, name)}>
          {namespace === undefined ? name : `${namespace}/${name}`}
        </Link>
      </Td>
      <Td of="State">
        <Status word={what} tone={isStuck ? "bad" : "busy"} />
      </Td>
      <Td of="Progress">
        <Progress task={task} />
      </Td>
      <Td of="Since">
        <Age since={since} />
      </Td>
      <Td of="What it says">{says}</Td>
      <Td of="">{task.off !== undefined && <CallOff task={task} off={task.off} />}</Td>
    </tr>
  );
}

function Progress({ task: { done, of, object, what } }: { task: Task }) {
  if (of === 0) return <span className="count">cannot be told</span>;
  return (
    <span className="meter">
      <span className="count">
        {done} of {of}
      </span>
      <span
        className="meter-bar"
        role="progressbar"
        aria-label={`${what} ${object.metadata.name}`}
        aria-valuemin={0}
        aria-valuemax={of}
        aria-valuenow={done}
      >
        <span style={{ width: `${(100 * done) / of}%` }} />
      </span>
    </span>
  );
}

function Happened() {
  const seen = useTable(events, {}, { sort: "Age", to: most });
  return (
    <>
      <h2 className="small-head">
        What happened lately <span className="count">{seen.all}</span>
      </h2>
      <Freshness phase={seen.phase} message={seen.message} />
      {seen.phase === "live" && seen.all === 0 && <p className="count">Nothing. Events are kept for an hour.</p>}
      {seen.rows.length > 0 && (
        <Rows resource={events} seen={seen} hasNamespaces sort="" onSort={() => undefined} onLook={() => undefined} />
      )}
    </>
  );
}

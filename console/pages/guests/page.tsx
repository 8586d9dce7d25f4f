/** Every guest of the Supervisor by host or by namespace, as an administrator of hosts looks at them: what runs where, for whom. */
import { EmptyState, EmptyStateBody, ToggleGroup, ToggleGroupItem } from "@patternfly/react-core";
import type { HostVM } from "@atoll/api/supervisor/v1alpha1/hostvm";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useObjects } from "../../live/use.ts";
import { spellBytes } from "../../model/amount.ts";
import { type Grouping, type Grove, grovesOf } from "../../model/guests.ts";
import { type Resource, resourceOf, resourceOfKind } from "../../model/resources.ts";
import { Age } from "../../parts/age.tsx";
import { Freshness } from "../../parts/freshness.tsx";
import { PageHead } from "../../parts/head.tsx";
import { KubectlHint } from "../../parts/kubectl.tsx";
import { Table, Td } from "../../parts/table.tsx";
import { paths } from "../../paths.ts";

const resource = resourceOf("hostvms.supervisor.atoll.dev");
const groupings: readonly { readonly by: Grouping; readonly title: string; readonly kind: string }[] = [
  { by: "host", title: "By host", kind: "Node" },
  { by: "namespace", title: "By namespace", kind: "Namespace" },
];

/** `/infrastructure/guests` */
export function Page() {
  return resource === undefined ? null : <Guests resource={resource} />;
}

function Guests({ resource: machinesOf }: { resource: Resource }) {
  const { by = "host" } = useSearch({ from: "/infrastructure/guests" });
  const navigate = useNavigate();
  const { items, phase, message } = useObjects(machinesOf);
  const machines = items as unknown as readonly HostVM[];
  const grouping = groupings.find((each) => each.by === by) ?? groupings[0];
  const groves = grovesOf(machines, grouping?.by ?? "host");
  return (
    <section className="page">
      <PageHead
        title="Guests"
        beside={<span className="count">{machines.length}</span>}
        actions={<KubectlHint command="kubectl get hostvms -o wide --watch" />}
      />
      <ToggleGroup aria-label="Grouped">
        {groupings.map((each) => (
          <ToggleGroupItem
            key={each.by}
            text={each.title}
            isSelected={each === grouping}
            onChange={() => void navigate({ to: paths.machines(each.by), replace: true })}
          />
        ))}
      </ToggleGroup>
      <Freshness phase={phase} message={message} />
      {phase === "live" && machines.length === 0 && (
        <EmptyState titleText="No guests" headingLevel="h2" variant="sm">
          <EmptyStateBody>Every Pod is a machine of its own; the first one that starts appears here.</EmptyStateBody>
        </EmptyState>
      )}
      {groves.map((grove) => (
        <Branch key={grove.name} grove={grove} kind={grouping?.kind ?? "Node"} />
      ))}
    </section>
  );
}

function Branch({ grove: { name, memoryMiB, machines }, kind }: { grove: Grove; kind: string }) {
  const of = resourceOfKind(kind);
  const isByHost = kind === "Node";
  return (
    <section aria-label={name}>
      <h2 className="small-head">
        {of === undefined ? name : <Link to={paths.object(of, undefined, name)}>{name}</Link>}{" "}
        <span className="count">
          {machines.length} {machines.length === 1 ? "guest" : "guests"}, {spellBytes(`${memoryMiB}Mi`)}
        </span>
      </h2>
      <Table
        label={`Guests of ${name}`}
        heads={["Guest", isByHost ? "Namespace" : "Host", "Machine", "Memory", "vCPU", "Accelerator", "Started", "Age"]}
      >
        {machines.map((machine) => (
          <Guest key={machine.metadata.uid} machine={machine} isByHost={isByHost} />
        ))}
      </Table>
    </section>
  );
}

function Guest({ machine: { metadata, spec }, isByHost }: { machine: HostVM; isByHost: boolean }) {
  const { owner, kind, memoryMiB, vcpus, accelerator, startedAs, startMs, node } = spec;
  const of = resourceOfKind(owner.kind);
  const text = `${owner.kind} ${owner.name}`;
  return (
    <tr>
      <Td of="Guest">
        {of === undefined ? text : <Link to={paths.object(of, owner.namespace, owner.name)}>{text}</Link>}
      </Td>
      <Td of={isByHost ? "Namespace" : "Host"}>{isByHost ? owner.namespace : node}</Td>
      <Td of="Machine">
        {resource !== undefined && <Link to={paths.object(resource, undefined, metadata.name ?? "")}>{kind}</Link>}
      </Td>
      <Td of="Memory">{spellBytes(`${memoryMiB}Mi`)}</Td>
      <Td of="vCPU">{vcpus}</Td>
      <Td of="Accelerator">{accelerator.toUpperCase()}</Td>
      <Td of="Started">
        {startedAs} in {startMs} ms
      </Td>
      <Td of="Age">
        <Age since={metadata.creationTimestamp} />
      </Td>
    </tr>
  );
}

/** What all clusters have, searched at the hub: one search, kept in the URL, with health and how old what is told is. */
import {
  Alert,
  Button,
  EmptyState,
  EmptyStateBody,
  FormSelect,
  FormSelectOption,
  SearchInput,
} from "@patternfly/react-core";
import type { ClusterInventory } from "@atoll/api/fleet/v1alpha1/clusterinventory";
import type { FleetCluster } from "@atoll/api/fleet/v1alpha1/fleetcluster";
import { type Found, searched } from "@atoll/fleet/explain/inventory";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useDeferredValue, useMemo, useState } from "react";
import type { Phase } from "../../live/collection.ts";
import { worstOf } from "../../live/several.ts";
import { useObjects } from "../../live/use.ts";
import { talliesOf } from "../../model/inventory.ts";
import { known, type Resource } from "../../model/resources.ts";
import { shortImages } from "../../model/words.ts";
import { Age } from "../../parts/age.tsx";
import { Freshness } from "../../parts/freshness.tsx";
import { PageHead } from "../../parts/head.tsx";
import { KubectlHint } from "../../parts/kubectl.tsx";
import { NamespaceChoice } from "../../parts/namespaces.tsx";
import { Status } from "../../parts/status.tsx";
import { Table, Td } from "../../parts/table.tsx";
import { type InventorySearch, paths } from "../../paths.ts";

const clusters = known("fleetclusters.fleet.atoll.dev");
const inventories: Resource = { ...clusters, kind: "ClusterInventory", plural: "clusterinventories" };
const step = 200;
const fewGaps = 3;

/** `/fleet/inventory` */
export function Page() {
  const search = useSearch({ from: "/fleet/inventory" });
  const { ns = "default", q = "", kind = "", cluster = "", only = "" } = search;
  const navigate = useNavigate();
  const { names, found, gaps, phase, message } = useFindings({ ns, q, cluster, only });
  const shown = kind === "" ? found : found.filter((one) => one.kind === kind);
  const show = (change: InventorySearch) =>
    void navigate({ to: paths.inventory({ ...search, ...change }), replace: true });

  return (
    <section className="page">
      <PageHead
        title="Inventory"
        beside={<span className="count">of {names.length} clusters</span>}
        actions={<KubectlHint command={commandOf(search)} />}
      />
      <div className="tools">
        <NamespaceChoice value={ns} onChange={(next) => show({ ns: next || "default", cluster: "" })} />
        <ClusterChoice names={names} value={cluster} onChange={(next) => show({ cluster: next })} />
        <SearchInput
          className="tools-search"
          aria-label="Find in the inventory"
          placeholder="Find by name, image, version, state…"
          value={q}
          onChange={(_, value) => show({ q: value })}
          onClear={() => show({ q: "" })}
        />
        <button
          type="button"
          className="chip"
          aria-pressed={only === "unhealthy"}
          onClick={() => show({ only: only === "unhealthy" ? "" : "unhealthy" })}
        >
          Only what is not well
        </button>
      </div>
      <Freshness phase={phase} message={message} />
      <Tallies found={found} kind={kind} onChoose={(next) => show({ kind: next })} />
      <Gaps gaps={gaps} />
      {shown.length === 0 && (phase === "live" || phase === "stale") && (
        <Nothing isEmpty={names.length === 0} onClear={() => show({ q: "", kind: "", cluster: "", only: "" })} />
      )}
      {shown.length > 0 && <Lines key={`${q} ${kind} ${cluster} ${only}`} found={shown} ns={ns} />}
    </section>
  );
}

interface Findings {
  /** Of all clusters of the organization. */
  readonly names: readonly string[];
  readonly found: readonly Found[];
  /** What could not be looked for. */
  readonly gaps: readonly string[];
  readonly phase: Phase;
  readonly message: string;
}

/** Of all kinds, so that each can say how much of it there is. */
function useFindings({ ns, q, cluster, only }: Record<"ns" | "q" | "cluster" | "only", string>): Findings {
  const [ofClusters, ofInventories] = [useObjects(clusters, { namespace: ns }), useObjects(inventories)];
  const words = useDeferredValue(q);
  const findings = useMemo(
    () =>
      searched(
        ofClusters.items as unknown as readonly FleetCluster[],
        ofInventories.items as unknown as readonly ClusterInventory[],
        {
          words: words.split(/\s+/).filter(Boolean),
          unhealthy: only === "unhealthy",
          ...(cluster === "" ? {} : { cluster }),
        },
      ),
    [ofClusters.items, ofInventories.items, words, only, cluster],
  );
  const names = ofClusters.items.map(({ metadata }) => metadata.name).toSorted();
  return { names, ...findings, ...worstOf([ofClusters, ofInventories]) };
}

function ClusterChoice({
  names,
  value,
  onChange,
}: {
  names: readonly string[];
  value: string;
  onChange: (name: string) => void;
}) {
  const all = [...new Set([...names, ...(value === "" ? [] : [value])])];
  return (
    <FormSelect className="tools-namespace" aria-label="Cluster" value={value} onChange={(_, next) => onChange(next)}>
      <FormSelectOption value="" label="All clusters" />
      {all.map((name) => (
        <FormSelectOption key={name} value={name} label={name} />
      ))}
    </FormSelect>
  );
}

/** How much is found of each kind, and how much of it is not well; one of them is chosen to see it alone. */
function Tallies({
  found,
  kind,
  onChoose,
}: {
  found: readonly Found[];
  kind: string;
  onChoose: (kind: string) => void;
}) {
  const tallies = talliesOf(found);
  if (tallies.length === 0 && kind === "") return null;
  return (
    <div className="chips" role="group" aria-label="Kinds">
      <Chip title="All" count={found.length} unhealthy={0} isChosen={kind === ""} onChoose={() => onChoose("")} />
      {tallies.map(({ kind: of, count, unhealthy }) => (
        <Chip
          key={of}
          title={of}
          count={count}
          unhealthy={unhealthy}
          isChosen={kind === of}
          onChoose={() => onChoose(kind === of ? "" : of)}
        />
      ))}
    </div>
  );
}

interface ChipProps {
  readonly title: string;
  readonly count: number;
  readonly unhealthy: number;
  readonly isChosen: boolean;
  onChoose(): void;
}

function Chip({ title, count, unhealthy, isChosen, onChoose }: ChipProps) {
  return (
    <button type="button" className="chip" aria-pressed={isChosen} onClick={onChoose}>
      {title} <span className="count">{count}</span>
      {unhealthy > 0 && <Status word={`${unhealthy} not well`} tone="warn" />}
    </button>
  );
}

/** What could not be looked at. */
function Gaps({ gaps }: { gaps: readonly string[] }) {
  if (gaps.length === 0) return null;
  return (
    <Alert variant="info" isInline title="Not all is told">
      <ul>
        {gaps.slice(0, fewGaps).map((gap) => (
          <li key={gap}>{gap}</li>
        ))}
        {gaps.length > fewGaps && <li>and {gaps.length - fewGaps} more</li>}
      </ul>
    </Alert>
  );
}

function Nothing({ isEmpty, onClear }: { isEmpty: boolean; onClear: () => void }) {
  if (isEmpty) {
    return (
      <EmptyState titleText="No clusters here yet" headingLevel="h2" variant="sm">
        <EmptyStateBody>
          <Link className="inline" to={paths.attach()}>
            Attach one
          </Link>
          , or choose another organization. Its agent tells what it has within a minute.
        </EmptyStateBody>
      </EmptyState>
    );
  }
  return (
    <EmptyState titleText="Nothing is found" headingLevel="h2" variant="sm">
      <Button variant="link" isInline onClick={onClear}>
        Show all
      </Button>
    </EmptyState>
  );
}

function Lines({ found, ns }: { found: readonly Found[]; ns: string }) {
  const [most, setMost] = useState(step);
  return (
    <>
      <Table label="Inventory" heads={["Name", "Kind", "Namespace", "Cluster", "State", "Version", "Seen"]}>
        {found.slice(0, most).map((one) => (
          <Line key={`${one.cluster}/${one.kind}/${one.namespace}/${one.name}`} one={one} ns={ns} />
        ))}
      </Table>
      {found.length > most && (
        <p>
          {most} of {found.length} are shown.{" "}
          <Button variant="link" isInline onClick={() => setMost(most + step)}>
            Show more
          </Button>
        </p>
      )}
    </>
  );
}

function Line({ one, ns }: { one: Found; ns: string }) {
  const { cluster, kind, namespace, name, state, version, healthy, asOf } = one;
  return (
    <tr>
      <Td of="Name">{name}</Td>
      <Td of="Kind">{kind}</Td>
      <Td of="Namespace">{namespace}</Td>
      <Td of="Cluster">
        <Link to={paths.object(clusters, ns, cluster)}>{cluster}</Link>
      </Td>
      <Td of="State">
        <Status word={state} tone={healthy ? "good" : "warn"} />
      </Td>
      <Td of="Version">{version !== "" && <span title={version}>{shortImages(version)}</span>}</Td>
      <Td of="Seen">{asOf === undefined ? "never" : <Ago since={asOf} />}</Td>
    </tr>
  );
}

const Ago = ({ since }: { since: string }) => (
  <>
    <Age since={since} /> ago
  </>
);

function commandOf({ ns = "default", q = "", kind = "", cluster = "", only = "" }: InventorySearch): string {
  const parts = ["./atoll inventory", q, ns === "default" ? "" : `--org ${ns}`];
  const flags = [kind && `--kind ${kind}`, cluster && `--cluster ${cluster}`, only === "" ? "" : "--unhealthy"];
  return [...parts, ...flags].filter(Boolean).join(" ");
}

/** The objects of a kind, live: the server's own columns, found and sorted by the portal, what is shown kept in the URL. */
import { Bullseye, Button, EmptyState, EmptyStateBody, SearchInput, Spinner, Tooltip } from "@patternfly/react-core";
import { Link, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { useRefusal } from "../../live/may.ts";
import { useTable } from "../../live/use.ts";
import type { Seen } from "../../live/table.ts";
import { apiVersionOf, kubectlName, placedKind, type Resource, slugOf } from "../../model/resources.ts";
import type { Titled } from "../../model/served.ts";
import { useConsole } from "../../parts/context.ts";
import { Freshness } from "../../parts/freshness.tsx";
import { PageHead } from "../../parts/head.tsx";
import { KubectlHint } from "../../parts/kubectl.tsx";
import { NamespaceChoice } from "../../parts/namespaces.tsx";
import { NoKind } from "../../parts/nokind.tsx";
import { Rows } from "../../parts/rows.tsx";
import type { ListSearch } from "../../paths.ts";
import { paths } from "../../paths.ts";

/** `/k/$slug` */
export function Page() {
  const { slug } = useParams({ from: "/k/$slug" });
  const resource = useConsole().titledOf(slug);
  return resource === undefined ? <NoKind slug={slug} /> : <List key={slug} resource={resource} />;
}

function List({ resource }: { resource: Titled }) {
  const { title } = resource;
  const search = useSearch({ from: "/k/$slug" });
  const navigate = useNavigate();
  const { ns = "", q = "", sort = "", wide = "" } = search;
  const [part, setPart] = useState<{ from: number; to: number }>();
  const seen = useTable(resource, { namespace: ns }, { words: q, sort, ...part });
  const { phase, message, found, all } = seen;

  const show = (change: ListSearch) =>
    void navigate({ to: paths.list(resource, { ...search, ...change }), replace: true });

  return (
    <section className="page">
      <PageHead
        title={title}
        over={placedKind(resource) === "" ? <KindOver resource={resource} /> : undefined}
        beside={<span className="count">{countOf(seen)}</span>}
        actions={
          <>
            <KubectlHint command={commandOf(resource, search)} />
            <Maker resource={resource} ns={ns} />
          </>
        }
      />
      <Tools resource={resource} seen={seen} search={search} onShow={show} />
      <Freshness phase={phase} message={message} />
      {phase === "loading" && found === 0 && (
        <Bullseye>
          <Spinner aria-label="Loading" />
        </Bullseye>
      )}
      {found > 0 && (
        <Rows
          resource={resource}
          seen={seen}
          hasNamespaces={resource.namespaced && ns === ""}
          isWide={wide !== ""}
          sort={sort}
          onSort={(by) => show({ sort: by })}
          onLook={setPart}
        />
      )}
      {phase !== "loading" && phase !== "refused" && found === 0 && (
        <Nothing title={title} isFiltered={all > 0} onClear={() => show({ q: "" })} />
      )}
    </section>
  );
}

interface ToolsProps {
  readonly resource: Titled;
  readonly seen: Seen;
  readonly search: ListSearch;
  onShow(change: ListSearch): void;
}

/** What is shown of them. */
function Tools({ resource, seen, search: { ns = "", q = "", wide = "" }, onShow }: ToolsProps) {
  const hasMore = seen.columns.some(({ priority }) => priority > 0);
  return (
    <div className="tools">
      {resource.namespaced && <NamespaceChoice value={ns} onChange={(next) => onShow({ ns: next })} />}
      <SearchInput
        className="tools-search"
        aria-label={`Find in ${resource.title}`}
        placeholder="Find by name, label, state…"
        value={q}
        onChange={(_, value) => onShow({ q: value })}
        onClear={() => onShow({ q: "" })}
      />
      {hasMore && (
        <button
          type="button"
          className="chip"
          aria-pressed={wide !== ""}
          onClick={() => onShow({ wide: wide === "" ? "yes" : "" })}
        >
          All columns
        </button>
      )}
    </div>
  );
}

/** Where a kind without a place is found. */
function KindOver({ resource }: { resource: Resource }) {
  return (
    <>
      <Link to={paths.kinds()}>All kinds</Link> {apiVersionOf(resource)}
    </>
  );
}

/** Where one more is made: a cluster is attached, anything else is written. Who may not is told so. */
function Maker({ resource, ns }: { resource: Resource; ns: string }) {
  const refusal = useRefusal({ verb: "create", resource, namespace: ns });
  // Of all namespaces at once nobody is asked: one may do.
  if (refusal !== "" && (ns !== "" || !resource.namespaced)) {
    return (
      <Tooltip content={refusal}>
        <Button isAriaDisabled>Create</Button>
      </Tooltip>
    );
  }
  const to =
    resource.kind === "FleetCluster" ? paths.attach(ns) : paths.create(ns, placedKind(resource) || slugOf(resource));
  return <Button component={(props: object) => <Link {...props} to={to} />}>Create</Button>;
}

function Nothing({ title, isFiltered, onClear }: { title: string; isFiltered: boolean; onClear: () => void }) {
  return (
    <EmptyState
      titleText={isFiltered ? "Nothing has all these words" : `No ${title.toLowerCase()} here yet`}
      headingLevel="h2"
      variant="sm"
    >
      <EmptyStateBody>
        {isFiltered ? (
          <Button variant="link" isInline onClick={onClear}>
            Show all
          </Button>
        ) : (
          "Create one from YAML, or choose another namespace. What others make appears by itself."
        )}
      </EmptyStateBody>
    </EmptyState>
  );
}

function countOf({ phase, found, all, rows }: Seen): string {
  if (phase === "loading" && rows.length === 0) return "loading…";
  // While rows are still being read there may be more that match.
  return phase === "loading" || found === all ? String(all) : `${found} of ${all}`;
}

function commandOf(resource: Resource, { ns = "", wide }: ListSearch): string {
  const named = placedKind(resource) === "" ? kubectlName(resource) : resource.plural;
  return `kubectl get ${named}${namespaceFlag(resource, ns)}${wide === undefined ? "" : " -o wide"} --watch`;
}

function namespaceFlag({ namespaced }: Resource, ns: string): string {
  if (!namespaced) return "";
  return ns === "" ? " -A" : ` -n ${ns}`;
}

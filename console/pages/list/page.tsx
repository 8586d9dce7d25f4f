/** The objects of a kind, live: the server's own columns, found and sorted by the portal, what is shown kept in the URL. */
import { Bullseye, Button, EmptyState, EmptyStateBody, SearchInput, Spinner, Tooltip } from "@patternfly/react-core";
import { Link, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { useRefusal } from "../../live/may.ts";
import { useTable } from "../../live/use.ts";
import type { Seen } from "../../live/table.ts";
import { type Resource, resourceOf } from "../../model/resources.ts";
import { Freshness } from "../../parts/freshness.tsx";
import { PageHead } from "../../parts/head.tsx";
import { KubectlHint } from "../../parts/kubectl.tsx";
import { NamespaceChoice } from "../../parts/namespaces.tsx";
import { Rows } from "../../parts/rows.tsx";
import type { ListSearch } from "../../paths.ts";
import { paths } from "../../paths.ts";

/** `/k/$slug` */
export function Page() {
  const { slug } = useParams({ from: "/k/$slug" });
  const resource = resourceOf(slug);
  if (resource === undefined) return <EmptyState titleText={`There is no page for ${slug}`} headingLevel="h1" />;
  return <List key={slug} resource={resource} title={resource.title} />;
}

function List({ resource, title }: { resource: Resource; title: string }) {
  const search = useSearch({ from: "/k/$slug" });
  const navigate = useNavigate();
  const { ns = "", q = "", sort = "" } = search;
  const [part, setPart] = useState<{ from: number; to: number }>();
  const seen = useTable(resource, { namespace: ns }, { words: q, sort, ...part });
  const { phase, message, found, all } = seen;

  const show = (change: ListSearch) =>
    void navigate({ to: paths.list(resource, { ...search, ...change }), replace: true });

  return (
    <section className="page">
      <PageHead
        title={title}
        beside={<span className="count">{countOf(seen)}</span>}
        actions={
          <>
            <KubectlHint command={`kubectl get ${resource.plural}${namespaceFlag(resource, ns)} --watch`} />
            <Maker resource={resource} ns={ns} />
          </>
        }
      />
      <div className="tools">
        {resource.namespaced && <NamespaceChoice value={ns} onChange={(next) => show({ ns: next })} />}
        <SearchInput
          className="tools-search"
          aria-label={`Find in ${title}`}
          placeholder="Find by name, label, state…"
          value={q}
          onChange={(_, value) => show({ q: value })}
          onClear={() => show({ q: "" })}
        />
      </div>
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
  const to = resource.kind === "FleetCluster" ? paths.attach(ns) : paths.create(ns, resource.kind);
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

function namespaceFlag({ namespaced }: Resource, ns: string): string {
  if (!namespaced) return "";
  return ns === "" ? " -A" : ` -n ${ns}`;
}

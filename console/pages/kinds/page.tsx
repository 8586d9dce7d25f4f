/** Every kind that the server serves and lists, found by words: what somebody added to the cluster comes first. */
import { Button, EmptyState, SearchInput } from "@patternfly/react-core";
import { matching } from "@atoll/portal/view/matching";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useEffect } from "react";
import { apiVersionOf, slugOf } from "../../model/resources.ts";
import { isCustom, isListed, type Served } from "../../model/served.ts";
import { useConsole } from "../../parts/context.ts";
import { PageHead } from "../../parts/head.tsx";
import { KubectlHint } from "../../parts/kubectl.tsx";
import { Table, Td } from "../../parts/table.tsx";
import { paths } from "../../paths.ts";

const definitions = "customresourcedefinitions.apiextensions.k8s.io";

/** `/kinds` */
export function Page() {
  const { q = "" } = useSearch({ from: "/kinds" });
  const navigate = useNavigate();
  const { kinds, rediscover, titledOf } = useConsole();
  useEffect(() => {
    void rediscover();
    // Once for each visit.
    // oxlint-disable-next-line react-hooks/exhaustive-deps
  }, []);
  const all = [...kinds.values()]
    .filter(isListed)
    .toSorted((a, b) => Number(isCustom(b)) - Number(isCustom(a)) || order(a).localeCompare(order(b)));
  const shown = matching(all, q, (each) => [each.kind, slugOf(each), each.version, ...each.shortNames].join(" "));
  const custom = all.filter(isCustom).length;
  const ofDefinitions = titledOf(definitions);
  const show = (words: string) => void navigate({ to: paths.kinds(words), replace: true });
  return (
    <section className="page">
      <PageHead
        title="All kinds"
        beside={
          <span className="count">
            {shown.length === all.length ? all.length : `${shown.length} of ${all.length}`}, {custom} added to the
            cluster
          </span>
        }
        actions={<KubectlHint command="kubectl api-resources --verbs=list,watch" />}
      />
      <div className="tools">
        <SearchInput
          className="tools-search"
          aria-label="Find in kinds"
          placeholder="Find by kind, group, short name…"
          value={q}
          onChange={(_, value) => show(value)}
          onClear={() => show("")}
        />
        {ofDefinitions !== undefined && (
          <Link className="inline" to={paths.list(ofDefinitions)}>
            Definitions
          </Link>
        )}
      </div>
      {shown.length === 0 ? (
        <EmptyState titleText="No kind has all these words" headingLevel="h2" variant="sm">
          <Button variant="link" onClick={() => show("")}>
            Show all
          </Button>
        </EmptyState>
      ) : (
        <Table label="Kinds" heads={["Kind", "Group", "Scope", "Short", "From"]}>
          {shown.map((kind) => (
            <Line key={slugOf(kind)} kind={kind} />
          ))}
        </Table>
      )}
    </section>
  );
}

const order = (kind: Served): string => `${kind.group} ${kind.kind}`;

function Line({ kind }: { kind: Served }) {
  return (
    <tr>
      <Td of="Kind">
        <Link to={paths.list(kind)}>{kind.kind}</Link>
      </Td>
      <Td of="Group">{apiVersionOf(kind)}</Td>
      <Td of="Scope">{kind.namespaced ? "Namespaced" : "Cluster"}</Td>
      <Td of="Short">{kind.shortNames.join(", ")}</Td>
      <Td of="From">{fromOf(kind)}</Td>
    </tr>
  );
}

function fromOf(kind: Served): string {
  if (isCustom(kind)) return "added";
  return kind.group.endsWith(".atoll.dev") ? "Atoll" : "Kubernetes";
}

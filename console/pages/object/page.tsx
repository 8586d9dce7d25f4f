/** One object: how it is, its YAML, what happened to it; of a pod its logs and a terminal. */
import {
  Bullseye,
  Button,
  EmptyState,
  EmptyStateBody,
  Spinner,
  Tab as PfTab,
  Tabs,
  TabTitleText,
} from "@patternfly/react-core";
import { Link, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { lazy, Suspense } from "react";
import { useObject } from "../../live/use.ts";
import type { AnyObject } from "../../model/object.ts";
import { placedKind, type Resource } from "../../model/resources.ts";
import type { Titled } from "../../model/served.ts";
import { toYaml } from "../../model/yaml.ts";
import { useConsole } from "../../parts/context.ts";
import { Freshness } from "../../parts/freshness.tsx";
import { PageHead } from "../../parts/head.tsx";
import { KubectlHint } from "../../parts/kubectl.tsx";
import { NoKind } from "../../parts/nokind.tsx";
import { Status } from "../../parts/status.tsx";
import { namespaceOf, paths, type Tab } from "../../paths.ts";
import { ActionMenu } from "./actionmenu.tsx";
import { podSelector, sameByHand } from "./actions.ts";
import { Events } from "./events.tsx";
import { Summary } from "./summary.tsx";

const Write = lazy(async () => ({ default: (await import("../../parts/write.tsx")).Write }));
const Policies = lazy(async () => ({ default: (await import("./policies.tsx")).Policies }));
const Logs = lazy(async () => ({ default: (await import("./logs.tsx")).Logs }));
const LogsOf = lazy(async () => ({ default: (await import("./logs.tsx")).LogsOf }));
const Terminal = lazy(async () => ({ default: (await import("./terminal.tsx")).Terminal }));
const History = lazy(async () => ({ default: (await import("./history.tsx")).History }));

const tabs: readonly { readonly tab: Tab; readonly title: string; readonly kinds?: readonly string[] }[] = [
  { tab: "summary", title: "Summary" },
  { tab: "policies", title: "Policies", kinds: ["FleetCluster"] },
  { tab: "logs", title: "Logs", kinds: ["Pod", "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job"] },
  { tab: "terminal", title: "Terminal", kinds: ["Pod"] },
  { tab: "history", title: "History", kinds: ["Deployment"] },
  { tab: "events", title: "Events" },
  { tab: "yaml", title: "YAML" },
];

/** `/k/$slug/$namespace/$name` */
export function Page() {
  const { slug, namespace, name } = useParams({ from: "/k/$slug/$namespace/$name" });
  const resource = useConsole().titledOf(slug);
  if (resource === undefined) return <NoKind slug={slug} />;
  return (
    <One key={`${slug}/${namespace}/${name}`} resource={resource} namespace={namespaceOf(namespace)} name={name} />
  );
}

interface OneProps {
  readonly resource: Titled;
  readonly namespace: string;
  readonly name: string;
}

function One({ resource, namespace, name }: OneProps) {
  const { object, snapshot } = useObject(resource, namespace, name);
  const { tab = "summary" } = useSearch({ from: "/k/$slug/$namespace/$name" });
  const navigate = useNavigate();
  const { kind, title } = resource;
  const list = paths.list(resource, { ns: namespace });
  const shown = tabs.filter(({ kinds }) => kinds === undefined || kinds.includes(placedKind(resource)));

  return (
    <section className="page">
      <PageHead
        title={name}
        over={
          <>
            <Link to={list}>{title}</Link>
            {namespace !== "" && ` in ${namespace}`}
          </>
        }
        beside={object !== undefined && <State object={object} />}
        actions={object !== undefined && <Actions resource={resource} object={object} list={list} tab={tab} />}
      />
      <Freshness phase={snapshot.phase} message={snapshot.message} />
      {snapshot.phase === "loading" && (
        <Bullseye>
          <Spinner aria-label="Loading" />
        </Bullseye>
      )}
      {object === undefined && snapshot.phase === "live" && <Gone kind={kind} name={name} list={list} />}
      {object !== undefined && (
        <Tabs
          activeKey={tab}
          aria-label="Parts"
          mountOnEnter
          unmountOnExit
          onSelect={(_, key) =>
            void navigate({ to: paths.object(resource, namespace, name, key as Tab), replace: true })
          }
        >
          {shown.map((each) => (
            <PfTab key={each.tab} eventKey={each.tab} title={<TabTitleText>{each.title}</TabTitleText>}>
              <Suspense fallback={<Spinner aria-label="Loading" />}>
                <Content tab={each.tab} resource={resource} object={object} />
              </Suspense>
            </PfTab>
          ))}
        </Tabs>
      )}
    </section>
  );
}

interface ActionsProps {
  readonly resource: Resource;
  readonly object: AnyObject;
  readonly list: string;
  readonly tab: Tab;
}

function Actions({ resource, object, list, tab }: ActionsProps) {
  const navigate = useNavigate();
  return (
    <>
      {placedKind(resource) === "FleetCluster" && (
        <Link to={paths.inventory({ ns: object.metadata.namespace, cluster: object.metadata.name })}>Inventory</Link>
      )}
      <KubectlHint command={sameByHand(tab, { resource, object })} />
      <ActionMenu target={{ resource, object }} onGone={() => void navigate({ to: list })} />
    </>
  );
}

function Content({ tab, resource, object }: { tab: Tab; resource: Resource; object: AnyObject }) {
  switch (tab) {
    case "policies":
      return <Policies cluster={object} />;
    case "logs":
      return <LogsTab object={object} />;
    case "terminal":
      return <Terminal pod={object} />;
    case "history":
      return <History resource={resource} object={object} />;
    case "events":
      return <Events of={object.metadata} />;
    case "yaml":
      return <Yaml resource={resource} object={object} />;
    case "summary":
      return <Summary resource={resource} object={object} />;
  }
}

/** Of a pod its own; of a workload those of all its pods. */
function LogsTab({ object }: { object: AnyObject }) {
  const selector = object.spec?.["containers"] === undefined ? podSelector(object) : undefined;
  if (selector === undefined) return <Logs pods={[object]} />;
  return <LogsOf selector={selector} namespace={object.metadata.namespace ?? ""} />;
}

/** What is being edited stays as it was read: a change by somebody else is a conflict when it is saved. */
function Yaml({ resource, object }: { resource: Resource; object: AnyObject }) {
  const navigate = useNavigate();
  const { name, namespace = "" } = object.metadata;
  const whole = {
    apiVersion: [resource.group, resource.version].filter(Boolean).join("/"),
    kind: resource.kind,
    ...object,
  };
  return (
    <Write
      kind={placedKind(resource)}
      text={toYaml(whole)}
      namespace={namespace}
      onSaved={() => void navigate({ to: paths.object(resource, namespace, name) })}
    />
  );
}

function State({ object: { metadata, status } }: { object: AnyObject }) {
  if (metadata.deletionTimestamp !== undefined) return <Status word="Terminating" />;
  const phase = status?.["phase"];
  if (typeof phase === "string") return <Status word={phase} />;
  const condition = status?.conditions?.find(({ type }) => type === "Ready" || type === "Available");
  if (condition === undefined) return null;
  if (condition.status === "True") return <Status word={condition.type} />;
  return <Status word={`Not ${condition.type.toLowerCase()}`} tone="warn" />;
}

function Gone({ kind, name, list }: { kind: string; name: string; list: string }) {
  return (
    <EmptyState titleText={`There is no ${kind} ${name}`} headingLevel="h2" variant="sm">
      <EmptyStateBody>It was deleted, or never was.</EmptyStateBody>
      <Button variant="link" component={(props: object) => <Link {...props} to={list} />}>
        What there is
      </Button>
    </EmptyState>
  );
}

/** Attaching a cluster: its name, what is applied or run where it can be reached, and how far it is. */
import {
  Alert,
  Button,
  Checkbox,
  Form,
  FormGroup,
  FormSelect,
  FormSelectOption,
  ExpandableSection,
  ProgressStep,
  ProgressStepper,
  Spinner,
  Tab,
  Tabs,
  TabTitleText,
  TextInput,
} from "@patternfly/react-core";
import { Link, useSearch } from "@tanstack/react-router";
import { type FormEvent, useEffect, useState } from "react";
import { mostSeen } from "@atoll/portal/view/view";
import { useObject, useTable } from "../../live/use.ts";
import { attach, type Awaited, byHand, isOutOfReach, manifestOf, registryOf } from "../../model/attach.ts";
import { type Resource, resourceOf } from "../../model/resources.ts";
import { PageHead } from "../../parts/head.tsx";
import { KubectlHint } from "../../parts/kubectl.tsx";
import { paths } from "../../paths.ts";

const clusters = resourceOf("fleetclusters.fleet.atoll.dev");
const groups = resourceOf("clustergroups.fleet.atoll.dev");

/** `/fleet/attach` */
export function Page() {
  const { ns = "default" } = useSearch({ from: "/fleet/attach" });
  if (clusters === undefined || groups === undefined) return null;
  return <Wizard ns={ns} clusters={clusters} groups={groups} />;
}

function Wizard({ ns, clusters: ofClusters, groups: ofGroups }: { ns: string; clusters: Resource; groups: Resource }) {
  const [under, setUnder] = useState<Awaited>();
  return (
    <section className="page">
      <PageHead
        title="Attach a cluster"
        beside={<span className="count">in {ns}</span>}
        actions={<KubectlHint command={commandOf(ns, under)} />}
      />
      {under === undefined ? (
        <Naming ns={ns} groups={ofGroups} onNamed={setUnder} />
      ) : (
        <Following ns={ns} under={under} clusters={ofClusters} />
      )}
    </section>
  );
}

interface FollowingProps {
  readonly ns: string;
  readonly under: Awaited;
  readonly clusters: Resource;
}

function Naming({
  ns,
  groups: ofGroups,
  onNamed,
}: {
  ns: string;
  groups: Resource;
  onNamed: (under: Awaited) => void;
}) {
  const { rows } = useTable(ofGroups, { namespace: ns }, { to: mostSeen });
  const [name, setName] = useState("");
  const [group, setGroup] = useState("");
  const [reachable, setReachable] = useState(false);
  const [failure, setFailure] = useState("");
  const [isBusy, setBusy] = useState(false);

  async function go(event: FormEvent) {
    event.preventDefault();
    setBusy(true);
    setFailure("");
    try {
      onNamed(await attach({ organization: ns, name, group: group || undefined, reachable }));
    } catch (error) {
      setFailure(error instanceof Error ? error.message : String(error));
      setBusy(false);
    }
  }

  return (
    <Form className="object-form narrow" aria-label="Attach a cluster" onSubmit={(event) => void go(event)}>
      {failure !== "" && <Alert variant="danger" isInline title={failure} />}
      <FormGroup label="Name" fieldId="name" isRequired>
        <TextInput id="name" value={name} onChange={(_, next) => setName(next)} isRequired />
      </FormGroup>
      <FormGroup label="Group" fieldId="group">
        <FormSelect id="group" value={group} onChange={(_, next) => setGroup(next)}>
          <FormSelectOption value="" label="None: the organization alone" />
          {rows.map(({ metadata }) => (
            <FormSelectOption key={metadata.uid} value={metadata.name} label={metadata.name} />
          ))}
        </FormSelect>
      </FormGroup>
      <Checkbox
        id="reachable"
        label="People may reach its API through the hub"
        description="As themselves, with what the cluster lets them do. It can be agreed later."
        isChecked={reachable}
        onChange={(_, isChecked) => setReachable(isChecked)}
      />
      <Button type="submit" isLoading={isBusy} isDisabled={isBusy || name === ""}>
        Attach
      </Button>
    </Form>
  );
}

function Following({ ns, under, clusters: ofClusters }: FollowingProps) {
  const { name } = under;
  const { object } = useObject(ofClusters, ns, name);
  const isReady = object?.status?.["phase"] === "Ready";
  const why = object?.status?.conditions?.find(({ type }) => type === "Ready")?.message ?? "";
  return (
    <>
      <Progress isReady={isReady} why={why} />
      {isReady ? (
        <p>
          <Link className="inline" to={paths.object(ofClusters, ns, name)}>
            {name}
          </Link>{" "}
          is attached: the policies of its organization and its groups hold there now.
        </p>
      ) : (
        <Ways under={under} />
      )}
    </>
  );
}

/** The same token goes with both: whichever comes in first has used it. */
function Ways({ under }: { under: Awaited }) {
  const [way, setWay] = useState<string | number>("manifest");
  return (
    <Tabs activeKey={way} aria-label="Ways to attach" onSelect={(_, key) => setWay(key)}>
      <Tab eventKey="manifest" title={<TabTitleText>By kubectl</TabTitleText>}>
        <ByManifest under={under} />
      </Tab>
      <Tab eventKey="hand" title={<TabTitleText>Agent run by hand</TabTitleText>}>
        <div className="stack tab-body">
          <p>
            Run this where both {under.name} and the hub can be reached, with Atoll there. The token is good once, for
            ten minutes; the agent makes its own key, and connects outwards only.
          </p>
          <Commands id="commands" text={byHand(under)} />
        </div>
      </Tab>
    </Tabs>
  );
}

/** The gateway makes the agent's image when it is first wanted, which takes a while. */
function ByManifest({ under }: { under: Awaited }) {
  const [text, setText] = useState("");
  const [failure, setFailure] = useState("");
  useEffect(() => {
    const stop = new AbortController();
    manifestOf(under, stop.signal).then(setText, (error: unknown) => {
      if (!stop.signal.aborted) setFailure(error instanceof Error ? error.message : String(error));
    });
    return () => stop.abort();
  }, [under]);
  return (
    <div className="stack tab-body">
      {isOutOfReach(under) && (
        <Alert variant="warning" isInline title="Only this host reaches the gateway">
          It listens at {registryOf(under)}. Start the hub with --gateway-address ADDRESS, one that {under.name}{" "}
          reaches, and attach again; or run the agent by hand.
        </Alert>
      )}
      {failure !== "" && (
        <Alert variant="danger" isInline title="There is no image of the agent">
          {failure} The agent can be run by hand.
        </Alert>
      )}
      {text === "" && failure === "" && (
        <p className="waits">
          <Spinner size="md" aria-label="Making the agent's image" /> The gateway makes the agent's image, once: this
          takes about two minutes.
        </p>
      )}
      {text !== "" && (
        <>
          <p>
            Run this where kubectl reaches {under.name}; nothing else is needed there. The token in it is good once, for
            ten minutes; the agent makes its own key, and connects outwards only.
          </p>
          <Commands id="manifest" text={text} />
          <Trust registry={registryOf(under)} />
        </>
      )}
    </div>
  );
}

/** What nodes that are not Atoll's must be told, once. */
function Trust({ registry }: { registry: string }) {
  const folder = `/etc/containerd/certs.d/${registry}`;
  return (
    <ExpandableSection toggleText="Nodes with containerd must trust the hub's registry">
      <div className="stack">
        <p>
          They pull the agent's image from {registry}. Hosts of Atoll trust it by what the manifest brings. On others,
          as root, with the certificate of the second tab as NAME-gateway.crt:
        </p>
        <Commands id="trust" text={trustOf(registry, folder)} />
      </div>
    </ExpandableSection>
  );
}

/** Source: containerd docs/hosts.md */
const trustOf = (registry: string, folder: string): string =>
  [
    `mkdir -p ${folder}`,
    `cp NAME-gateway.crt ${folder}/ca.crt`,
    `printf 'server = "https://${registry}"\nca = "${folder}/ca.crt"\n' > ${folder}/hosts.toml`,
    "",
  ].join("\n");

function commandOf(ns: string, under: Awaited | undefined): string {
  const org = ns === "default" ? "" : ` --org ${ns}`;
  const flag = under?.reachable === true ? " --reachable" : "";
  return `./atoll cluster attach ${under?.name ?? "NAME"}${org}${flag} | kubectl --context CONTEXT apply -f -`;
}

/** @param why it is not ready yet, as the hub says */
function Progress({ isReady, why }: { isReady: boolean; why: string }) {
  const waiting = isReady ? "Its agent came in" : "Waiting for its agent";
  return (
    <ProgressStepper aria-label="Progress">
      <ProgressStep variant="success" id="known" titleId="known-title" aria-label="done: the hub knows it">
        The hub knows it
      </ProgressStep>
      <ProgressStep
        variant={isReady ? "success" : "info"}
        isCurrent={!isReady}
        id="agent"
        titleId="agent-title"
        aria-label={waiting}
        description={isReady ? "" : why}
      >
        {waiting}
      </ProgressStep>
      <ProgressStep
        variant={isReady ? "success" : "pending"}
        id="ready"
        titleId="ready-title"
        aria-label={isReady ? "done: ready" : "not ready yet"}
      >
        Ready
      </ProgressStep>
    </ProgressStepper>
  );
}

/** Commands to paste: copied by one button, and there to be read. */
function Commands({ id, text }: { id: string; text: string }) {
  const [isCopied, setCopied] = useState(false);
  return (
    <div className="commands">
      <Button
        variant={id === "trust" ? "secondary" : "primary"}
        onClick={() => void navigator.clipboard.writeText(text).then(() => setCopied(true))}
      >
        {isCopied ? "Copied" : "Copy"}
      </Button>
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls has to be reached by keys */}
      <pre data-testid={id} tabIndex={0} role="region" aria-label="Commands">
        {text}
      </pre>
    </div>
  );
}

/** Attaching a cluster: its name, the commands to run where it can be reached, and how far it is. */
import {
  Alert,
  Button,
  Checkbox,
  ClipboardCopyButton,
  CodeBlock,
  CodeBlockAction,
  CodeBlockCode,
  Form,
  FormGroup,
  FormSelect,
  FormSelectOption,
  ProgressStep,
  ProgressStepper,
  TextInput,
} from "@patternfly/react-core";
import { Link, useSearch } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { mostSeen } from "@atoll/portal/view/view";
import { useObject, useTable } from "../../live/use.ts";
import { attach } from "../../model/attach.ts";
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

interface Under {
  readonly name: string;
  readonly commands: string;
}

function Wizard({ ns, clusters: ofClusters, groups: ofGroups }: { ns: string; clusters: Resource; groups: Resource }) {
  const [under, setUnder] = useState<Under>();
  return (
    <section className="page">
      <PageHead
        title="Attach a cluster"
        beside={<span className="count">in {ns}</span>}
        actions={<KubectlHint command={`./atoll cluster attach ${under?.name ?? "NAME"} --org ${ns}`} />}
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
  readonly under: Under;
  readonly clusters: Resource;
}

function Naming({ ns, groups: ofGroups, onNamed }: { ns: string; groups: Resource; onNamed: (under: Under) => void }) {
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
      onNamed({ name, commands: await attach({ organization: ns, name, group: group || undefined, reachable }) });
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

function Following({ ns, under: { name, commands }, clusters: ofClusters }: FollowingProps) {
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
        <>
          <p>
            Run this where both the cluster and the hub can be reached. The token is good once, for ten minutes; the
            agent makes its own key, and connects outwards only.
          </p>
          <Commands text={commands} />
        </>
      )}
    </>
  );
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

function Commands({ text }: { text: string }) {
  const [isCopied, setCopied] = useState(false);
  return (
    <CodeBlock
      actions={
        <CodeBlockAction>
          <ClipboardCopyButton
            id="copy-commands"
            textId="commands"
            aria-label="Copy the commands"
            variant="plain"
            onClick={() => void navigator.clipboard.writeText(text).then(() => setCopied(true))}
          >
            {isCopied ? "Copied" : "Copy"}
          </ClipboardCopyButton>
        </CodeBlockAction>
      }
    >
      <CodeBlockCode id="commands" data-testid="commands">
        {text}
      </CodeBlockCode>
    </CodeBlock>
  );
}

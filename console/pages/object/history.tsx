/** The revisions of a Deployment, and the way back to one. */
import { Alert, Button, ClipboardCopy, Modal, ModalBody, ModalFooter, ModalHeader } from "@patternfly/react-core";
import { Table, Td } from "../../parts/table.tsx";
import { useState } from "react";
import { useObjects } from "../../live/use.ts";
import { ask, CallFailed } from "../../model/call.ts";
import type { AnyObject } from "../../model/object.ts";
import { objectPath, type Resource, resourceOf } from "../../model/resources.ts";
import { Age } from "../../parts/age.tsx";
import { podSelector } from "./actions.ts";

const replicaSets = resourceOf("replicasets.apps");
/** Source: k8s.io/kubectl/pkg/util/deployment RevisionAnnotation */
const revisionMark = "deployment.kubernetes.io/revision";

const revisionOf = ({ metadata }: AnyObject): number => Number(metadata.annotations?.[revisionMark] ?? 0);

/** A Deployment's revisions, the latest first. */
export function History({ resource, object }: { resource: Resource; object: AnyObject }) {
  if (replicaSets === undefined) return null;
  return <Revisions sets={replicaSets} resource={resource} object={object} />;
}

function Revisions({ sets, resource, object }: { sets: Resource; resource: Resource; object: AnyObject }) {
  const [failure, setFailure] = useState("");
  const [chosen, setChosen] = useState<AnyObject>();
  const { items } = useObjects(sets, {
    namespace: object.metadata.namespace ?? "",
    labelSelector: podSelector(object),
  });
  const own = items.filter(({ metadata }) => metadata.ownerReferences?.some(({ uid }) => uid === object.metadata.uid));
  const latest = own.toSorted((a, b) => revisionOf(b) - revisionOf(a));
  const current = revisionOf(object);

  async function back(set: AnyObject) {
    try {
      await rollBack(resource, object, set);
      setFailure("");
      setChosen(undefined);
    } catch (error) {
      if (!(error instanceof CallFailed)) throw error;
      setFailure(error.message);
    }
  }

  return (
    <div className="stack">
      {chosen !== undefined && (
        <Asking
          object={object}
          revision={revisionOf(chosen)}
          failure={failure}
          onGo={() => void back(chosen)}
          onClose={() => setChosen(undefined)}
        />
      )}
      <Table label="Revisions" heads={["Revision", "Made", "Images", "Pods", ""]}>
        {latest.map((set) => (
          <tr key={set.metadata.uid}>
            <Td of="Revision">{revisionOf(set)}</Td>
            <Td of="Made">
              <Age since={set.metadata.creationTimestamp} />
            </Td>
            <Td of="Images">{imagesOf(set).join(", ")}</Td>
            <Td of="Pods">{Number(set.status?.["replicas"] ?? 0)}</Td>
            <Td of="Actions">
              {revisionOf(set) === current ? (
                "current"
              ) : (
                <Button variant="link" isInline onClick={() => setChosen(set)}>
                  Roll back to {revisionOf(set)}
                </Button>
              )}
            </Td>
          </tr>
        ))}
      </Table>
    </div>
  );
}

interface AskingProps {
  readonly object: AnyObject;
  readonly revision: number;
  readonly failure: string;
  onGo(): void;
  onClose(): void;
}

function Asking({ object: { metadata }, revision, failure, onGo, onClose }: AskingProps) {
  const { name, namespace } = metadata;
  return (
    <Modal isOpen variant="small" onClose={onClose} aria-labelledby="back-title">
      <ModalHeader title={`Roll back: Deployment ${name} to revision ${revision}`} labelId="back-title" />
      <ModalBody className="stack">
        {failure !== "" && <Alert variant="danger" isInline title={failure} />}
        <p>Its pods are replaced by those of the revision, a few at a time; it becomes the newest revision.</p>
        <ClipboardCopy isReadOnly hoverTip="Copy" clickTip="Copied" textAriaLabel="Command">
          {`kubectl rollout undo deployment/${name} --to-revision=${revision} -n ${namespace ?? "default"}`}
        </ClipboardCopy>
      </ModalBody>
      <ModalFooter>
        <Button onClick={onGo}>Roll back</Button>
        <Button variant="link" onClick={onClose}>
          Cancel
        </Button>
      </ModalFooter>
    </Modal>
  );
}

interface Template {
  readonly metadata?: { readonly labels?: Readonly<Record<string, string>> };
  readonly spec?: { readonly containers?: readonly { readonly image?: string }[] };
}

const templateOf = ({ spec }: AnyObject): Template => (spec?.["template"] ?? {}) as Template;

const imagesOf = (set: AnyObject): readonly string[] =>
  (templateOf(set).spec?.containers ?? []).map(({ image }) => image ?? "");

/** The revision's template takes the place of the present one. Source: k8s.io/kubectl/pkg/polymorphichelpers/rollback.go */
async function rollBack(resource: Resource, object: AnyObject, set: AnyObject): Promise<void> {
  const template = templateOf(set);
  const { "pod-template-hash": _, ...labels } = template.metadata?.labels ?? {};
  const body = [
    { op: "test", path: "/metadata/uid", value: object.metadata.uid },
    {
      op: "replace",
      path: "/spec/template",
      value: { ...template, metadata: { ...template.metadata, labels } },
    },
  ];
  await ask(objectPath(resource, object.metadata.namespace ?? "", object.metadata.name), {
    method: "PATCH",
    body,
    contentType: "application/json-patch+json",
  });
}

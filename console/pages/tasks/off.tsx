/** Calling a task off, after saying what becomes of what has been done. */
import {
  Alert,
  Button,
  ClipboardCopy,
  Modal,
  ModalBody,
  ModalFooter,
  ModalHeader,
  Tooltip,
} from "@patternfly/react-core";
import { useState } from "react";
import { useRefusal } from "../../live/may.ts";
import { ask, CallFailed } from "../../model/call.ts";
import type { Task } from "../../model/tasks.ts";

interface CallOffProps {
  readonly task: Task;
  readonly off: NonNullable<Task["off"]>;
}

/** Who may not is told so. */
export function CallOff({ task: { resource, object }, off }: CallOffProps) {
  const [isAsking, setAsking] = useState(false);
  const [failure, setFailure] = useState("");
  const { name, namespace = "" } = object.metadata;
  const refusal = useRefusal({ verb: off.verb, resource, namespace });

  async function run() {
    try {
      await ask(off.path, off.call);
      setAsking(false);
    } catch (error) {
      if (!(error instanceof CallFailed)) throw error;
      setFailure(error.message);
    }
  }

  const button = (
    <Button variant="secondary" size="sm" isAriaDisabled={refusal !== ""} onClick={() => setAsking(true)}>
      {off.title}
    </Button>
  );
  return (
    <>
      {refusal === "" ? button : <Tooltip content={refusal}>{button}</Tooltip>}
      <Modal isOpen={isAsking} variant="small" onClose={() => setAsking(false)} aria-labelledby="off-title">
        <ModalHeader title={`${off.title}: ${resource.kind} ${name}`} labelId="off-title" />
        <ModalBody className="stack">
          {failure !== "" && <Alert variant="danger" isInline title={failure} />}
          <p>{off.after}</p>
          <ClipboardCopy isReadOnly hoverTip="Copy" clickTip="Copied" textAriaLabel="Command">
            {off.kubectl}
          </ClipboardCopy>
        </ModalBody>
        <ModalFooter>
          <Button variant={off.verb === "delete" ? "danger" : "primary"} onClick={() => void run()}>
            {off.title}
          </Button>
          <Button variant="link" onClick={() => setAsking(false)}>
            Leave it
          </Button>
        </ModalFooter>
      </Modal>
    </>
  );
}

/** The menu of what can be done to an object; what destroys asks first and says what goes with it. */
import {
  Alert,
  Button,
  ClipboardCopy,
  Dropdown,
  DropdownItem,
  DropdownList,
  MenuToggle,
  Modal,
  ModalBody,
  ModalFooter,
  ModalHeader,
  ModalVariant,
  NumberInput,
} from "@patternfly/react-core";
import { useState } from "react";
import { useRefusal } from "../../live/may.ts";
import { CallFailed } from "../../model/call.ts";
import { placedKind } from "../../model/resources.ts";
import { type Action, actionsOf, type Target } from "./actions.ts";
import { Along } from "./along.tsx";

/** @param props `onGone`: the object has been deleted */
export function ActionMenu({ target, onGone }: { target: Target; onGone: () => void }) {
  const [isOpen, setOpen] = useState(false);
  const [chosen, setChosen] = useState<Action>();
  return (
    <>
      <Dropdown
        isOpen={isOpen}
        onOpenChange={setOpen}
        onSelect={() => setOpen(false)}
        shouldFocusFirstItemOnOpen
        popperProps={{ position: "end" }}
        toggle={(ref) => (
          <MenuToggle ref={ref} variant="secondary" isExpanded={isOpen} onClick={() => setOpen(!isOpen)}>
            Actions
          </MenuToggle>
        )}
      >
        <DropdownList>
          {actionsOf(placedKind(target.resource)).map((action) => (
            <Item key={action.name} action={action} target={target} onChosen={setChosen} />
          ))}
        </DropdownList>
      </Dropdown>
      {chosen !== undefined && (
        <Confirmation action={chosen} target={target} onGone={onGone} onClose={() => setChosen(undefined)} />
      )}
    </>
  );
}

interface ItemProps {
  readonly action: Action;
  readonly target: Target;
  onChosen(action: Action): void;
}

/** What cannot be done now, or not by who looks, says why. */
function Item({ action, target, onChosen }: ItemProps) {
  const { resource, object } = target;
  const forbidden = useRefusal({ ...action.needs, resource, namespace: object.metadata.namespace ?? "" });
  const refusal = action.refusal(object) || forbidden;
  return (
    <DropdownItem
      isAriaDisabled={refusal !== ""}
      description={refusal === "" ? undefined : refusal}
      isDanger={action.name === "delete"}
      onClick={() => onChosen(action)}
    >
      {action.title}
    </DropdownItem>
  );
}

interface ConfirmationProps {
  readonly action: Action;
  readonly target: Target;
  onGone(): void;
  onClose(): void;
}

function Confirmation({ action, target, onGone, onClose }: ConfirmationProps) {
  const now = Number(target.object.spec?.["replicas"] ?? 1);
  const [replicas, setReplicas] = useState(now);
  const [failure, setFailure] = useState("");
  const [isBusy, setBusy] = useState(false);
  const isDelete = action.name === "delete";
  const { name } = target.object.metadata;
  const verb = action.title.replace("…", "");

  async function run() {
    setBusy(true);
    try {
      await action.run(target, replicas);
      onClose();
      if (isDelete) onGone();
    } catch (error) {
      if (!(error instanceof CallFailed)) throw error;
      setFailure(error.message);
      setBusy(false);
    }
  }

  return (
    <Modal isOpen variant={ModalVariant.small} onClose={onClose} aria-labelledby="confirm-title">
      <ModalHeader title={`${verb}: ${target.resource.kind} ${name}`} labelId="confirm-title" />
      <ModalBody className="stack">
        {failure !== "" && <Alert variant="danger" isInline title={failure} />}
        {isDelete && <Along target={target} />}
        {action.name === "scale" && (
          <NumberInput
            value={replicas}
            min={0}
            inputAriaLabel="Replicas"
            plusBtnAriaLabel="One more"
            minusBtnAriaLabel="One less"
            onPlus={() => setReplicas(replicas + 1)}
            onMinus={() => setReplicas(Math.max(0, replicas - 1))}
            onChange={(event) => setReplicas(Math.max(0, Number(event.currentTarget.value)))}
          />
        )}
        <ClipboardCopy isReadOnly hoverTip="Copy" clickTip="Copied" textAriaLabel="Command">
          {action.kubectl(target, replicas)}
        </ClipboardCopy>
      </ModalBody>
      <ModalFooter>
        <Button variant={isDelete ? "danger" : "primary"} onClick={() => void run()} isDisabled={isBusy}>
          {verb}
        </Button>
        <Button variant="link" onClick={onClose}>
          Cancel
        </Button>
      </ModalFooter>
    </Modal>
  );
}

/** The same by hand: a command to copy. */
import { Button, Popover, ClipboardCopy } from "@patternfly/react-core";

/** @param command all of it, as it is typed */
export function KubectlHint({ command }: { command: string }) {
  return (
    <Popover
      aria-label="As kubectl"
      position="bottom-end"
      minWidth="24rem"
      bodyContent={
        <ClipboardCopy isReadOnly hoverTip="Copy" clickTip="Copied" textAriaLabel="Command">
          {command}
        </ClipboardCopy>
      }
    >
      <Button variant="plain" className="quiet">
        kubectl
      </Button>
    </Popover>
  );
}

/** Says when what is shown may be behind, or cannot be shown; nothing while all is well. */
import { Alert } from "@patternfly/react-core";
import type { Phase } from "../live/collection.ts";

/** @param message why, as the server or the connection says */
export function Freshness({ phase, message }: { phase: Phase; message: string }) {
  if (phase === "refused") {
    return (
      <Alert variant="warning" isInline title="You may not see this">
        {message}
      </Alert>
    );
  }
  if (phase === "live" || message === "") return null;
  return (
    <Alert variant="info" isInline isPlain title="This may be behind; trying again">
      {message}
    </Alert>
  );
}

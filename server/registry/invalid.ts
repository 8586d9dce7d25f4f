/** Field errors as the 422 that clients know. Source: apierrors.NewInvalid */
import type { FieldErrors } from "@atoll/machinery/field";
import { StatusError } from "@atoll/machinery/status";

/** @param name "" when the object has none yet */
export function invalid(kind: { group: string; kind: string }, name: string, errors: FieldErrors): StatusError {
  const messages = errors.list.map(({ field, message }) => `${field}: ${message}`);
  const told = messages.length === 1 ? messages[0] : `[${messages.join(", ")}]`;
  const qualified = kind.group === "" ? kind.kind : `${kind.kind}.${kind.group}`;
  return new StatusError("Invalid", `${qualified} ${JSON.stringify(name)} is invalid: ${told}`, {
    details: {
      ...(name === "" ? {} : { name }),
      ...(kind.group === "" ? {} : { group: kind.group }),
      kind: kind.kind,
      causes: errors.list,
    },
  });
}

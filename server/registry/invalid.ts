/** Field errors as the 422 that clients know. Source: apierrors.NewInvalid */
import type { FieldErrors } from "@atoll/machinery/field";
import { StatusError } from "@atoll/machinery/status";

/** What errors call the kind: by the group it is stored in. */
interface Named {
  readonly group: string;
  readonly kind: string;
  readonly storedAs?: { readonly group?: string };
}

/** @param name "" when the object has none yet */
export function invalid(named: Named, name: string, errors: FieldErrors): StatusError {
  const kind = { kind: named.kind, group: named.storedAs?.group ?? named.group };
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

/** The stored resource of a call. */
import { StatusError } from "@atoll/machinery/status";
import type { Call } from "../call.ts";
import type { Resource } from "../registry/resource.ts";

/** @throws {StatusError} MethodNotAllowed for kinds that are never stored */
export function storedResource(call: Call): Resource {
  const { kind, resource } = call.served;
  if (resource === undefined) {
    throw new StatusError("MethodNotAllowed", "the server does not allow this method on the requested resource", {
      details: { kind: kind.plural, ...(kind.group === "" ? {} : { group: kind.group }) },
    });
  }
  return resource;
}

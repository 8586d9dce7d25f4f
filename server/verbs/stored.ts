/** The stored resource of a call. */
import type { Call } from "../call.ts";
import { noSuchMethod } from "../refusals.ts";
import type { Resource } from "../registry/resource.ts";

/** @throws {StatusError} MethodNotAllowed for kinds that are never stored */
export function storedResource({ served }: Call): Resource {
  if (served.resource === undefined) throw noSuchMethod();
  return served.resource;
}

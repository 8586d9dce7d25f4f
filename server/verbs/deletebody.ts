/** The DeleteOptions in a delete's body. */
import { builtinSchema } from "@atoll/api/schemas";
import { decode, DecodeError } from "@atoll/machinery/schema/decode";
import { StatusError } from "@atoll/machinery/status";
import type { Call } from "../call.ts";
import { parseBody } from "./body.ts";

/**
 * Undefined when there is no body. Any group's DeleteOptions is taken, as upstream registers it in each.
 * @throws {StatusError} BadRequest, UnsupportedMediaType
 */
export async function readDeleteBody(call: Call): Promise<Record<string, unknown> | undefined> {
  const body = await call.body();
  if (body.length === 0) return undefined;
  const schema = builtinSchema("meta/v1", "DeleteOptions");
  const { value } = await parseBody(body, call.request.headers["content-type"], schema);
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new StatusError("BadRequest", "the body must be a DeleteOptions object");
  }
  const kind = (value as Record<string, unknown>)["kind"] ?? "";
  if (kind !== "" && kind !== "DeleteOptions") {
    throw new StatusError("BadRequest", `expected a DeleteOptions in the body, got ${JSON.stringify(kind)}`);
  }
  try {
    return decode(schema, value).value as Record<string, unknown>;
  } catch (cause) {
    if (!(cause instanceof DecodeError)) throw cause;
    throw new StatusError("BadRequest", `the DeleteOptions cannot be read: ${cause.message}`, { cause });
  }
}

/** Admission of what connects: what is asked for, as the object that policies see. */
import type { ApiObject } from "@atoll/machinery/object";
import type { Call } from "../call.ts";
import { admissionRequest } from "../verbs/create.ts";

/** @param kind of the options, as PodExecOptions @throws {StatusError} refused */
export async function admitConnection(call: Call, kind: string): Promise<void> {
  const object: ApiObject = { apiVersion: "v1", kind, metadata: {}, ...optionsOf(call.info.query) };
  const options = { dryRun: false, fieldManager: "", fieldValidation: "Ignore", force: undefined } as const;
  const request = { ...admissionRequest(call, "CONNECT", { object, old: undefined, options }), options: undefined };
  await call.services.admission.mutate(request);
  await call.services.admission.validate(request);
}

const lists: ReadonlySet<string> = new Set(["command", "ports"]);

/** Query parameters as the fields they stand for. */
function optionsOf(query: URLSearchParams): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  for (const name of new Set(query.keys())) {
    if (lists.has(name)) found[name] = query.getAll(name);
    else found[name] = readValue(query.get(name) ?? "");
  }
  return found;
}

function readValue(text: string): unknown {
  if (text === "true" || text === "1") return true;
  return text === "false" || text === "0" ? false : text;
}

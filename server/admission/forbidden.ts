/** The refusal that most plugins give. Source: k8s.io/apiserver/pkg/admission/errors.go (NewForbidden) */
import { StatusError } from "@atoll/machinery/status";
import type { AdmissionRequest } from "./admission.ts";

/** `pods "web" is forbidden: …` */
export function forbidden(request: AdmissionRequest, why: string): StatusError {
  const { group, plural } = request.kind;
  const name = nameOf(request);
  const resource = group === "" ? plural : `${plural}.${group}`;
  const details = { name, ...(group === "" ? {} : { group }), kind: plural };
  return new StatusError("Forbidden", `${resource} ${JSON.stringify(name)} is forbidden: ${why}`, { details });
}

/** While plugins mutate, what is yet to be named has only the beginning of its name. */
function nameOf({ name, object }: AdmissionRequest): string {
  return name || object?.metadata.name || object?.metadata.generateName || "Unknown";
}

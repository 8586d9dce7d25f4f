/**
 * The refusal, in the words that kubectl's users know.
 * Source: apierrors.NewForbidden, k8s.io/apiserver/pkg/endpoints/handlers/responsewriters/errors.go
 */
import { StatusError } from "@atoll/machinery/status";
import type { User } from "../call.ts";
import type { RequestInfo } from "../request.ts";

/** Why a user may not do what is asked. @param reason what the authorizers said, "" for nothing */
export function forbidden(user: User, info: RequestInfo, reason = ""): StatusError {
  const because = reason === "" ? "" : `: ${reason}`;
  const said = `${harmless(denial(user, info))}${because}`;
  const { group, resource, name } = info;
  if (resource === "") return new StatusError("Forbidden", `forbidden: ${said}`, { details: {} });
  const qualified = group === "" ? resource : `${resource}.${group}`;
  const named = name === "" ? "" : ` ${JSON.stringify(name)}`;
  return new StatusError("Forbidden", `${qualified}${named} is forbidden: ${said}`, {
    details: { ...(name === "" ? {} : { name }), ...(group === "" ? {} : { group }), kind: resource },
  });
}

function denial(user: User, { verb, resource, subresource, namespace, group, path }: RequestInfo): string {
  const who = `User ${JSON.stringify(user.name)} cannot ${verb}`;
  if (resource === "") return `${who} path ${JSON.stringify(path)}`;
  const asked = subresource === "" ? resource : `${resource}/${subresource}`;
  const where = namespace === "" ? "at the cluster scope" : `in the namespace ${JSON.stringify(namespace)}`;
  return `${who} resource ${JSON.stringify(asked)} in API group ${JSON.stringify(group)} ${where}`;
}

/** Nothing that a browser could take for HTML. */
function harmless(text: string): string {
  return text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
}

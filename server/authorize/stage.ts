/** Whether the user may do what is asked. */
import { StatusError } from "@atoll/machinery/status";
import type { User } from "../call.ts";
import type { Stage } from "../exchange.ts";
import type { RequestInfo } from "../request.ts";

/** A verdict: allowed, denied for good, or left to the next authorizer. */
export type Decision = "allow" | "deny" | "no opinion";

export interface Authorizer {
  authorize(user: User, info: RequestInfo): Decision | Promise<Decision>;
}

/** Members of system:masters may do everything. Source: k8s.io/apiserver/pkg/authorization/authorizerfactory */
export const masters: Authorizer = {
  authorize: (user) => (user.groups.includes("system:masters") ? "allow" : "no opinion"),
};

const health: ReadonlySet<string> = new Set(["/healthz", "/livez", "/readyz"]);

/** Everybody may ask for the health of the server. */
export const healthForAll: Authorizer = {
  authorize: (_, info) => (health.has(info.path) && info.method === "GET" ? "allow" : "no opinion"),
};

/** The stage that asks the authorizers in turn; when none allows, the answer is no. @throws {StatusError} Forbidden */
export function authorize(authorizers: readonly Authorizer[]): Stage {
  return async (exchange) => {
    const { user, info } = exchange;
    if (user === undefined) throw new StatusError("Unauthorized", "Unauthorized");
    if ((await decide(authorizers, user, info)) === "allow") return undefined;
    throw forbidden(user, info);
  };
}

/** The first verdict of the authorizers, in turn; "no opinion" when none has one. */
export async function decide(authorizers: readonly Authorizer[], user: User, info: RequestInfo): Promise<Decision> {
  for (const authorizer of authorizers) {
    const outcome = authorizer.authorize(user, info);
    const decision = outcome instanceof Promise ? await outcome : outcome;
    if (decision !== "no opinion") return decision;
  }
  return "no opinion";
}

/** The refusal, in the words kubectl users know. Source: apierrors and responsewriters.ForbiddenMessage */
export function forbidden(user: User, info: RequestInfo): StatusError {
  const who = `User ${JSON.stringify(user.name)} cannot ${info.verb}`;
  if (info.resource === "") {
    return new StatusError("Forbidden", `forbidden: ${who} path ${JSON.stringify(info.path)}`, { details: {} });
  }
  const resource = info.subresource === "" ? info.resource : `${info.resource}/${info.subresource}`;
  const where = info.namespace === "" ? "at the cluster scope" : `in the namespace ${JSON.stringify(info.namespace)}`;
  const qualified = info.group === "" ? info.resource : `${info.resource}.${info.group}`;
  const what = `${who} resource ${JSON.stringify(resource)} in API group ${JSON.stringify(info.group)} ${where}`;
  const named = info.name === "" ? "" : ` ${JSON.stringify(info.name)}`;
  return new StatusError("Forbidden", `${qualified}${named} is forbidden: ${what}`, {
    details: {
      ...(info.name === "" ? {} : { name: info.name }),
      ...(info.group === "" ? {} : { group: info.group }),
      kind: info.resource,
    },
  });
}

/**
 * Acting as somebody else: each part of the other identity is authorized by itself. From here on the request is the
 * other's; the audit log knows both.
 * Source: k8s.io/apiserver/pkg/endpoints/filters/impersonation
 */
import { StatusError } from "@atoll/machinery/status";
import { asAuthorized, resourceQuestion } from "../authorize/attributes.ts";
import { forbidden } from "../authorize/refusal.ts";
import { type Authorizer, decide } from "../authorize/stage.ts";
import type { User } from "../call.ts";
import type { Exchange, Stage } from "../exchange.ts";
import type { RequestInfo } from "../request.ts";
import { asUser, masters, type Mode, modes, questionsOf } from "./impersonation/modes.ts";
import { prefix, type Wanted, wantedOf } from "./impersonation/wanted.ts";

/** The stage that lets one user act as another. @throws {StatusError} BadRequest, Forbidden */
export function impersonate(authorizers: readonly Authorizer[]): Stage {
  return (exchange) => {
    const wanted = wantedOf(exchange.request);
    return wanted === undefined ? undefined : become(exchange, wanted, authorizers);
  };
}

async function become(exchange: Exchange, wanted: Wanted, authorizers: readonly Authorizer[]): Promise<undefined> {
  const { request, user } = exchange;
  if (user === undefined) throw new StatusError("Unauthorized", "Unauthorized");
  exchange.user = await allowedAs(wanted, { authorizers, user, info: asAuthorized(exchange.info) });
  // Nobody behind this stage is to see that it was so, least of all who a request is passed on to.
  for (const name of Object.keys(request.headers)) if (name.startsWith(prefix)) delete request.headers[name];
  return undefined;
}

interface Asking {
  readonly authorizers: readonly Authorizer[];
  readonly user: User;
  readonly info: RequestInfo;
}

/** The other user, by the first way that is allowed. @throws {StatusError} Forbidden, in the words of the last way */
async function allowedAs(wanted: Wanted, asking: Asking): Promise<User> {
  // No role makes a master: who is none cannot become one, whatever they may impersonate.
  if (wanted.groups.includes(masters) && !asking.user.groups.includes(masters)) throw noMaster(asking.user);
  let refusal: Refusal | undefined;
  for (const mode of modes) {
    if (!mode.applies(wanted, asking.user)) continue;
    refusal = await refusalOf(mode, wanted, asking);
    if (refusal === undefined) return asUser(mode, wanted);
  }
  throw refusal?.() ?? new StatusError("Forbidden", "all impersonation modes failed");
}

/** Made when it is told: mostly the first way is refused, and the second allowed. */
type Refusal = () => StatusError;

async function refusalOf(mode: Mode, wanted: Wanted, asking: Asking): Promise<Refusal | undefined> {
  const { authorizers, info } = asking;
  const user = mode.asking?.(asking.user) ?? asking.user;
  const onRequest = mode.on === undefined ? [] : [{ ...info, verb: `${mode.on}${info.verb}` as RequestInfo["verb"] }];
  const onIdentity = [...questionsOf(mode, wanted)].map(resourceQuestion);
  for (const asked of [...onRequest, ...onIdentity]) {
    const { decision, reason, error } = await decide(authorizers, user, asked);
    if (decision === "allow") continue;
    return () => forbidden(user, asked, [error ?? "", reason].filter((text) => text !== "").join(": "));
  }
  return undefined;
}

function noMaster(user: User): StatusError {
  const asked = resourceQuestion({ verb: "impersonate", group: "", version: "v1", resource: "groups", name: masters });
  return forbidden(user, asked, `impersonating the ${masters} group is not allowed`);
}

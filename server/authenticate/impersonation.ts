/**
 * Acting as somebody else: each part of the other identity is authorized by itself, with the verb `impersonate`. From here
 * on the request is the other's; the audit log knows both.
 * Source: k8s.io/apiserver/pkg/endpoints/filters/impersonation (the legacy mode)
 */
import type { IncomingMessage } from "node:http";
import { StatusError } from "@atoll/machinery/status";
import { type ResourceQuestion, resourceQuestion } from "../authorize/attributes.ts";
import { forbidden } from "../authorize/refusal.ts";
import { type Authorizer, decide } from "../authorize/stage.ts";
import type { User } from "../call.ts";
import type { Stage } from "../exchange.ts";

const prefix = "impersonate-";
const extraPrefix = "impersonate-extra-";
const masters = "system:masters";
const authenticated = "system:authenticated";
const unauthenticated = "system:unauthenticated";
const anonymous = "system:anonymous";
const identities = "authentication.k8s.io";

/** The stage that lets one user act as another. @throws {StatusError} BadRequest, Forbidden */
export function impersonate(authorizers: readonly Authorizer[]): Stage {
  return async (exchange) => {
    const { request, user } = exchange;
    const wanted = wantedOf(request);
    if (wanted === undefined) return undefined;
    if (user === undefined) throw new StatusError("Unauthorized", "Unauthorized");
    for (const question of questionsOf(wanted)) await check(authorizers, user, question);
    exchange.user = asUser(wanted);
    // Nobody behind this stage is to see that it was so, least of all who a request is passed on to.
    for (const name of Object.keys(request.headers)) if (name.startsWith(prefix)) delete request.headers[name];
    return undefined;
  };
}

/** An identity as the headers give it. */
interface Wanted {
  readonly name: string;
  readonly uid: string;
  readonly groups: readonly string[];
  readonly extra: ReadonlyMap<string, readonly string[]>;
}

/** What the headers ask for; undefined when for nobody. @throws {StatusError} BadRequest */
function wantedOf({ rawHeaders }: IncomingMessage): Wanted | undefined {
  const given = headersOf(rawHeaders);
  if (given.size === 0) return undefined;
  const [name = ""] = given.get("impersonate-user") ?? [];
  const [uid = ""] = given.get("impersonate-uid") ?? [];
  const groups = given.get("impersonate-group") ?? [];
  const extra = new Map<string, string[]>();
  for (const [header, values] of given) {
    if (!header.startsWith(extraPrefix)) continue;
    for (const value of values) add(extra, unescaped(header.slice(extraPrefix.length)), value);
  }
  if (name !== "") return { name, uid, groups, extra };
  const what = JSON.stringify({ uid, groups, extra: Object.fromEntries(extra) });
  throw new StatusError("BadRequest", `requested ${what} without impersonating a user name`);
}

/** Headers as they came: Node joins repeated ones, and a group's name may hold a comma. */
function headersOf(raw: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i]?.toLowerCase() ?? "";
    if (name.startsWith(prefix)) add(found, name, raw[i + 1] ?? "");
  }
  return found;
}

function add(to: Map<string, string[]>, key: string, value: string): void {
  const known = to.get(key);
  if (known === undefined) to.set(key, [value]);
  else known.push(value);
}

/** Keys may hold characters that headers may not; one that cannot be read stays as it is. */
function unescaped(key: string): string {
  try {
    return decodeURIComponent(key);
  } catch {
    return key;
  }
}

function* questionsOf({ name, uid, groups, extra }: Wanted): Generator<ResourceQuestion> {
  const verb = "impersonate";
  const account = accountOf(name);
  if (account === undefined) yield { verb, group: "", version: "v1", resource: "users", name };
  else yield { verb, group: "", version: "v1", resource: "serviceaccounts", ...account };
  if (uid !== "") yield { verb, group: identities, version: "v1", resource: "uids", name: uid };
  for (const group of groups) yield { verb, group: "", version: "v1", resource: "groups", name: group };
  for (const [key, values] of extra) {
    for (const value of values) {
      yield { verb, group: identities, version: "v1", resource: "userextras", subresource: key, name: value };
    }
  }
}

async function check(authorizers: readonly Authorizer[], user: User, question: ResourceQuestion): Promise<void> {
  const asked = resourceQuestion(question);
  // No role makes a master: who is none cannot become one, whatever they may impersonate.
  if (question.resource === "groups" && question.name === masters && !user.groups.includes(masters)) {
    throw forbidden(user, asked, `impersonating the ${masters} group is not allowed`);
  }
  const { decision, reason, error } = await decide(authorizers, user, asked);
  if (decision === "allow") return;
  throw forbidden(user, asked, error === undefined ? reason : [error, reason].filter((text) => text !== "").join(": "));
}

/** Groups that were named are all there are, but for the one that says whether somebody is somebody. */
function asUser({ name, uid, groups, extra }: Wanted): User {
  const account = accountOf(name);
  const given =
    groups.length === 0 && account !== undefined
      ? ["system:serviceaccounts", `system:serviceaccounts:${account.namespace}`]
      : groups;
  return { name, uid, groups: withStanding(name, given), extra: Object.fromEntries(extra) };
}

function withStanding(name: string, groups: readonly string[]): readonly string[] {
  if (name === anonymous) return groups.includes(unauthenticated) ? groups : [...groups, unauthenticated];
  return groups.includes(authenticated) || groups.includes(unauthenticated) ? groups : [...groups, authenticated];
}

function accountOf(name: string): { namespace: string; name: string } | undefined {
  const match = /^system:serviceaccount:([a-z0-9](?:[-a-z0-9]*[a-z0-9])?):([a-z0-9](?:[-a-z0-9.]*[a-z0-9])?)$/.exec(
    name,
  );
  return match === null ? undefined : { namespace: match[1] ?? "", name: match[2] ?? "" };
}

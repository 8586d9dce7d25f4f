/**
 * Whether the user may do what is asked: who decides, how the answers of several become one, and the stage that asks.
 * Nothing is answered to somebody who may not: an answer that came about without this stage's consent does not leave the
 * server (see the pipeline).
 * Source: k8s.io/apiserver/pkg/authorization/{authorizer,union}, …/endpoints/filters/authorization.go
 */
import { StatusError } from "@atoll/machinery/status";
import type { User } from "../call.ts";
import type { Exchange, Stage } from "../exchange.ts";
import type { RequestInfo } from "../request.ts";
import { asAuthorized } from "./attributes.ts";
import { forbidden } from "./refusal.ts";

/** Allowed, denied for good, or left to the next authorizer. */
export type Decision = "allow" | "deny" | "no opinion";

/** A decision and why. */
export interface Verdict {
  readonly decision: Decision;
  /** For people; "" when there is nothing to say. */
  readonly reason: string;
  /** What kept the authorizer from knowing all; it may have decided nevertheless. */
  readonly error?: string;
}

/** Somebody who decides. */
export interface Authorizer {
  /**
   * @param info what is asked. `resource` "" and a path mean a request for the path. Selectors stand in the query;
   *   `name` is the one a field selector names, too.
   */
  authorize(user: User, info: RequestInfo): Verdict | Promise<Verdict>;
  /** What a user may do in a namespace, as far as it can be listed. */
  rulesFor?(user: User, namespace: string): RulesAnswer | Promise<RulesAnswer>;
}

/** A rule in a SelfSubjectRulesReview. */
export interface ListedRule {
  readonly verbs: readonly string[];
  readonly apiGroups?: readonly string[];
  readonly resources?: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly nonResourceURLs?: readonly string[];
}

/** Rules, and whether there may be more that cannot be listed. */
export interface RulesAnswer {
  readonly rules: readonly ListedRule[];
  readonly incomplete: boolean;
  readonly errors: readonly string[];
}

/** Says nothing. */
export const noOpinion: Verdict = { decision: "no opinion", reason: "" };

/** Says yes without a reason. */
export const allowed: Verdict = { decision: "allow", reason: "" };

/** The first decision of the authorizers, in turn. When none has one, the reasons of all. */
export function decide(authorizers: readonly Authorizer[], user: User, info: RequestInfo): Verdict | Promise<Verdict> {
  return decideFrom(authorizers, { user, info, said: [] });
}

interface Question {
  readonly user: User;
  readonly info: RequestInfo;
  /** Of those who were asked before and had no opinion. */
  readonly said: Verdict[];
}

/** At once, as far as nobody has to wait. */
function decideFrom(authorizers: readonly Authorizer[], question: Question): Verdict | Promise<Verdict> {
  const { user, info, said } = question;
  for (const [i, authorizer] of authorizers.entries()) {
    const outcome = authorizer.authorize(user, info);
    if (outcome instanceof Promise) {
      return outcome.then((verdict) => {
        if (verdict.decision !== "no opinion") return verdict;
        said.push(verdict);
        return decideFrom(authorizers.slice(i + 1), question);
      });
    }
    if (outcome.decision !== "no opinion") return outcome;
    if (outcome !== noOpinion) said.push(outcome);
  }
  return said.length === 0 ? noOpinion : undecided(said);
}

function undecided(said: readonly Verdict[]): Verdict {
  const reasons = said.flatMap(({ reason }) => (reason === "" ? [] : [reason]));
  const errors = said.flatMap(({ error }) => (error === undefined ? [] : [error]));
  if (reasons.length === 0 && errors.length === 0) return noOpinion;
  const verdict = { decision: "no opinion", reason: reasons.join("\n") } as const;
  return errors.length === 0 ? verdict : { ...verdict, error: aggregated(errors) };
}

/** Several messages as one. Source: k8s.io/apimachinery/pkg/util/errors (Aggregate) */
export function aggregated(messages: readonly string[]): string {
  const different = [...new Set(messages)];
  return different.length === 1 ? (different[0] ?? "") : `[${different.join(", ")}]`;
}

/**
 * The stage that asks the authorizers in turn; when none allows, the answer is no.
 * @param onVerdict told what was decided
 * @throws {StatusError} Forbidden
 */
export function authorize(authorizers: readonly Authorizer[], onVerdict: (verdict: Verdict) => void = () => {}): Stage {
  const decided = (user: User, info: RequestInfo) => {
    const verdict = decide(authorizers, user, info);
    if (verdict instanceof Promise) return verdict.then((late) => (onVerdict(late), late));
    onVerdict(verdict);
    return verdict;
  };
  return (exchange) => {
    const checked = isUpgradeByGet(exchange)
      ? checkUpgrade(decided, exchange)
      : check(decided, exchange, asAuthorized(exchange.info));
    return checked instanceof Promise ? checked.then(() => allow(exchange)) : allow(exchange);
  };
}

function allow(exchange: Exchange): undefined {
  exchange.authorized = true;
  return undefined;
}

type Decided = (user: User, info: RequestInfo) => Verdict | Promise<Verdict>;

async function checkUpgrade(decided: Decided, exchange: Exchange): Promise<void> {
  await check(decided, exchange, exchange.info);
  await check(decided, exchange, { ...exchange.info, verb: "create" });
}

/** The audit log is told of the decision, whatever it is. @throws {StatusError} Forbidden; InternalError when one failed */
function check(decided: Decided, exchange: Exchange, info: RequestInfo): void | Promise<void> {
  const { user } = exchange;
  if (user === undefined) throw new StatusError("Unauthorized", "Unauthorized");
  const verdict = decided(user, info);
  return verdict instanceof Promise
    ? verdict.then((late) => obey(late, { user, exchange, info }))
    : obey(verdict, { user, exchange, info });
}

/** Asks whether somebody may do something beside what their request says. */
export type Demand = (user: User, info: RequestInfo) => Promise<void>;

/** Asks the authorizers. @throws {StatusError} Forbidden; InternalError when one failed */
export function demand(authorizers: readonly Authorizer[]): Demand {
  return async (user, info) => {
    const { decision, reason, error } = await decide(authorizers, user, info);
    if (decision === "allow") return;
    if (error === undefined) throw forbidden(user, info, reason);
    throw new StatusError("InternalError", "Internal error occurred: authorization failed", { cause: error });
  };
}

interface Asked {
  readonly user: User;
  readonly exchange: Exchange;
  readonly info: RequestInfo;
}

function obey({ decision, reason, error }: Verdict, { user, exchange: { annotations }, info }: Asked): void {
  const allows = decision === "allow";
  if (error !== undefined && !allows) {
    annotations.set("authorization.k8s.io/reason", "internal error");
    throw new StatusError("InternalError", "Internal error occurred: authorization failed", { cause: error });
  }
  annotations.set("authorization.k8s.io/decision", allows ? "allow" : "forbid");
  annotations.set("authorization.k8s.io/reason", reason);
  if (!allows) throw forbidden(user, info, reason);
}

const streams: ReadonlySet<string> = new Set(["exec", "attach", "portforward"]);

/** A WebSocket opens with a GET, but what it opens is no reading. Source: AuthorizePodWebsocketUpgradeCreatePermission */
function isUpgradeByGet({ info }: Exchange): boolean {
  return info.verb === "get" && info.group === "" && info.resource === "pods" && streams.has(info.subresource);
}

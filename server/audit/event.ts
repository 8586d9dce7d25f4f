/**
 * What is written about a request: audit.k8s.io/v1 Event.
 * Source: k8s.io/apiserver/pkg/apis/audit/v1/types.go, k8s.io/apiserver/pkg/audit/request.go
 */
import { formatMicroTime } from "@atoll/machinery/clock";
import { parseJson, stringifyJson } from "@atoll/machinery/json/json";
import { decodeProtobuf } from "@atoll/machinery/protobuf/decode";
import { parseYaml } from "@atoll/machinery/yaml/yaml";
import type { User } from "../call.ts";
import type { Answer, Exchange } from "../exchange.ts";
import { bodyMaxBytes } from "../http/body.ts";
import type { Pieces, Status } from "../reply.ts";
import type { RequestInfo } from "../request.ts";
import type { Level, Stage, Verdict } from "./policy.ts";

/** What an event is made from. */
export interface Subject {
  readonly exchange: Exchange;
  readonly verdict: Verdict;
  /** Who authenticated: the human, where somebody is impersonated. */
  readonly caller: User;
  /** Wall clock, ms. */
  readonly receivedMs: number;
}

/** What became of the request, as far as it is known. */
export interface Outcome {
  readonly code: number;
  readonly answer: Answer | undefined;
  /** Instead of an answer's own. */
  readonly message?: string;
}

/**
 * Bodies of these hold credentials: whatever a policy asks for, their metadata is all that is told. ConfigMaps are
 * among them because people keep tokens there.
 */
const secretive: ReadonlySet<string> = new Set([
  "/secrets",
  "/configmaps",
  "/serviceaccounts/token",
  "authentication.k8s.io/tokenreviews",
]);

/** How much may be told of a request at most. */
function capped(level: Level, info: RequestInfo): Level {
  if (level === "None" || level === "Metadata") return level;
  return holdsSecrets(info) ? "Metadata" : level;
}

function holdsSecrets({ group, resource, subresource }: RequestInfo): boolean {
  return secretive.has(`${group}/${resource}${subresource === "" ? "" : `/${subresource}`}`) || resource === "secrets";
}

/** One line of the log, without its end. */
export function eventLine(stage: Stage, subject: Subject, nowMs: number, outcome?: Outcome): string {
  const { exchange, verdict, caller, receivedMs } = subject;
  const { info, request, user = caller } = exchange;
  const { headers } = request;
  const object = objectRef(exchange);
  const bodies = stage === "RequestReceived" ? {} : bodiesOf(subject, outcome);
  const event = {
    kind: "Event",
    apiVersion: "audit.k8s.io/v1",
    level: verdict.level,
    auditID: exchange.auditId,
    stage,
    requestURI: request.url,
    verb: info.verb,
    user: userInfo(caller),
    ...(user === caller ? {} : { impersonatedUser: userInfo(user) }),
    sourceIPs: sourceAddresses(exchange),
    ...(headers["user-agent"] === undefined ? {} : { userAgent: headers["user-agent"].slice(0, longestAgent) }),
    ...(object === undefined ? {} : { objectRef: object }),
    ...(outcome === undefined ? {} : { responseStatus: responseStatus(outcome, info) }),
    ...bodies,
    requestReceivedTimestamp: formatMicroTime(receivedMs),
    stageTimestamp: formatMicroTime(nowMs),
    ...(exchange.annotations.size === 0 ? {} : { annotations: Object.fromEntries(exchange.annotations) }),
  };
  return stringifyJson(event);
}

const longestAgent = 1024;

function userInfo({ name, uid, groups, extra }: User): object {
  return {
    username: name,
    ...(uid === "" ? {} : { uid }),
    ...(groups.length === 0 ? {} : { groups }),
    ...(Object.keys(extra).length === 0 ? {} : { extra }),
  };
}

/** Who is nearest first, last; what comes before is what proxies say. Source: k8s.io/apimachinery/pkg/util/net SourceIPs */
function sourceAddresses({ request: { headers, socket } }: Exchange): readonly string[] {
  const forwarded = [headers["x-forwarded-for"]].flat().flatMap((each) => (each ?? "").split(","));
  const addresses = [...forwarded, headers["x-real-ip"], socket.remoteAddress]
    .map((each) => String(each ?? "").trim())
    .filter((each) => /^[0-9a-fA-F:.]{2,45}$/.test(each));
  return [...new Set(addresses)];
}

function objectRef({ info, objectName }: Exchange): object | undefined {
  const { resource, namespace, group, version, subresource } = info;
  if (resource === "") return undefined;
  const name = info.name === "" ? (objectName ?? "") : info.name;
  return {
    resource,
    ...(namespace === "" ? {} : { namespace }),
    ...(name === "" ? {} : { name }),
    ...(group === "" ? {} : { apiGroup: group }),
    apiVersion: version,
    ...(subresource === "" ? {} : { subresource }),
  };
}

/** Refusals repeat what was refused, so of secrets only the reason is told. */
function responseStatus({ code, answer, message }: Outcome, info: RequestInfo): object {
  const failed = code >= 400 ? statusOf(answer) : undefined;
  const { status, reason, message: said = message } = failed ?? {};
  return {
    metadata: {},
    ...(status === undefined ? {} : { status }),
    ...(said === undefined || holdsSecrets(info) ? {} : { message: said }),
    ...(reason === undefined ? {} : { reason }),
    code,
  };
}

function statusOf(answer: Answer | undefined): Partial<Status> | undefined {
  const value = answerValue(answer);
  return typeof value === "object" && value !== null && "kind" in value && value.kind === "Status"
    ? (value as Partial<Status>)
    : undefined;
}

function bodiesOf({ exchange, verdict }: Subject, outcome: Outcome | undefined): object {
  const level = capped(verdict.level, exchange.info);
  if (level !== "Request" && level !== "RequestResponse") return {};
  const strip = (value: unknown) => (verdict.omitManagedFields ? withoutManagers(value) : value);
  const given = requestValue(exchange);
  const told = level === "RequestResponse" ? answerValue(outcome?.answer) : undefined;
  return {
    ...(given === undefined ? {} : { requestObject: strip(given) }),
    ...(told === undefined ? {} : { responseObject: strip(told) }),
  };
}

function requestValue({ request, bodyRead, bodySchema }: Exchange): unknown {
  if (bodyRead === undefined || bodyRead.length === 0) return undefined;
  const type = request.headers["content-type"] ?? "";
  try {
    if (type.includes("protobuf")) return bodySchema === undefined ? undefined : decodeProtobuf(bodySchema, bodyRead);
    if (type.includes("yaml")) return parseYaml(bodyRead.toString("utf8")).value;
    return parseJson(bodyRead, { maxDepth: 1_000 }).value;
  } catch {
    return undefined;
  }
}

function answerValue(answer: Answer | undefined): unknown {
  if (answer === undefined || "stream" in answer || !answer.contentType.includes("json")) return undefined;
  const { body } = answer;
  if (body.length > bodyMaxBytes) return undefined;
  const bytes = Buffer.isBuffer(body) ? body : Buffer.concat([...(body as Pieces)]);
  try {
    return parseJson(bytes, { maxDepth: 1_000 }).value;
  } catch {
    return undefined;
  }
}

/** An object, or a list's objects, without who set which field. */
function withoutManagers(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  const { metadata, items, ...rest } = value as { metadata?: object; items?: unknown };
  const { managedFields: _, ...kept } = (metadata ?? {}) as { managedFields?: unknown };
  return {
    ...rest,
    ...(metadata === undefined ? {} : { metadata: kept }),
    ...(items === undefined ? {} : { items: Array.isArray(items) ? items.map(withoutManagers) : items }),
  };
}

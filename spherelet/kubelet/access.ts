/** Who may use the kubelet's API: holders of certificates of the cluster, as far as the API server says. */
import type { TLSSocket } from "node:tls";
import { SubjectAccessReview } from "@atoll/client/builtin";
import type { Client } from "@atoll/client/client";
import type { Clock } from "@atoll/machinery/clock";

/** Whoever presented a certificate. */
export interface Caller {
  readonly name: string;
  readonly groups: readonly string[];
}

/** Decides. `subresource` is of nodes: proxy, stats, metrics, log. */
export type Authorize = (caller: Caller, verb: string, subresource: string) => Promise<boolean>;

/** Who is at the other end; undefined without a certificate of the cluster. */
export function callerOf(socket: TLSSocket): Caller | undefined {
  if (!socket.authorized) return undefined;
  const { subject } = socket.getPeerCertificate();
  const name = [subject?.CN].flat().at(0);
  if (typeof name !== "string" || name === "") return undefined;
  return { name, groups: [subject.O ?? []].flat() };
}

/** An answer is believed for so long. Source: the kubelet's webhook cache TTLs, shortened */
const rememberedMs = 10_000;
const mostRemembered = 1_000;

/** Asks the API server, and remembers for a moment. */
export function authorizeBy(client: Client, clock: Clock, node: string): Authorize {
  const known = new Map<string, { readonly allowed: boolean; readonly untilMs: number }>();
  return async ({ name, groups }, verb, subresource) => {
    if (groups.includes("system:masters")) return true;
    const key = JSON.stringify([name, groups, verb, subresource]);
    const found = known.get(key);
    if (found !== undefined && found.untilMs > clock.monotonicMs()) return found.allowed;
    const resourceAttributes = { verb, version: "v1", resource: "nodes", subresource, name: node };
    const review = await client.create(SubjectAccessReview, {
      metadata: {},
      spec: { user: name, groups: [...groups, "system:authenticated"], resourceAttributes },
    });
    const allowed = review.status?.allowed === true;
    if (known.size >= mostRemembered) known.clear();
    known.set(key, { allowed, untilMs: clock.monotonicMs() + rememberedMs });
    return allowed;
  };
}

/** What somebody must have a right to, one of `subresources` will do. */
export interface Right {
  readonly verb: string;
  readonly subresources: readonly string[];
}

const verbs: Readonly<Record<string, string>> = {
  POST: "create",
  GET: "get",
  HEAD: "get",
  PUT: "update",
  PATCH: "patch",
  DELETE: "delete",
};

/** Rights of their own; `proxy` is the right to everything else, and to those that have not always had one. */
const own: Readonly<Record<string, readonly string[]>> = {
  stats: ["stats"],
  metrics: ["metrics"],
  logs: ["log"],
  healthz: ["healthz", "proxy"],
  pods: ["pods", "proxy"],
  runningpods: ["pods", "proxy"],
};

/** What runs programs or opens connections is no reading, though WebSockets open with a GET. */
const acts: ReadonlySet<string> = new Set(["exec", "attach", "portForward", "run"]);

/**
 * What a request needs. @param first of the path's parts, decoded
 * Source: k8s.io/kubernetes/pkg/kubelet/server/auth.go; stricter than it in asking `create` for what acts, as the API
 * server does for pods (AuthorizePodWebsocketUpgradeCreatePermission)
 */
export function rightFor(method: string, first: string): Right {
  const verb = acts.has(first) ? "create" : (verbs[method] ?? "");
  return { verb, subresources: own[first] ?? ["proxy"] };
}

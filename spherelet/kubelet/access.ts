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

/** Which subresource of nodes a path is. Source: k8s.io/kubernetes/pkg/kubelet/server/auth.go */
export function subresourceOf(path: string): string {
  if (path.startsWith("/stats/")) return "stats";
  if (path === "/metrics" || path.startsWith("/metrics/")) return "metrics";
  if (path.startsWith("/logs/")) return "log";
  if (path === "/healthz") return "healthz";
  return "proxy";
}

const verbs: Readonly<Record<string, string>> = {
  POST: "create",
  GET: "get",
  PUT: "update",
  PATCH: "patch",
  DELETE: "delete",
};

/** The verb of a method. */
export function verbOf(method: string): string {
  return verbs[method] ?? "";
}

/**
 * The subresources that are streams: what a pod says, commands in it, its ports; and whole HTTP APIs of pods, services
 * and nodes. This server authorizes and admits, then hands on.
 * Source: k8s.io/kubernetes/pkg/registry/core/{pod,service,node}/rest
 */
import type { Pod } from "@atoll/api/builtin/core/v1.types";
import { StatusError } from "@atoll/machinery/status";
import type { Call, Handler, StreamReply } from "../call.ts";
import type { Pki } from "../pki/folder.ts";
import type { Reply } from "../reply.ts";
import type { SubresourceHandlers } from "../routes/resources.ts";
import { kubelet, nodeBackend, podBackend, read, serviceBackend } from "./backends.ts";
import { admitConnection } from "./connect.ts";
import { containerOf } from "./containers.ts";
import { type Backend, type BackendTls, forward } from "./forward.ts";
import { relocated } from "./location.ts";
import { logQuery, portQuery, streamQuery } from "./podoptions.ts";

/** The handlers, by `group/plural/subresource`. */
export function proxies({ ca, kubeletClient }: Pick<Pki, "ca" | "kubeletClient">): SubresourceHandlers {
  const tls: BackendTls = { ca: ca.cert, cert: kubeletClient.cert, key: kubeletClient.key };
  return new Map<string, Handler>([
    ["/pods/log", (call) => log(call, tls)],
    ["/pods/exec", (call) => stream(call, tls, exec)],
    ["/pods/attach", (call) => stream(call, tls, attach)],
    ["/pods/portforward", (call) => stream(call, tls, portForward)],
    ["/pods/proxy", (call) => api(call, "PodProxyOptions", podBackend)],
    ["/services/proxy", (call) => api(call, "ServiceProxyOptions", serviceBackend)],
    ["/nodes/proxy", (call) => api(call, "NodeProxyOptions", (each) => nodeBackend(each, tls))],
  ]);
}

async function log(call: Call, tls: BackendTls): Promise<Reply | StreamReply> {
  const { info, request } = call;
  const query = logQuery(info.query, info.name);
  const pod = await podOf(call);
  const container = containerOf(pod, info.query.get("container") ?? "");
  const node = pod.spec?.nodeName ?? "";
  // A pod without a node has said nothing yet.
  if (node === "") return { code: 204, contentType: "", body: Buffer.alloc(0) };
  const backend = await kubelet(call, node, lenient(tls, info.query));
  const target = withQuery(`/containerLogs/${info.namespace}/${info.name}/${container}`, query);
  return forward(request, { backend, target, refuseRedirects: true, judge: judgeLog(info.name) });
}

/** Clients may accept a kubelet whose certificate is not of this cluster; they get what it says, not what it may. */
function lenient(tls: BackendTls, query: URLSearchParams): BackendTls {
  return query.get("insecureSkipTLSVerifyBackend") === "true" ? { ...tls, rejectUnauthorized: false } : tls;
}

/** How a kubelet's refusal is told. Source: k8s.io/apiserver/pkg/registry/generic/rest/response_checker.go */
function judgeLog(name: string): (code: number, text: string) => StatusError {
  return (code, text) => {
    if (code === 400) return new StatusError("BadRequest", text);
    if (code === 500) return new StatusError("InternalError", `Internal error occurred: ${text}`);
    const details = { name, kind: "pods/log", causes: [{ reason: "UnexpectedServerResponse", message: text }] };
    if (code === 404) {
      return new StatusError("NotFound", `the server could not find the requested resource ( pods/log ${name})`, {
        details,
      });
    }
    const message = `the server responded with the status code ${code} but did not return more information ( pods/log ${name})`;
    return new StatusError("Unknown", message, { code, details });
  };
}

/** What of a kubelet's API a stream is. */
interface KubeletStream {
  /** Kind of the options that admission sees. */
  readonly options: string;
  target(call: Call, pod: Pod): string;
}

const exec: KubeletStream = {
  options: "PodExecOptions",
  target: ({ info }, pod) => {
    if (info.query.getAll("command").length === 0) {
      throw new StatusError("BadRequest", "you must specify at least one command for the container");
    }
    const container = containerOf(pod, info.query.get("container") ?? "");
    return withQuery(`/exec/${info.namespace}/${info.name}/${container}`, streamQuery(info.query));
  },
};

const attach: KubeletStream = {
  options: "PodAttachOptions",
  target: ({ info }, pod) => {
    const container = containerOf(pod, info.query.get("container") ?? "");
    return withQuery(`/attach/${info.namespace}/${info.name}/${container}`, streamQuery(info.query));
  },
};

const portForward: KubeletStream = {
  options: "PodPortForwardOptions",
  target: ({ info }) => withQuery(`/portForward/${info.namespace}/${info.name}`, portQuery(info.query)),
};

async function stream(call: Call, tls: BackendTls, { options, target }: KubeletStream): Promise<StreamReply> {
  const pod = await podOf(call);
  await admitConnection(call, options);
  const node = pod.spec?.nodeName ?? "";
  if (node === "") throw new StatusError("BadRequest", `pod ${call.info.name} does not have a host assigned`);
  const wanted = target(call, pod);
  const backend = await kubelet(call, node, tls);
  return forward(call.request, { backend, target: wanted, upgradeOnly: true, refuseRedirects: true });
}

function podOf(call: Call): Promise<Pod> {
  return read<Pod>(call, "pods", call.info);
}

function withQuery(path: string, query: URLSearchParams): string {
  const text = query.toString();
  return text === "" ? path : `${path}?${text}`;
}

/** A whole API behind a path. */
async function api(call: Call, options: string, find: (call: Call) => Promise<Backend>): Promise<Reply | StreamReply> {
  const { info, request } = call;
  const [path, query] = splitOnce(request.url ?? "", "?");
  await admitConnection(call, options);
  const backend = await find(call);
  const below = pathBelow(path);
  if (below === "" && (info.method === "GET" || info.method === "HEAD")) {
    // So that relative links of the answer lead on through this proxy.
    const location = `${path}/${query === undefined ? "" : `?${query}`}`;
    return { code: 301, contentType: "text/plain", body: Buffer.alloc(0), headers: { location } };
  }
  const proxy = path.slice(0, path.length - below.length);
  const hosts = [`${backend.host}:${backend.port}`, backend.host, request.headers.host ?? ""];
  return forward(request, {
    backend,
    target: `${below === "" ? "/" : below}${query === undefined ? "" : `?${query}`}`,
    relocate: (location) => relocated(location, proxy, hosts),
  });
}

/** What follows `/proxy`, as the client encoded it. */
function pathBelow(path: string): string {
  const at = /^\/api\/v1\/(?:namespaces\/[^/]+\/)?[^/]+\/[^/]+\/proxy(.*)$/.exec(path);
  return at?.[1] ?? "";
}

function splitOnce(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

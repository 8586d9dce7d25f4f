/**
 * The kubelet's HTTPS API, on port 10250 of every node: what pods said, programs in them, their ports, what they use.
 * Source: k8s.io/kubernetes/pkg/kubelet/server/server.go
 */
import { createServer, type Server } from "node:https";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { once } from "node:events";
import type { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import type { Pod } from "@atoll/api/builtin/core/v1.types";
import type { Clock } from "@atoll/machinery/clock";
import { StatusError } from "@atoll/machinery/status";
import type { Log } from "@atoll/runtime/log";
import { type Authorize, callerOf, rightFor } from "./access.ts";
import { logOptions, wishOf } from "./query.ts";
import type { ContainerAt, KubeletRuntime, Program, Wish } from "./runtime.ts";
import { nodeUsage, podMetrics, resourceMetrics, summary } from "./stats.ts";
import { keepAsking } from "./streams/pings.ts";
import { servePortForward } from "./streams/portforward.ts";
import { failureOf, join, type Remote } from "./streams/remote.ts";
import { acceptSpdy, spdyRemote, wantsSpdy } from "./streams/spdyremote.ts";
import { acceptWebSocket, wantsWebSocket, webSocketRemote } from "./streams/websocket.ts";

/** What the API is made of. */
export interface KubeletOptions {
  readonly runtime: KubeletRuntime;
  readonly node: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly authorize: Authorize;
  /** PEM; `clientCa` signs those who may call. */
  readonly tls: { readonly cert: string; readonly key: string; readonly clientCa: string };
  readonly bind: string;
  /** 0 picks a free one. */
  readonly port: number;
}

/** An API that serves. */
export interface KubeletServer {
  readonly port: number;
  /** Serves another certificate from the next connection on. */
  renew(tls: KubeletOptions["tls"]): void;
  close(): Promise<void>;
}

const headersTimeoutMs = 10_000;

/** Starts the API; it serves when the promise resolves. */
export async function startKubelet(options: KubeletOptions): Promise<KubeletServer> {
  const { log } = options;
  const server = createServer(
    { ...secure(options.tls), headersTimeout: headersTimeoutMs, handshakeTimeout: headersTimeoutMs },
    (request, response) => {
      answer(request, response, options).catch((error: unknown) => refuse(response, error, log));
    },
  );
  server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on("error", () => socket.destroy());
    upgrade(request, { socket, head }, options).catch((error: unknown) => refuseUpgrade(socket, error, log));
  });
  const sockets = new Set<Duplex>();
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  await listen(server, options);
  return {
    port: (server.address() as AddressInfo).port,
    renew: (tls) => server.setSecureContext(secure(tls)),
    async close() {
      const closed = once(server, "close");
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

function secure({ cert, key, clientCa }: KubeletOptions["tls"]) {
  // A caller without a certificate is told so by a 401, in words.
  return { cert, key, ca: clientCa, requestCert: true, rejectUnauthorized: false, minVersion: "TLSv1.2" } as const;
}

function listen(server: Server, { bind, port }: KubeletOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, bind, resolve);
  });
}

interface Asked {
  readonly parts: readonly string[];
  readonly query: URLSearchParams;
}

/** @throws {StatusError} Unauthorized, Forbidden; BadRequest for a path that hides another */
async function admit(request: IncomingMessage, { authorize, node }: KubeletOptions): Promise<Asked> {
  const url = request.url ?? "/";
  const mark = url.indexOf("?");
  const path = mark < 0 ? url : url.slice(0, mark);
  const parts = path.split("/").slice(1).map(decodeURIComponent);
  if (parts.some((part) => part === "." || part === ".." || part.includes("/") || part.includes("\0"))) {
    throw new StatusError("BadRequest", "the path hides another one");
  }
  const query = new URLSearchParams(mark < 0 ? "" : url.slice(mark + 1));
  const caller = callerOf(request.socket as TLSSocket);
  if (caller === undefined) throw new StatusError("Unauthorized", "Unauthorized");
  const { verb, subresources } = rightFor(request.method ?? "", parts[0] ?? "");
  for (const subresource of subresources) if (await authorize(caller, verb, subresource)) return { parts, query };
  const right = `(user=${caller.name}, verb=${verb}, resource=nodes, subresource(s)=[${subresources.join(" ")}])`;
  throw new StatusError("Forbidden", `Forbidden ${right} on node ${node}`);
}

async function answer(request: IncomingMessage, response: ServerResponse, options: KubeletOptions): Promise<void> {
  const asked = await admit(request, options);
  const { runtime } = options;
  switch (asked.parts[0]) {
    case "healthz":
      return text(response, "ok");
    case "pods":
      return json(response, podList(runtime.pods()));
    case "runningpods":
      return json(response, podList(runtime.pods().filter(({ status }) => status?.phase === "Running")));
    case "stats":
    case "metrics":
      return await figures(response, asked, options);
    case "containerLogs":
      return await containerLog(response, asked, options);
    case "run":
      return await runOnce(request, response, { asked, runtime });
    case "exec":
    case "attach":
    case "portForward":
      throw new StatusError("BadRequest", "Upgrade request required");
    default:
      throw notFound();
  }
}

function podList(items: readonly Pod[]): object {
  return { kind: "PodList", apiVersion: "v1", metadata: {}, items };
}

/** What pods and the node use, and how they are. */
async function figures(response: ServerResponse, { parts }: Asked, options: KubeletOptions): Promise<void> {
  const { runtime, node, clock } = options;
  switch (parts.join("/")) {
    case "stats/summary":
      return json(response, summary(node, nodeUsage(clock.nowMs()), await runtime.usage()));
    case "metrics":
      return text(response, podMetrics(runtime.pods()));
    case "metrics/resource":
      return text(response, resourceMetrics(nodeUsage(clock.nowMs()), await runtime.usage()));
    case "metrics/probes":
      // How often probes ran is not counted.
      return text(response, "");
    default:
      throw notFound();
  }
}

/** `/VERB/NAMESPACE/POD[/UID]/CONTAINER`. @throws {StatusError} NotFound */
function containerAt({ parts }: Asked): ContainerAt {
  const [, namespace = "", pod = "", ...rest] = parts;
  const container = rest.at(-1) ?? "";
  if (namespace === "" || pod === "" || container === "" || rest.length > 2) {
    throw notFound();
  }
  return { namespace, pod, container };
}

async function containerLog(response: ServerResponse, asked: Asked, { runtime, clock }: KubeletOptions): Promise<void> {
  const gone = new AbortController();
  response.once("close", () => gone.abort(new Error("the client went away")));
  const lines = await runtime.log(containerAt(asked), logOptions(asked.query, clock.nowMs()), gone.signal);
  response.writeHead(200, { "content-type": "text/plain" });
  response.flushHeaders();
  for await (const bytes of lines) {
    if (gone.signal.aborted) return;
    if (!response.write(bytes)) await untilWritable(response);
  }
  response.end();
}

/** Until there is room for more, or the client is gone. */
async function untilWritable(response: ServerResponse): Promise<void> {
  if (response.destroyed) return;
  const found = new AbortController();
  const { signal } = found;
  await Promise.race([once(response, "drain", { signal }), once(response, "close", { signal })]).catch(() => undefined);
  found.abort();
}

/** `POST /run/NAMESPACE/POD/CONTAINER?cmd=…`: a program's whole output. */
async function runOnce(
  request: IncomingMessage,
  response: ServerResponse,
  { asked, runtime }: { readonly asked: Asked; readonly runtime: KubeletRuntime },
): Promise<void> {
  if (request.method !== "POST") throw new StatusError("MethodNotAllowed", "use POST");
  const command = (asked.query.get("cmd") ?? "").split(" ").filter((word) => word !== "");
  const wish: Wish = { stdin: false, stdout: true, stderr: true, tty: false };
  const program = await runtime.exec(containerAt(asked), command, wish);
  response.once("close", () => program.close());
  for await (const { bytes } of program.output) if (!response.write(bytes)) await untilWritable(response);
  await program.exited;
  response.end();
}

interface Line {
  readonly socket: Duplex;
  readonly head: Buffer;
}

async function upgrade(request: IncomingMessage, line: Line, options: KubeletOptions): Promise<void> {
  const asked = await admit(request, options);
  const { runtime } = options;
  switch (asked.parts[0]) {
    case "exec":
    case "attach": {
      const at = containerAt(asked);
      const wish = wishOf(asked.query);
      const command = asked.query.getAll("command");
      mustBeHere(runtime, at.namespace, at.pod);
      const isExec = asked.parts[0] === "exec";
      const start = () => (isExec ? runtime.exec(at, command, wish) : runtime.attach(at, wish));
      return await remoteCommand(request, line, { wish, options, start });
    }
    case "portForward": {
      const [, namespace = "", pod = ""] = asked.parts;
      mustBeHere(runtime, namespace, pod);
      const dial = (port: number) => runtime.dial({ namespace, pod }, port);
      return await servePortForward(request, line.socket, { head: line.head, dial, clock: options.clock });
    }
    default:
      throw notFound();
  }
}

/** Refused before anything is switched, so that kubectl says why. @throws {StatusError} NotFound */
function mustBeHere(runtime: KubeletRuntime, namespace: string, pod: string): void {
  const isHere = runtime.pods().some(({ metadata }) => metadata.name === pod && metadata.namespace === namespace);
  if (!isHere) throw new StatusError("NotFound", `pod "${pod}_${namespace}" not found`);
}

interface RemoteCommand {
  readonly wish: Wish;
  readonly options: KubeletOptions;
  start(): Promise<Program>;
}

async function remoteCommand(
  request: IncomingMessage,
  line: Line,
  { wish, options, start }: RemoteCommand,
): Promise<void> {
  const remote = await remoteOf(request, line, { wish, clock: options.clock });
  if (remote === undefined) return;
  void keepAsking(options.clock, remote.gone, () => remote.ping());
  try {
    await join(await start(), remote, wish);
  } catch (error) {
    await remote.finish(failureOf(error));
  }
}

async function remoteOf(
  request: IncomingMessage,
  { socket, head }: Line,
  { wish, clock }: { readonly wish: Wish; readonly clock: Clock },
): Promise<Remote | undefined> {
  if (wantsWebSocket(request)) {
    const websocket = await acceptWebSocket(request, [socket, head]);
    return websocket === undefined ? undefined : webSocketRemote(websocket, wish);
  }
  if (!wantsSpdy(request)) throw new StatusError("BadRequest", "upgrade to WebSocket or SPDY/3.1");
  if (head.length > 0) socket.unshift(head);
  return acceptSpdy(request, socket) ? await spdyRemote(socket, wish, clock) : undefined;
}

function notFound(): StatusError {
  return new StatusError("NotFound", "404 page not found");
}

const codes: Readonly<Record<string, number>> = {
  BadRequest: 400,
  Unauthorized: 401,
  Forbidden: 403,
  NotFound: 404,
  MethodNotAllowed: 405,
};

function told(error: unknown, log: Log): { readonly code: number; readonly message: string } {
  if (error instanceof StatusError) return { code: codes[error.reason] ?? 500, message: error.message };
  if (error instanceof URIError) return { code: 400, message: "the path cannot be read" };
  log.warn("a request failed", { error });
  return { code: 500, message: error instanceof Error ? error.message : String(error) };
}

function refuse(response: ServerResponse, error: unknown, log: Log): void {
  const { code, message } = told(error, log);
  if (response.headersSent) {
    response.destroy();
    return;
  }
  response.writeHead(code, { "content-type": "text/plain" });
  response.end(message);
}

function refuseUpgrade(socket: Duplex, error: unknown, log: Log): void {
  const { code, message } = told(error, log);
  const body = Buffer.from(message);
  const head = `HTTP/1.1 ${code} Refused\r\nconnection: close\r\ncontent-type: text/plain\r\ncontent-length: ${body.length}\r\n\r\n`;
  socket.end(Buffer.concat([Buffer.from(head), body]));
}

function text(response: ServerResponse, body: string): void {
  response.writeHead(200, { "content-type": "text/plain; version=0.0.4; charset=utf-8" });
  response.end(body);
}

function json(response: ServerResponse, body: object): void {
  response.writeHead(200, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}

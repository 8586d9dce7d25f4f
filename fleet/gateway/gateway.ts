/**
 * Where fleet agents come in.
 *
 *     POST /register {token, csr}   → a certificate, for who has a good token
 *     POST /renew {csr}             → the next one, in the name of the certificate presented
 *     /api…, /apis…                 → the hub's API as that agent, within its cluster's namespace
 *     POST /tunnel, upgraded        → the way by which people's requests reach the cluster, and policies are tried there
 *     /clusters/ORG/NAME/…          → that cluster's API, for people
 *     /v2/…                         → the agent's image, for anyone: there is nothing secret in it
 *     POST /peer/…, upgraded        → a tunnel that ends here, for another gateway of the hub
 *     POST /dry-run/…               → what a write at the hub would change on clusters, asked by the hub itself
 *     GET /agent-image              → its name here, made when it is not there yet
 *
 * At every request the agent's certificate, registered key and revocation are checked; what streams is cut when the
 * answer changes.
 */
import { createServer, type Server } from "node:https";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import type { Client } from "@atoll/client/client";
import type { Transport } from "@atoll/client/transport";
import type { Clock } from "@atoll/machinery/clock";
import { type Reason, StatusError } from "@atoll/machinery/status";
import type { ServingPair } from "@atoll/runtime/certificates/selfsigned";
import type { Log } from "@atoll/runtime/log";
import { agentUser } from "../cluster/names.ts";
import type { Agents, Presented } from "./agents.ts";
import { enrol, keyHash, readAgentRequest, sign } from "./enrol.ts";
import { forward } from "./forward.ts";
import { isWithin } from "./paths.ts";
import { answerPeer, clusterAskedFor, headersOf, kindOf, type Peering, Peers } from "./peers.ts";
import { preview, type PreviewPath } from "./preview.ts";
import { isReaching, reach, reachUpgraded } from "./reach.ts";
import { takeToken } from "./tokens.ts";
import { Trials } from "./trial.ts";
import { Tunnels } from "./tunnels.ts";

/** What a gateway needs. */
export interface GatewayOptions {
  /** The hub, as the gateway. */
  readonly client: Client;
  readonly transport: Transport;
  readonly agents: Agents;
  readonly clock: Clock;
  readonly log: Log;
  readonly image?: AgentImage;
  /** How the hub's other gateways are known; absent: there is none. */
  readonly peering?: Peering;
  /** By which the hub asks what a dry run would change; absent: it is not asked. */
  readonly previews?: PreviewPath;
  readonly tls: ServingPair & { /** PEM of what signs agents' certificates. */ readonly clientCa: string };
  readonly bind: string;
  /** 0 picks a free one. */
  readonly port: number;
}

/** The agent's image, to be pulled from the gateway. */
export interface AgentImage {
  /** Makes it at first need. @returns `REPOSITORY@DIGEST` */
  reference(): Promise<string>;
  /** Answers what is below `/v2/`. */
  answer(request: IncomingMessage, response: ServerResponse): Promise<void>;
}

/** A gateway that serves. */
export interface Gateway {
  readonly port: number;
  close(): Promise<void>;
}

const largestBody = 64 * 1024;
/** Of an object as it was and as it will be: as much as an API server takes of each. */
const largestReview = 8 * 1024 * 1024;
const headersTimeoutMs = 10_000;
/** Agents report twice a minute: their connections are kept for longer than that, since each new one costs a handshake. */
const keepAliveMs = 100_000;

/** Starts a gateway; it serves when the promise resolves. */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const { tls, log } = options;
  const { peering } = options;
  const port = () => (server.address() as AddressInfo).port;
  const peers = peering === undefined ? undefined : new Peers({ ...options, peering, port });
  const tunnels = new Tunnels(peers);
  const trials = new Trials({ ...options, tunnels });
  const serving: Serving = { options, peers, tunnels, trials, presented: new WeakMap() };
  const server = createServer(
    {
      cert: tls.cert,
      key: tls.key,
      ca: tls.clientCa,
      requestCert: true,
      rejectUnauthorized: false,
      minVersion: "TLSv1.2",
      headersTimeout: headersTimeoutMs,
      keepAliveTimeout: keepAliveMs,
    },
    (request, response) => {
      answer(request, response, serving).catch((error: unknown) => {
        if (!(error instanceof StatusError)) log.error("a request failed", { path: request.url, error });
        refuse(response, error);
      });
    },
  );
  server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on("error", () => socket.destroy());
    upgrade(request, { socket, head }, serving).catch((error: unknown) => {
      if (!(error instanceof StatusError)) options.log.error("an upgrade failed", { path: request.url, error });
      const { code, body } = statusOf(error);
      const type = "content-type: application/json\r\nconnection: close";
      socket.end(`HTTP/1.1 ${code} Refused\r\n${type}\r\n\r\n${JSON.stringify(body)}`);
    });
  });
  await listen(server, options);
  return {
    port: port(),
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      tunnels.close();
      await peers?.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

function listen(server: Server, { bind, port }: GatewayOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, bind, resolve);
  });
}

interface Serving {
  readonly options: GatewayOptions;
  /** Who is at the other end of each connection. */
  readonly presented: WeakMap<TLSSocket, Presented>;
  readonly peers: Peers | undefined;
  readonly tunnels: Tunnels;
  readonly trials: Trials;
}

async function answer(request: IncomingMessage, response: ServerResponse, serving: Serving): Promise<void> {
  const [path = ""] = (request.url ?? "").split("?");
  const open = openPath(path, request.method, serving);
  return await (open ?? answerAgent)(request, response, { ...serving, path });
}

type Answer = (
  request: IncomingMessage,
  response: ServerResponse,
  serving: Serving & { readonly path: string },
) => Promise<void>;

/** What asks for no agent's certificate; undefined for everything else. */
function openPath(path: string, method: string | undefined, { options, tunnels, trials }: Serving): Answer | undefined {
  const { image } = options;
  if (isReaching(path)) return async (request, response) => await reach(request, response, { ...options, tunnels });
  if (path === "/healthz") return async (_, response) => say(response, 200, { status: "ok" });
  if (path === "/register" && method === "POST") {
    return async (request, response) => await register(request, response, options);
  }
  if (path === "/renew" && method === "POST") {
    return async (request, response) => await renew(request, response, options);
  }
  if (options.previews?.is(path) === true && method === "POST") {
    return async (request, response) => {
      const review = await readBody(request, largestReview);
      say(response, 200, await preview({ ...options, trials }, review));
    };
  }
  if (image === undefined) return undefined;
  if (/^\/v2(\/|$)/.test(path)) return async (request, response) => await image.answer(request, response);
  if (path !== "/agent-image") return undefined;
  return async (_, response) => say(response, 200, { image: await image.reference() });
}

async function answerAgent(
  request: IncomingMessage,
  response: ServerResponse,
  serving: Serving & { readonly path: string },
): Promise<void> {
  const { options, path } = serving;
  const { agents } = options;
  const presented = presentedBy(request, serving);
  const admitted = presented === undefined ? "no certificate was presented" : agents.admit(presented);
  if (typeof admitted === "string") throw new StatusError("Unauthorized", admitted);
  if (!isWithin(path, admitted.namespace)) {
    throw new StatusError("Forbidden", `an agent may ask for what is in namespace ${admitted.namespace} alone`);
  }
  const stop = new AbortController();
  const end = agents.onChange(admitted.namespace, () => {
    if (presented !== undefined && typeof agents.admit(presented) === "string")
      stop.abort(new Error("not let in any more"));
  });
  response.once("close", () => stop.abort(new Error("the agent went away")));
  try {
    await forward(request, response, {
      transport: options.transport,
      user: agentUser(admitted.namespace),
      signal: stop.signal,
    });
  } finally {
    end();
  }
}

/** An agent's tunnel, a person's exec, or another gateway. */
async function upgrade(
  request: IncomingMessage,
  { socket, head }: { readonly socket: Duplex; readonly head: Buffer },
  serving: Serving,
): Promise<void> {
  const { options, peers, tunnels } = serving;
  if (isReaching(request.url)) return await reachUpgraded(request, { socket, head }, { ...options, tunnels });
  if (peers?.is(request.url ?? "") === true) {
    const tunnel = tunnels.of(clusterAskedFor(request.headers));
    if (tunnel === undefined) throw new StatusError("NotFound", "no tunnel to that cluster ends here");
    return answerPeer(await switched(socket, head, headersOf(tunnel)), tunnel);
  }
  const { agents } = options;
  const presented = presentedBy(request, serving);
  if (presented === undefined) throw new StatusError("Unauthorized", "no certificate was presented");
  const admitted = agents.admit(presented);
  if (typeof admitted === "string") throw new StatusError("Unauthorized", admitted);
  if (request.url !== "/tunnel") throw new StatusError("BadRequest", "there is nothing to upgrade to");
  const session = tunnels.open(admitted.namespace, await switched(socket, head), kindOf(request.headers));
  void peers?.announce(admitted.namespace);
  const end = agents.onChange(
    admitted.namespace,
    () => typeof agents.admit(presented) === "string" && session.destroy(),
  );
  session.once("close", end);
}

/** Speaks HTTP/2 from now on. @param told in the answer */
async function switched(socket: Duplex, head: Buffer, told: Readonly<Record<string, string>> = {}): Promise<Duplex> {
  const headers = Object.entries({ connection: "Upgrade", upgrade: "atoll-tunnel", ...told });
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  // HTTP/2 takes the connection over below its stream: a write under way then ends the process (Node 24).
  await new Promise<void>((resolve) => {
    socket.write(`HTTP/1.1 101 Switching Protocols\r\n${lines}\r\n`, () => resolve());
  });
  if (head.length > 0) socket.unshift(head);
  return socket;
}

async function register(request: IncomingMessage, response: ServerResponse, options: GatewayOptions): Promise<void> {
  const { token, csr } = await readBody(request);
  if (typeof token !== "string" || typeof csr !== "string") {
    throw new StatusError("BadRequest", "the body must be {token, csr}, both text");
  }
  const taken = await takeToken(options.client, token, options.clock);
  if (taken === undefined) {
    options.log.warn("a join token was refused", { from: request.socket.remoteAddress });
    throw new StatusError("Unauthorized", "the join token is unknown, used or expired; make a new one on the hub");
  }
  const { namespace, giveBack } = taken;
  const enrolled = readAgentRequest(csr).then((asked) => enrol(options, namespace, asked));
  const { certificate, cluster } = await enrolled.catch(async (error: unknown) => {
    await giveBack().catch((failure: unknown) =>
      options.log.warn("a join token is lost", { namespace, error: failure }),
    );
    throw error;
  });
  options.log.info("an agent registered", { cluster });
  say(response, 200, { certificate });
}

/**
 * The proof is the request's own signature, by the key that is registered: so an agent that was away until its certificate ended
 * comes in again, and nothing is lost with an answer that does not arrive.
 */
async function renew(request: IncomingMessage, response: ServerResponse, options: GatewayOptions): Promise<void> {
  const { csr } = await readBody(request);
  if (typeof csr !== "string") throw new StatusError("BadRequest", "the body must be {csr}, a text");
  const asked = await readAgentRequest(csr);
  const admitted = options.agents.admit(asked);
  if (typeof admitted === "string") {
    options.log.warn("a renewal was refused", { from: request.socket.remoteAddress, why: admitted });
    throw new StatusError("Unauthorized", admitted);
  }
  say(response, 200, { certificate: await sign(options, admitted.namespace, asked) });
}

/** Who the client's certificate says it is; undefined without one that the hub signed. Read once for a connection. */
function presentedBy(request: IncomingMessage, { options, presented }: Serving): Presented | undefined {
  const socket = request.socket as TLSSocket;
  const found = presented.get(socket) ?? presentedOn(socket);
  if (found === undefined || found.endMs < options.clock.nowMs()) return undefined;
  presented.set(socket, found);
  return found;
}

function presentedOn(socket: TLSSocket): Presented | undefined {
  const certificate = socket.authorized ? socket.getPeerX509Certificate() : undefined;
  const commonName = socket.authorized ? socket.getPeerCertificate().subject?.CN : undefined;
  if (certificate === undefined || typeof commonName !== "string") return undefined;
  const hash = keyHash(certificate.publicKey.export({ type: "spki", format: "der" }));
  return { commonName, keyHash: hash, endMs: certificate.validToDate.getTime() };
}

async function readBody(request: IncomingMessage, largest = largestBody): Promise<Record<string, unknown>> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > largest) throw new StatusError("RequestEntityTooLarge", "the body is too large");
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>;
  } catch (cause) {
    throw new StatusError("BadRequest", "the body is no JSON", { cause });
  }
}

const codes: Partial<Record<Reason, number>> = {
  BadRequest: 400,
  Unauthorized: 401,
  Forbidden: 403,
  NotFound: 404,
  RequestEntityTooLarge: 413,
  ServiceUnavailable: 503,
  Timeout: 504,
};

function refuse(response: ServerResponse, error: unknown): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const { code, body } = statusOf(error);
  say(response, code, body);
}

function statusOf(error: unknown): { readonly code: number; readonly body: object } {
  const bug = { reason: "InternalError", message: "the gateway failed; its log says why" } as const;
  const { reason, message } = error instanceof StatusError ? error : bug;
  const code = codes[reason] ?? 500;
  return { code, body: { kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure", code, reason, message } };
}

function say(response: ServerResponse, code: number, body: object): void {
  response.writeHead(code, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}

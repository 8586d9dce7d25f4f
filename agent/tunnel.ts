/**
 * The way back: one connection that the agent opens to the gateway and keeps, over which people's requests come in.
 *
 *     person ─► gateway ─► (HTTP/2, the gateway asks) ─► agent ─► this cluster's API, as that person
 *
 * The agent speaks in the person's name by impersonation, and never in one that begins with `system:`: whoever owns the
 * hub does not own the cluster. Where the cluster wants people's own tokens it impersonates nobody: the cluster itself says
 * whose a token is. Only an agent that was started to be reachable lets people in. Source: docs/rfd/0028
 *
 * The gateway itself asks by the same way what policies would do here before they are applied. Source: docs/rfd/0039
 */
import type { IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeaders } from "node:http";
import { performServerHandshake, type ServerHttp2Session, type ServerHttp2Stream } from "node:http2";
import { request as httpsRequest } from "node:https";
import type { Duplex } from "node:stream";
import { ownTokenHeader, type ReachableBy } from "@atoll/api/fleet/reachable";
import { type Trial, trialHeader, trialsOnlyHeader, type Verdict } from "@atoll/api/fleet/trial";
import type { Client } from "@atoll/client/client";
import { chance, type Clock } from "@atoll/machinery/clock";
import { tlsOptions } from "@atoll/runtime/carrier";
import type { Log } from "@atoll/runtime/log";
import type { Identity } from "@atoll/runtime/transport";

/** What a tunnel needs. */
export interface TunnelOptions {
  readonly gateway: { readonly url: string; readonly identity: Identity };
  /** This cluster's API, and who the agent is there. */
  readonly cluster: { readonly server: string; readonly identity: Identity; readonly client: Client };
  /** How people reach the cluster; undefined: not at all. */
  readonly by: ReachableBy | undefined;
  /** Says what policies would do here. */
  readonly tryPolicies: (trial: Trial, signal: AbortSignal) => Promise<Verdict>;
  readonly clock: Clock;
  readonly log: Log;
}

const retryMs = 2_000;
/** Of those whom people do not wait for: all of them come back to a hub that was away. By chance half as long again. */
const patientRetryMs = 5_000;
const largestTrial = 4 * 1024 * 1024;
const pingMs = 15_000;
/** Of the whole connection; a stream has 64 KiB, so that one that nobody reads stops itself alone. */
const windowBytes = 16 * 1024 * 1024;
/** What is handed on of a person's request. */
const passedOn = ["accept", "content-type", "content-length", "user-agent", "x-stream-protocol-version"] as const;
const passedUpgrading = ["sec-websocket-key", "sec-websocket-version", "sec-websocket-protocol"] as const;
/** What the hub says of the person, in the API's own words. */
const ofPerson = ["impersonate-user", "impersonate-uid", "impersonate-group"] as const;

/** Keeps a tunnel open until the signal aborts. */
export async function keepTunnel(options: TunnelOptions, signal: AbortSignal): Promise<void> {
  const { clock, log } = options;
  while (!signal.aborted) {
    await holdOne(options, signal).catch((error: unknown) => log.debug("the tunnel broke", { error }));
    const afterMs = options.by === undefined ? patientRetryMs * (1 + chance() / 2) : retryMs;
    await clock.sleep(afterMs, signal).catch(() => undefined);
  }
}

/** Opens a tunnel and serves it until it breaks. */
async function holdOne(options: TunnelOptions, signal: AbortSignal): Promise<void> {
  const session = performServerHandshake(await dial(options, signal), { settings: { maxConcurrentStreams: 1000 } });
  const end = () => session.destroy();
  signal.addEventListener("abort", end, { once: true });
  const broken = new Promise<void>((resolve) => session.once("close", resolve));
  session.on("error", () => undefined);
  session.once("connect", () => session.setLocalWindowSize(windowBytes));
  session.on("stream", (stream, headers) => {
    stream.on("error", () => undefined);
    const served = headers[trialHeader] === undefined ? serve(stream, headers, options) : answerTrial(stream, options);
    served.catch((error: unknown) => refuse(stream, 502, String(error)));
  });
  const timer = keepAlive(session, options.clock);
  await broken;
  timer();
  signal.removeEventListener("abort", end);
}

/** @returns ends it */
function keepAlive(session: ServerHttp2Session, clock: Clock): () => void {
  let answered = true;
  let timer = clock.after(pingMs, beat);
  function beat(): void {
    if (!answered) return session.destroy();
    answered = false;
    session.ping(() => (answered = true));
    timer = clock.after(pingMs, beat);
  }
  return () => timer.cancel();
}

async function dial({ gateway, by, clock }: TunnelOptions, signal: AbortSignal): Promise<Duplex> {
  const { url, identity } = gateway;
  const { hostname } = new URL(url);
  const headers = {
    ...{ connection: "Upgrade", upgrade: "atoll-tunnel" },
    ...(by === "own-token" ? { [ownTokenHeader]: "true" } : {}),
    ...(by === undefined ? { [trialsOnlyHeader]: "true" } : {}),
  };
  const material = tlsOptions(await identity.tls(), hostname);
  return await new Promise((resolve, reject) => {
    const asked = httpsRequest(new URL("/tunnel", url), { ...material, method: "POST", headers, agent: false, signal });
    const timer = clock.after(pingMs, () => asked.destroy(new Error("the gateway does not answer")));
    asked.once("upgrade", (_answer, socket: Duplex, head: Buffer) => {
      timer.cancel();
      if (head.length > 0) socket.unshift(head);
      resolve(socket);
    });
    asked.once("response", (answer) => {
      answer.resume();
      asked.destroy(new Error(`the gateway refused a tunnel: ${answer.statusCode}`));
    });
    asked.once("error", (error) => {
      timer.cancel();
      reject(error);
    });
    asked.end();
  });
}

/** The gateway's own question. Nothing is changed by it, and what it tells the hub could ask by a policy that audits. */
async function answerTrial(stream: ServerHttp2Stream, { tryPolicies, log }: TunnelOptions): Promise<void> {
  const gone = new AbortController();
  stream.once("close", () => gone.abort(new Error("nobody waits for it any more")));
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > largestTrial) return refuse(stream, 413, `a trial may be ${largestTrial} bytes long`);
    chunks.push(chunk);
  }
  const trial = JSON.parse(Buffer.concat(chunks).toString()) as Trial;
  const verdict = await tryPolicies(trial, gone.signal).catch((error: unknown) => {
    if (!gone.signal.aborted) log.warn("policies could not be tried here", { error });
    throw error;
  });
  if (stream.closed || stream.destroyed) return;
  stream.respond({ ":status": 200, "content-type": "application/json" });
  stream.end(JSON.stringify(verdict));
}

/** As whom to ask; undefined when it is nobody that may be asked for. */
function personOf(headers: IncomingHttpHeaders | OutgoingHttpHeaders): OutgoingHttpHeaders | undefined {
  const [user, uid, groups] = ofPerson.map((name) => headers[name]);
  if (typeof user !== "string" || user === "") return undefined;
  const name = decodeURIComponent(user);
  if (name.startsWith("system:")) return undefined;
  const given = (typeof groups === "string" ? groups : "").split(",").filter((text) => text !== "");
  const names = given.map(decodeURIComponent).filter((group) => !group.startsWith("system:"));
  return {
    "impersonate-user": inHeader(name),
    ...(typeof uid === "string" && uid !== "" ? { "impersonate-uid": uid } : {}),
    ...(names.length === 0 ? {} : { "impersonate-group": names.map(inHeader) }),
  };
}

/** The bytes of UTF-8, one a character, as Node writes them. */
function inHeader(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}

/** Asks the cluster whose a token is, and gives it for that. Nobody of the system comes from elsewhere. */
async function proven(token: unknown, { cluster }: TunnelOptions): Promise<OutgoingHttpHeaders | undefined> {
  if (typeof token !== "string" || token === "") return undefined;
  const body = { apiVersion: "authentication.k8s.io/v1", kind: "TokenReview", spec: { token } };
  const path = "/apis/authentication.k8s.io/v1/tokenreviews";
  const { status } = (await cluster.client.raw({ method: "POST", path, body })) as {
    readonly status?: { readonly authenticated?: boolean; readonly user?: { readonly username?: string } };
  };
  const { username = "" } = (status?.authenticated === true ? status.user : undefined) ?? {};
  return username === "" || username.startsWith("system:") ? undefined : { authorization: `Bearer ${token}` };
}

/** Who is to be there, and how that is said: in the hub's words by the agent's own right, or by a token of the person's. */
async function identify(given: IncomingHttpHeaders, options: TunnelOptions): Promise<OutgoingHttpHeaders | undefined> {
  if (options.by === undefined) return undefined;
  if (options.by === "own-token") return await proven(given["x-atoll-token"], options);
  const person = personOf(given);
  const authorization = await options.cluster.identity.authorization();
  return person === undefined || authorization === undefined ? person : { ...person, authorization };
}

async function serve(stream: ServerHttp2Stream, given: IncomingHttpHeaders, options: TunnelOptions): Promise<void> {
  const { server, identity } = options.cluster;
  const person = await identify(given, options);
  const path = given[":path"];
  if (person === undefined) return refuse(stream, 403, refusals[options.by ?? "nobody"]);
  if (typeof path !== "string" || !path.startsWith("/")) return refuse(stream, 400, "no path");
  const upgrade = given["x-atoll-upgrade"];
  const headers: OutgoingHttpHeaders = { ...person };
  for (const name of upgrade === undefined ? passedOn : [...passedOn, ...passedUpgrading]) {
    const value = given[name];
    if (typeof value === "string") headers[name] = value;
  }
  if (typeof upgrade === "string") Object.assign(headers, { connection: "Upgrade", upgrade });
  const url = new URL(server);
  const { cert, key, ...trust } = await identity.tls();
  // A certificate of the agent's would count before a person's token.
  const pair = options.by === "own-token" || cert === undefined || key === undefined ? {} : { cert, key };
  const material = tlsOptions({ ...trust, ...pair }, url.hostname);
  const asked = httpsRequest({
    ...{ ...material, hostname: url.hostname, port: url.port || 443, agent: false },
    ...{ method: String(given[":method"]), path: url.pathname.replace(/\/+$/, "") + path, headers },
  });
  asked.once("error", (error) => refuse(stream, 502, `this cluster's API does not answer: ${error.message}`));
  asked.once("response", (answer) => {
    stream.respond({ ":status": answer.statusCode ?? 502, ...toldBack(answer) });
    answer.pipe(stream);
    answer.once("error", () => stream.destroy());
  });
  asked.once("upgrade", (answer, socket: Duplex, head: Buffer) => {
    // HTTP/2 has no 101.
    stream.respond({ ":status": 200, "x-atoll-switched": String(answer.headers.upgrade), ...toldBack(answer) });
    socket.once("error", () => stream.destroy());
    if (head.length > 0) socket.unshift(head);
    socket.pipe(stream).pipe(socket);
    stream.once("close", () => socket.destroy());
  });
  stream.once("close", () => asked.destroy());
  // What follows an upgrade is the other protocol's, and no body.
  if (typeof upgrade === "string") asked.end();
  else stream.pipe(asked);
}

const refusals: Readonly<Record<ReachableBy | "nobody", string>> = {
  nobody: "this cluster is not reached through the hub: its agent was not started with --reachable",
  hub: "the agent does not speak in that name",
  "own-token": "this cluster does not know whose token that is; it wants one of an identity provider that it knows",
};

const told = [
  ...["content-type", "warning", "retry-after", "x-stream-protocol-version"],
  ...["sec-websocket-accept", "sec-websocket-protocol"],
];

function toldBack(answer: IncomingMessage): OutgoingHttpHeaders {
  return Object.fromEntries(told.flatMap((name) => (answer.headers[name] ? [[name, answer.headers[name]]] : [])));
}

function refuse(stream: ServerHttp2Stream, code: number, message: string): void {
  if (stream.closed || stream.destroyed) return;
  if (stream.headersSent) return void stream.destroy();
  stream.respond({ ":status": code, "content-type": "application/json" });
  const reason = code === 403 ? "Forbidden" : "ServiceUnavailable";
  stream.end(
    JSON.stringify({ kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure", code, reason, message }),
  );
}

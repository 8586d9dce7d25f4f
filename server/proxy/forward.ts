/**
 * Hands a request on to a backend, and its answer back. Redirects are never followed: the client is told of them, or,
 * where it must not be, that the backend is at fault.
 * Source: k8s.io/apimachinery/pkg/util/proxy/upgradeaware.go; CVE-2018-1002105, CVE-2020-8559, CVE-2022-3172
 */
import type { ClientRequest, IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";
import { type RequestOptions, request as httpsRequest } from "node:https";
import type { Duplex } from "node:stream";
import type { PeerCertificate } from "node:tls";
import { StatusError } from "@atoll/machinery/status";
import type { StreamReply } from "../call.ts";
import { errorReply } from "../reply.ts";
import { passedOn, requestHeaders } from "./headers.ts";
import { UpgradeResponse } from "./upgrade.ts";

// Not imported: see upgrade.ts.
const { request: httpRequest } = process.getBuiltinModule("node:http");

/** How a backend is reached. */
export interface Backend {
  readonly host: string;
  readonly port: number;
  /** Undefined: plain HTTP. */
  readonly tls: BackendTls | undefined;
}

export interface BackendTls {
  /** Authorities that the backend's certificate may be of; PEM. Default: those every program trusts. */
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  /** Name the certificate must have, when it is not the host's. */
  readonly servername?: string;
  /** false: any certificate does. */
  readonly rejectUnauthorized?: boolean;
  /** Whether a certificate that is good otherwise is the right one; what it returns is what is wrong with it. */
  readonly checkServerIdentity?: (host: string, certificate: PeerCertificate) => Error | undefined;
}

export interface Forwarding {
  readonly backend: Backend;
  /** Path and query asked of the backend, encoded. */
  readonly target: string;
  /** Only upgrades are handed on; anything else is refused. */
  readonly upgradeOnly?: boolean;
  /** A redirect becomes 502. */
  readonly refuseRedirects?: boolean;
  /** Added to what the client sent, over it. */
  readonly headers?: OutgoingHttpHeaders;
  /** Answers outside 2xx become Statuses made of this much of their text. */
  readonly judge?: (code: number, text: string) => StatusError;
  /** What the client is told for a Location of the backend's. */
  readonly relocate?: (location: string) => string;
}

const connectTimeoutMs = 30_000;
const largestErrorText = 2_048;

/** @throws {StatusError} BadRequest when an upgrade is required and not asked for */
export function forward(request: IncomingMessage, forwarding: Forwarding): StreamReply {
  const wanted = isUpgrade(request);
  if (forwarding.upgradeOnly === true && !wanted) throw new StatusError("BadRequest", "Upgrade request required");
  return {
    stream(response) {
      if (response instanceof UpgradeResponse && wanted) forwardUpgrade(request, response, forwarding);
      else forwardPlain(request, response, forwarding);
    },
  };
}

/** Whether the client asks for another protocol on this connection. */
function isUpgrade({ headers }: IncomingMessage): boolean {
  const tokens = (headers.connection ?? "").split(",").map((token) => token.trim().toLowerCase());
  return headers.upgrade !== undefined && tokens.includes("upgrade");
}

function open(request: IncomingMessage, forwarding: Forwarding, how: "upgrade" | "body" | "bare"): ClientRequest {
  const { backend, target, headers } = forwarding;
  const options: RequestOptions & { allowHalfOpen: boolean } = {
    host: backend.host,
    port: backend.port,
    path: target,
    method: request.method ?? "GET",
    headers: { ...requestHeaders(request, how === "upgrade"), ...framing(request, how === "body"), ...headers },
    // A connection of its own: what one user's stream leaves on it never meets another's.
    agent: false,
    // A side that has said all it has to say may still listen.
    allowHalfOpen: how === "upgrade",
    // Until there is a connection; what follows takes as long as it likes.
    timeout: connectTimeoutMs,
    ...backend.tls,
  };
  const outgoing = backend.tls === undefined ? httpRequest(options) : httpsRequest(options);
  outgoing.on("timeout", () => outgoing.destroy(new Error("the connection takes too long")));
  outgoing.once("socket", (socket) => {
    socket.once(backend.tls === undefined ? "connect" : "secureConnect", () => outgoing.setTimeout(0));
  });
  return outgoing;
}

/** Node sends bodies of methods that seldom have one without saying where they end. */
function framing({ headers }: IncomingMessage, body: boolean): OutgoingHttpHeaders {
  return body && headers["content-length"] === undefined ? { "transfer-encoding": "chunked" } : {};
}

function hasBody(request: IncomingMessage): boolean {
  const { "content-length": length, "transfer-encoding": encoding } = request.headers;
  if (length !== undefined) return Number(length) > 0;
  // Only an HTTP/2 request has a stream.
  const { stream } = request as { stream?: { readonly endAfterHeaders: boolean } };
  return stream === undefined ? encoding !== undefined : !stream.endAfterHeaders;
}

function forwardPlain(request: IncomingMessage, response: ServerResponse, forwarding: Forwarding): void {
  const body = hasBody(request);
  const outgoing = open(request, forwarding, body ? "body" : "bare");
  outgoing.on("response", (answer) => void relay(answer, response, forwarding).catch(() => response.destroy()));
  outgoing.on("upgrade", (_, socket: Duplex) => {
    socket.destroy();
    refuse(response, unreachable("the backend switched protocols unasked"));
  });
  outgoing.on("error", (error) => refuse(response, unreachable(error.message)));
  response.on("close", () => outgoing.destroy());
  if (body) request.pipe(outgoing);
  else outgoing.end();
}

async function relay(answer: IncomingMessage, response: ServerResponse, forwarding: Forwarding): Promise<void> {
  const code = answer.statusCode ?? 500;
  if (forwarding.refuseRedirects === true && isRedirect(code)) {
    answer.destroy();
    refuse(response, redirected());
    return;
  }
  if (forwarding.judge !== undefined && (code < 200 || code > 206)) {
    refuse(response, forwarding.judge(code, await startOf(answer)));
    return;
  }
  response.writeHead(code, answerHeaders(answer, forwarding));
  answer.on("error", () => response.destroy());
  // Who follows a log waits for every line of it.
  response.flushHeaders();
  answer.pipe(response);
}

function answerHeaders(answer: IncomingMessage, { relocate }: Forwarding): OutgoingHttpHeaders {
  const headers = passedOn(answer.headers);
  const { location } = answer.headers;
  if (location !== undefined && relocate !== undefined) headers["location"] = relocate(location);
  for (const name of Object.keys(headers)) if (name.startsWith("access-control-")) delete headers[name];
  return headers;
}

async function startOf(answer: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of answer) {
    text += String(chunk);
    if (text.length > largestErrorText) break;
  }
  return text.slice(0, largestErrorText);
}

function forwardUpgrade(request: IncomingMessage, response: UpgradeResponse, forwarding: Forwarding): void {
  const outgoing = open(request, forwarding, "upgrade");
  const leave = () => outgoing.destroy();
  outgoing.on("upgrade", (answer, backend: Duplex, head: Buffer) => {
    response.off("close", leave);
    // The client may have gone while the backend made up its mind.
    if (response.destroyed) backend.destroy();
    else join(response, { answer, backend, head });
  });
  outgoing.on("response", (answer) => void notUpgraded(answer, response, outgoing).catch(() => response.destroy()));
  outgoing.on("error", (error) => refuse(response, unreachable(error.message)));
  response.on("close", leave);
  outgoing.end();
}

/** From here on both ends speak with each other alone. */
function join(
  response: UpgradeResponse,
  { answer, backend, head }: { answer: IncomingMessage; backend: Duplex; head: Buffer },
): void {
  const { socket, head: ahead } = response.take();
  const lines = ["HTTP/1.1 101 Switching Protocols"];
  for (let i = 0; i + 1 < answer.rawHeaders.length; i += 2) {
    lines.push(`${answer.rawHeaders[i]}: ${answer.rawHeaders[i + 1]}`);
  }
  socket.write(`${lines.join("\r\n")}\r\n\r\n`, "latin1");
  if (head.length > 0) socket.write(head);
  if (ahead.length > 0) backend.write(ahead);
  handOn(socket, backend);
  handOn(backend, socket);
}

/**
 * All that one side says, then its end. The last of it may still be on its way when that side closes, so only a side
 * that broke off takes the other with it.
 */
function handOn(from: Duplex, to: Duplex): void {
  from.on("error", () => from.destroy());
  from.on("close", () => {
    if (!from.readableEnded || !from.writableFinished) to.destroy();
  });
  from.pipe(to);
}

/**
 * A backend that did not switch must not be spoken to any further on that connection, which carries this server's
 * rights: its error is told, the connection destroyed.
 */
async function notUpgraded(answer: IncomingMessage, response: UpgradeResponse, outgoing: ClientRequest): Promise<void> {
  const code = answer.statusCode ?? 500;
  try {
    if (code < 400) {
      refuse(response, new StatusError("InternalError", `invalid upgrade response: status code ${code}`));
      return;
    }
    const body = Buffer.from(await startOf(answer));
    response.writeHead(code, {
      "content-type": answer.headers["content-type"] ?? "text/plain; charset=utf-8",
      "content-length": body.length,
      connection: "close",
    });
    response.end(body);
  } finally {
    outgoing.destroy();
  }
}

function refuse(response: ServerResponse, error: StatusError): void {
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  const { code, contentType, body } = errorReply(error);
  response.writeHead(code, { "content-type": contentType });
  response.end(body as Buffer);
}

const isRedirect = (code: number): boolean => code >= 300 && code <= 399;

function redirected(): StatusError {
  return new StatusError("Unknown", "the backend attempted to redirect this request, which is not permitted", {
    code: 502,
  });
}

function unreachable(why: string): StatusError {
  return new StatusError("ServiceUnavailable", `error trying to reach service: ${why}`);
}

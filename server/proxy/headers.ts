/**
 * Which headers cross a proxy. Those of one connection stay on it, and nobody speaks for somebody else through it.
 * Source: k8s.io/apimachinery/pkg/util/proxy, net/http/httputil (ReverseProxy), RFC 9110 7.6.1
 */
import type { IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeaders } from "node:http";
import type { Socket } from "node:net";

const ofOneConnection: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "http2-settings",
]);

/** Who the client is, as it told this server; nobody behind it needs to know. */
const identity = /^(authorization$|impersonate-|x-remote-)/;

/** Headers without those that belong to one connection. */
export function passedOn(headers: IncomingHttpHeaders): OutgoingHttpHeaders {
  const named = new Set((headers.connection ?? "").split(",").map((name) => name.trim().toLowerCase()));
  const kept: OutgoingHttpHeaders = {};
  for (const [name, value] of Object.entries(headers)) {
    // HTTP/2 has its request line among the headers.
    if (name.startsWith(":") || ofOneConnection.has(name) || named.has(name)) continue;
    kept[name] = value;
  }
  return kept;
}

/** What the backend is sent of a client's headers; an upgrade's own are kept. */
export function requestHeaders(request: IncomingMessage, upgrade: boolean): OutgoingHttpHeaders {
  const kept = passedOn(request.headers);
  for (const name of Object.keys(kept)) if (identity.test(name)) delete kept[name];
  const authority = request.headers[":authority"] ?? request.headers.host;
  delete kept["host"];
  delete kept["expect"];
  const before = kept["x-forwarded-for"];
  const address = (request.socket as Socket | undefined)?.remoteAddress ?? "";
  kept["x-forwarded-for"] = before === undefined ? address : `${String(before)}, ${address}`;
  kept["x-forwarded-proto"] = "https";
  if (typeof authority === "string") kept["x-forwarded-host"] = authority;
  if (upgrade) Object.assign(kept, { connection: "Upgrade", upgrade: request.headers.upgrade });
  return kept;
}

/**
 * What every request has to pass, and what every answer bears: no other site's page acts through a person's cookie, and
 * nothing of another origin runs in ours.
 */
import type { IncomingMessage, ServerResponse } from "node:http";

/** The header that only a script of our own origin can send. */
const consoleHeader = "x-atoll-console";

const sessionCookie = "__Host-atoll";
/** Goes along to the identity provider and back: whoever comes back is who left. */
const stateCookie = "__Host-atoll-state";
const stateSeconds = 600;

/** Style attributes that scripts set are no inline styles; xterm.js writes style elements, hence the exception. */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
].join("; ");

/** Headers of every answer. */
export function harden(response: ServerResponse): void {
  response.setHeader("content-security-policy", policy);
  response.setHeader("x-content-type-options", "nosniff");
  response.setHeader("referrer-policy", "no-referrer");
  response.setHeader("cross-origin-opener-policy", "same-origin");
  response.setHeader("cross-origin-resource-policy", "same-origin");
  response.setHeader("strict-transport-security", "max-age=31536000");
}

/** Whether a script of our own origin sent it. Reads may come without an Origin, writes may not. */
export function isOwn(request: IncomingMessage): boolean {
  const { origin, host } = request.headers;
  if (request.headers[consoleHeader] === undefined) return false;
  const isRead = request.method === "GET" || request.method === "HEAD";
  return origin === undefined ? isRead : isOurs(origin, host);
}

/** Whether a WebSocket was opened by a page of ours; browsers always say. */
export const isOwnSocket = ({ headers }: IncomingMessage): boolean => isOurs(headers.origin, headers.host);

const isOurs = (origin: string | undefined, host: string | undefined): boolean =>
  host !== undefined && origin === `https://${host}`;

/** The session's id that a request bears. */
export const sessionIdOf = (request: IncomingMessage): string | undefined => cookieOf(request, sessionCookie);

/** The state of a sign-in that a request bears. */
export const stateOf = (request: IncomingMessage): string | undefined => cookieOf(request, stateCookie);

function cookieOf({ headers }: IncomingMessage, name: string): string | undefined {
  const pairs = (headers.cookie ?? "").split(";").map((pair) => pair.trim());
  return pairs.find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1);
}

/** Sets the session's cookie; undefined takes it away. */
export function setSession(response: ServerResponse, id: string | undefined): void {
  const value = id ?? "; Max-Age=0";
  response.appendHeader("set-cookie", `${sessionCookie}=${value}; Path=/; Secure; HttpOnly; SameSite=Strict`);
}

/** Sets the state of a sign-in; undefined takes it away. Lax: the provider's redirect has to bring it back. */
export function setState(response: ServerResponse, state: string | undefined): void {
  const value = state === undefined ? "; Max-Age=0" : `${state}; Max-Age=${stateSeconds}`;
  response.appendHeader("set-cookie", `${stateCookie}=${value}; Path=/; Secure; HttpOnly; SameSite=Lax`);
}

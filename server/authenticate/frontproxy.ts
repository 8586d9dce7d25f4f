/**
 * Identities told by a proxy that authenticated them: X-Remote-User and its like count only over a connection with a
 * certificate of the front-proxy authority, of an allowed name; from anybody else they mean nothing.
 * Source: k8s.io/apiserver/pkg/authentication/request/headerrequest
 */
import type { IncomingMessage } from "node:http";
import type { TLSSocket } from "node:tls";
import { type Clock, parseDate } from "@atoll/machinery/clock";
import type { User } from "../call.ts";
import { certificateOf, connectionOf, fingerprintOf } from "./chain.ts";

/** Common names of proxies. Source: --requestheader-allowed-names as kubeadm sets it */
export const proxyNames: readonly string[] = ["front-proxy-client"];

const extraPrefix = "x-remote-extra-";

/** Reads whom a proxy speaks for; checks the proxy once a connection. */
export class FrontProxyAuthenticator {
  readonly #clock: Clock;
  readonly #authority: string;
  /** Until when a connection's certificate holds; 0 when it is no proxy's. */
  readonly #validToMs = new WeakMap<object, number>();

  /** @param authority PEM of the front-proxy authority */
  constructor(clock: Clock, authority: string) {
    this.#clock = clock;
    this.#authority = fingerprintOf(authority);
  }

  /** The user a proxy speaks for; undefined when it is no proxy, or names nobody. */
  authenticate(request: IncomingMessage): User | undefined {
    // Looked at first: hardly any request has it.
    if (request.headers["x-remote-user"] === undefined) return undefined;
    const connection = connectionOf(request);
    let validToMs = this.#validToMs.get(connection);
    if (validToMs === undefined) {
      validToMs = this.#proxyUntil(request.socket as TLSSocket);
      this.#validToMs.set(connection, validToMs);
    }
    return this.#clock.nowMs() > validToMs ? undefined : userIn(request);
  }

  #proxyUntil(socket: TLSSocket): number {
    const certificate = certificateOf(socket, this.#authority);
    const name = certificate?.subject?.CN;
    if (certificate === undefined || typeof name !== "string" || !proxyNames.includes(name)) return 0;
    return parseDate(certificate.valid_to);
  }
}

function userIn({ rawHeaders }: IncomingMessage): User | undefined {
  const told = toldIn(rawHeaders);
  const one = (header: string): string => told.get(header)?.[0] ?? "";
  const name = one("x-remote-user");
  if (name === "") return undefined;
  const groups = told.get("x-remote-group") ?? [];
  const extra = [...told]
    .filter(([header]) => header.startsWith(extraPrefix))
    .map(([header, values]) => [unescapeKey(header.slice(extraPrefix.length)), values] as const);
  return {
    name,
    uid: one("x-remote-uid"),
    groups: groups.includes("system:authenticated") ? groups : [...groups, "system:authenticated"],
    extra: Object.fromEntries(extra),
  };
}

/** The headers of identities, lower case, each as often as it was sent. */
function toldIn(rawHeaders: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const told = new Map<string, string[]>();
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const header = (rawHeaders[i] ?? "").toLowerCase();
    if (!header.startsWith("x-remote-")) continue;
    const values = told.get(header) ?? [];
    values.push(textOf(rawHeaders[i + 1] ?? ""));
    told.set(header, values);
  }
  return told;
}

/** Headers are bytes: UTF-8, where they are not ASCII. */
function textOf(header: string): string {
  return Buffer.from(header, "latin1").toString();
}

function unescapeKey(key: string): string {
  try {
    return decodeURIComponent(key).toLowerCase();
  } catch {
    return key;
  }
}

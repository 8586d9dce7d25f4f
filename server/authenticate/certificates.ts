/**
 * Client certificates as identity: the common name is the user, each organization a group.
 * Source: k8s.io/apiserver/pkg/authentication/request/x509
 */
import type { IncomingMessage } from "node:http";
import type { TLSSocket } from "node:tls";
import { type Clock, parseDate } from "@atoll/machinery/clock";
import type { User } from "../call.ts";
import { certificateOf, connectionOf, fingerprintOf } from "./chain.ts";

interface Known {
  readonly user: User;
  readonly validToMs: number;
}

/** Reads a connection's certificate once, and checks at each request that it still holds. */
export class CertificateAuthenticator {
  readonly #clock: Clock;
  readonly #authority: string;
  readonly #known = new WeakMap<object, Known | "none">();

  /** @param authority PEM; certificates of others, though checked, are no identity here */
  constructor(clock: Clock, authority: string) {
    this.#clock = clock;
    this.#authority = fingerprintOf(authority);
  }

  /** The user, or undefined when the connection showed no certificate of the authority. */
  authenticate(request: IncomingMessage): User | undefined {
    const socket = request.socket as TLSSocket;
    const connection = connectionOf(request);
    let known = this.#known.get(connection);
    if (known === undefined) this.#known.set(connection, (known = read(socket, this.#authority)));
    if (known === "none" || this.#clock.nowMs() > known.validToMs) return undefined;
    return known.user;
  }
}

function read(socket: TLSSocket, authority: string): Known | "none" {
  const certificate = certificateOf(socket, authority);
  if (certificate === undefined) return "none";
  const { CN: name, O: organizations } = certificate.subject ?? {};
  if (typeof name !== "string" || name === "") return "none";
  const groups = organizations === undefined ? [] : [organizations].flat();
  const user = { name, uid: "", groups: [...groups, "system:authenticated"], extra: {} };
  return { user, validToMs: parseDate(certificate.valid_to) };
}

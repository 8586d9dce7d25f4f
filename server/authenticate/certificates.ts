/**
 * Client certificates as identity: the common name is the user, each organization a group.
 * Source: k8s.io/apiserver/pkg/authentication/request/x509
 */
import type { IncomingMessage } from "node:http";
import type { TLSSocket } from "node:tls";
import { type Clock, parseDate } from "@atoll/machinery/clock";
import type { User } from "../call.ts";

interface Known {
  readonly user: User;
  readonly validToMs: number;
}

/** Reads a connection's certificate once, and checks at each request that it still holds. */
export class CertificateAuthenticator {
  readonly #clock: Clock;
  readonly #known = new WeakMap<object, Known | "none">();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The user, or undefined when the connection showed no certificate of the authority. */
  authenticate(request: IncomingMessage): User | undefined {
    const socket = request.socket as TLSSocket;
    const connection = connectionOf(request);
    let known = this.#known.get(connection);
    if (known === undefined) this.#known.set(connection, (known = read(socket)));
    if (known === "none" || this.#clock.nowMs() > known.validToMs) return undefined;
    return known.user;
  }
}

/** HTTP/2 requests share a session; each has a socket object of its own that only looks like the session's. */
function connectionOf(request: IncomingMessage): object {
  const { stream } = request as unknown as { stream?: { session?: object } };
  return stream?.session ?? request.socket;
}

function read(socket: TLSSocket): Known | "none" {
  if (!socket.authorized) return "none";
  const certificate = socket.getPeerCertificate();
  const { CN: name, O: organizations } = certificate.subject ?? {};
  if (typeof name !== "string" || name === "") return "none";
  const groups = organizations === undefined ? [] : [organizations].flat();
  const user = { name, uid: "", groups: [...groups, "system:authenticated"], extra: {} };
  return { user, validToMs: parseDate(certificate.valid_to) };
}

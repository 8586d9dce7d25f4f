/** Who is signed in. Sessions live in memory: a restart of the console signs everybody out. */
import { createHash, randomBytes } from "node:crypto";
import { Client } from "@atoll/client/client";
import type { Transport } from "@atoll/client/transport";
import type { Clock } from "@atoll/machinery/clock";
import { nodeTransport } from "@atoll/runtime/transport";
import type { Credential } from "./credential.ts";

/** The API server that all sessions speak to. */
export interface Hub {
  /** `https://HOST:PORT` */
  readonly server: string;
  /** PEM; "" for the system's authorities. */
  readonly ca: string;
}

/** A person, as the API server says. */
export interface Person {
  readonly name: string;
  readonly groups: readonly string[];
}

/** What proves a person to the API server, call by call. */
export interface Identity {
  /** A client certificate and its key, PEM. */
  readonly tls: { readonly cert?: string; readonly key?: string };
  /** The Authorization header. */
  authorization(): Promise<string | undefined>;
}

/** The identity that a credential is, as long as it holds. */
export function identityOf(credential: Credential): Identity {
  if (credential.kind === "token") return { tls: {}, authorization: async () => `Bearer ${credential.token}` };
  return { tls: { cert: credential.cert, key: credential.key }, authorization: async () => undefined };
}

/** One person's way to the API server. */
export interface Session {
  readonly person: Person;
  readonly identity: Identity;
  readonly transport: Transport;
  /** Aborted when it ends: signed out, or too old. */
  readonly ended: AbortSignal;
}

interface Held extends Session {
  readonly end: AbortController;
  readonly beganMs: number;
  usedMs: number;
}

const longestMs = 12 * 3600_000;
const idleMs = 3600_000;
const most = 1_000;

const digestOf = (id: string): string => createHash("sha256").update(id).digest("base64");

/** All sessions of a console. */
export class Sessions {
  readonly #hub: Hub;
  readonly #clock: Clock;
  /** By a digest of the cookie's value. */
  readonly #held = new Map<string, Held>();

  constructor(hub: Hub, clock: Clock) {
    this.#hub = hub;
    this.#clock = clock;
  }

  /**
   * Begins a session of somebody whom the API server knows.
   * @returns the cookie's value
   * @throws {StatusError} Unauthorized
   */
  async begin(identity: Identity): Promise<{ id: string; person: Person }> {
    const transport = this.#transportOf(identity);
    const person = await whoIs(new Client({ transport, clock: this.#clock, userAgent: "atoll-console", attempts: 2 }));
    this.#sweep();
    const id = randomBytes(32).toString("base64url");
    const end = new AbortController();
    const nowMs = this.#clock.nowMs();
    const held = { person, identity, transport, ended: end.signal, end, beganMs: nowMs, usedMs: nowMs };
    this.#held.set(digestOf(id), held);
    return { id, person };
  }

  /** The session of a cookie's value, if there is one; it counts as used now. */
  find(id: string | undefined): Session | undefined {
    const held = id === undefined ? undefined : this.#held.get(digestOf(id));
    if (id === undefined || held === undefined) return undefined;
    if (this.#isOver(held)) {
      this.end(id);
      return undefined;
    }
    held.usedMs = this.#clock.nowMs();
    return held;
  }

  /** Ends a session, with all that is under way in it. */
  end(id: string): void {
    this.#end(digestOf(id));
  }

  /** Ends all. */
  close(): void {
    for (const digest of this.#held.keys()) this.#end(digest);
  }

  #end(digest: string): void {
    const held = this.#held.get(digest);
    if (held === undefined) return;
    this.#held.delete(digest);
    held.end.abort(new Error("signed out"));
    held.transport.close();
  }

  #isOver({ beganMs, usedMs }: Held): boolean {
    const nowMs = this.#clock.nowMs();
    return nowMs - beganMs > longestMs || nowMs - usedMs > idleMs;
  }

  /** Ends those that are over, and the oldest when there are too many. */
  #sweep(): void {
    for (const [digest, held] of this.#held) if (this.#isOver(held)) this.#end(digest);
    const oldest = this.#held.keys().next().value;
    if (this.#held.size >= most && oldest !== undefined) this.#end(oldest);
  }

  #transportOf(person: Identity): Transport {
    const { server, ca } = this.#hub;
    const tls = { ca: ca === "" ? undefined : ca, ...person.tls };
    const identity = { tls: async () => tls, authorization: () => person.authorization() };
    return nodeTransport({ server, identity, clock: this.#clock });
  }
}

/** Source: k8s.io/api/authentication/v1 SelfSubjectReview */
async function whoIs(client: Client): Promise<Person> {
  const answer = (await client.raw({
    method: "POST",
    path: "/apis/authentication.k8s.io/v1/selfsubjectreviews",
    body: { apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview" },
  })) as { status?: { userInfo?: { username?: string; groups?: string[] } } };
  const { username = "", groups = [] } = answer.status?.userInfo ?? {};
  return { name: username, groups };
}

/**
 * Bearer tokens: one header, several kinds of tokens.
 * Source: k8s.io/apiserver/pkg/authentication/request/{bearertoken,websocket}, …/token/union, …/authenticator/audagnostic
 */
import type { IncomingMessage } from "node:http";
import { StatusError } from "@atoll/machinery/status";
import type { User } from "../call.ts";

/** A token that holds: who shows it, and whom it is for. */
export interface Known {
  readonly user: User;
  readonly audiences: readonly string[];
}

/** Knows one kind of tokens. */
export interface TokenAuthenticator {
  /**
   * Whose token it is; undefined when it is none of this kind or does not hold.
   * @param audiences whom the token has to be for, one of them at least
   */
  verify(token: string, audiences: readonly string[]): Promise<Known | undefined>;
}

const protocolPrefix = "base64url.bearer.authorization.k8s.io.";
// Longer than what any of our kinds has; a header could hold 16 KiB.
const maxTokenLength = 16 * 1024;

/** The token authenticators, asked in turn. */
export class BearerTokens implements TokenAuthenticator {
  readonly #kinds: readonly TokenAuthenticator[];
  readonly #audiences: readonly string[];
  /** Tokens taken out of their requests' headers. */
  readonly #carried = new WeakMap<IncomingMessage, string>();

  /** @param audiences the server's own names */
  constructor(kinds: readonly TokenAuthenticator[], audiences: readonly string[]) {
    this.#kinds = kinds;
    this.#audiences = audiences;
  }

  /** The user of a request that shows a token. @throws {StatusError} Unauthorized for a token that does not hold */
  async authenticate(request: IncomingMessage): Promise<User | undefined> {
    const token = bearerOf(request) ?? this.#carried.get(request) ?? protocolOf(request);
    if (token === undefined) return undefined;
    if (request.headers.authorization === undefined) this.#carried.set(request, token);
    const known = await this.verify(token, this.#audiences);
    if (known === undefined) throw new StatusError("Unauthorized", "Unauthorized");
    return known.user;
  }

  async verify(token: string, audiences: readonly string[]): Promise<Known | undefined> {
    if (token.length > maxTokenLength) return undefined;
    const asked = audiences.length === 0 ? this.#audiences : audiences;
    for (const kind of this.#kinds) {
      const known = await kind.verify(token, asked);
      if (known !== undefined) return known;
    }
    return undefined;
  }
}

/** For tokens that say not, or not in our words, whom they are for: they are for the server. */
export function forServer(own: readonly string[], verify: (token: string) => Promise<User | undefined>) {
  return {
    async verify(token: string, audiences: readonly string[]): Promise<Known | undefined> {
      const shared = own.filter((audience) => audiences.includes(audience));
      if (shared.length === 0) return undefined;
      const user = await verify(token);
      return user === undefined ? undefined : { user, audiences: shared };
    },
  };
}

function bearerOf({ headers }: IncomingMessage): string | undefined {
  return /^bearer +(\S+)$/i.exec(headers.authorization?.trim() ?? "")?.[1];
}

/** Browsers cannot set headers on a WebSocket, so the token comes as a subprotocol, which goes no further. */
function protocolOf({ headers }: IncomingMessage): string | undefined {
  const given = headers["sec-websocket-protocol"];
  if (given === undefined || !given.includes(protocolPrefix)) return undefined;
  const protocols = given.split(",").map((each) => each.trim());
  const tokens = protocols.filter((each) => each.startsWith(protocolPrefix));
  const others = protocols.filter((each) => !each.startsWith(protocolPrefix));
  // One of the others has to be there for the server to agree to.
  if (tokens.length !== 1 || others.length === 0) throw new StatusError("Unauthorized", "Unauthorized");
  headers["sec-websocket-protocol"] = others.join(",");
  return Buffer.from((tokens[0] ?? "").slice(protocolPrefix.length), "base64url").toString("utf8");
}

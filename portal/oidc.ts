/**
 * Signing in at an identity provider: OpenID Connect, authorization code with PKCE. The person's ID token is their
 * credential at the API server, which checks it; while they work it is renewed, so that what the provider takes from
 * them they lose.
 * Sources: OpenID Connect Core 1.0 §3.1 and §12, RFC 7636, RFC 9700
 */
import { request as httpsRequest } from "node:https";
import type { Clock } from "@atoll/machinery/clock";
import * as client from "openid-client";
import type { Identity } from "./sessions.ts";

/** The provider, and who the console is there. */
export interface OidcOptions {
  /** `https://…`, as the API server's authentication configuration has it. */
  readonly issuer: string;
  readonly clientId: string;
  /** A public client has none. */
  readonly clientSecret?: string | undefined;
  /** PEM of who vouches for the provider; undefined for the system's authorities. */
  readonly ca?: string | undefined;
  readonly scopes: readonly string[];
  /** Where browsers find the console: `https://HOST:PORT`. */
  readonly url: string;
}

/** Where the provider sends the person back to. */
export const callbackPath = "/auth/oidc/callback";

/** Somebody on their way to the provider. */
interface Departed {
  readonly verifier: string;
  readonly nonce: string;
  readonly atMs: number;
}

/** Nobody is signed in: what was begun is too old, the provider does not answer, or it refused. */
export class SignInFailed extends Error {
  override readonly name = "SignInFailed";
  readonly why: "late" | "unreachable" | "refused";

  constructor(why: SignInFailed["why"], message: string, cause?: unknown) {
    super(message, { cause });
    this.why = why;
  }
}

const awayMs = 10 * 60_000;
const mostAway = 10_000;
const timeoutSeconds = 10;

/** One provider. */
export class OpenIdConnect {
  readonly #options: OidcOptions;
  readonly #clock: Clock;
  /** By the state that came along. */
  readonly #departed = new Map<string, Departed>();
  #configuration: Promise<client.Configuration> | undefined;

  constructor(options: OidcOptions, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
  }

  /** @returns where to send the browser, and what it has to bear when it comes back */
  async depart(): Promise<{ readonly location: string; readonly state: string }> {
    const configuration = await this.#discover();
    this.#sweep();
    const [verifier, state, nonce] = [client.randomPKCECodeVerifier(), client.randomState(), client.randomNonce()];
    const location = client.buildAuthorizationUrl(configuration, {
      redirect_uri: this.#redirect(),
      scope: this.#options.scopes.join(" "),
      code_challenge: await client.calculatePKCECodeChallenge(verifier),
      code_challenge_method: "S256",
      state,
      nonce,
    });
    this.#departed.set(state, { verifier, nonce, atMs: this.#clock.nowMs() });
    return { location: location.href, state };
  }

  /**
   * Takes in who comes back; once.
   * @param query of the callback, from "?"
   * @param state what the browser bears
   * @throws {SignInFailed}
   */
  async arrive(query: string, state: string): Promise<Identity> {
    const departed = this.#departed.get(state);
    this.#departed.delete(state);
    if (departed === undefined || this.#clock.nowMs() - departed.atMs > awayMs)
      throw new SignInFailed("late", "this sign-in was not begun here, or too long ago");
    const configuration = await this.#discover();
    try {
      const tokens = await client.authorizationCodeGrant(configuration, new URL(this.#redirect() + query), {
        pkceCodeVerifier: departed.verifier,
        expectedState: state,
        expectedNonce: departed.nonce,
        idTokenExpected: true,
      });
      return new TokenIdentity(configuration, tokens, this.#clock);
    } catch (cause) {
      throw new SignInFailed("refused", sentenceOf(cause), cause);
    }
  }

  #redirect(): string {
    return `${this.#options.url.replace(/\/$/, "")}${callbackPath}`;
  }

  /** What the provider says of itself; asked again when it did not answer. */
  async #discover(): Promise<client.Configuration> {
    const { issuer, clientId, clientSecret, ca } = this.#options;
    this.#configuration ??= client.discovery(new URL(issuer), clientId, clientSecret, undefined, {
      timeout: timeoutSeconds,
      ...(ca === undefined ? {} : { [client.customFetch]: fetchTrusting(ca) }),
    });
    try {
      return await this.#configuration;
    } catch (cause) {
      this.#configuration = undefined;
      throw new SignInFailed("unreachable", `the identity provider ${issuer} does not answer`, cause);
    }
  }

  #sweep(): void {
    const nowMs = this.#clock.nowMs();
    for (const [state, { atMs }] of this.#departed) {
      if (nowMs - atMs > awayMs || this.#departed.size >= mostAway) this.#departed.delete(state);
    }
  }
}

const freshMs = 30_000;

/** A person's ID token, renewed before it ends as long as the provider goes along. */
class TokenIdentity implements Identity {
  readonly tls = {};
  readonly #configuration: client.Configuration;
  readonly #clock: Clock;
  #token: string;
  #refresh: string | undefined;
  #endsMs: number;
  #renewal: Promise<void> | undefined;

  constructor(configuration: client.Configuration, tokens: Tokens, clock: Clock) {
    this.#configuration = configuration;
    this.#clock = clock;
    this.#token = tokens.id_token ?? "";
    this.#refresh = tokens.refresh_token;
    this.#endsMs = (tokens.claims()?.exp ?? 0) * 1000;
  }

  async authorization(): Promise<string> {
    if (this.#endsMs - this.#clock.nowMs() < freshMs && this.#refresh !== undefined) {
      this.#renewal ??= this.#renew(this.#refresh).finally(() => (this.#renewal = undefined));
      await this.#renewal;
    }
    return `Bearer ${this.#token}`;
  }

  /** When the provider refuses, the token that there is ends by itself. */
  async #renew(refresh: string): Promise<void> {
    try {
      const tokens = await client.refreshTokenGrant(this.#configuration, refresh);
      this.#refresh = tokens.refresh_token ?? refresh;
      if (tokens.id_token === undefined) return;
      this.#token = tokens.id_token;
      this.#endsMs = (tokens.claims()?.exp ?? 0) * 1000;
    } catch (error) {
      if (error instanceof client.ResponseBodyError) this.#refresh = undefined;
    }
  }
}

type Tokens = Awaited<ReturnType<typeof client.refreshTokenGrant>>;

function sentenceOf(cause: unknown): string {
  if (cause instanceof client.AuthorizationResponseError || cause instanceof client.ResponseBodyError)
    return `the identity provider says: ${cause.error_description ?? cause.error}`;
  return "the identity provider's answer is not to what was asked";
}

/** Fetching from whom a given authority vouches for: Node's own fetch takes none. */
function fetchTrusting(ca: string): client.CustomFetch {
  return async (url, { method, headers, body, signal }) =>
    await new Promise<Response>((resolve, reject) => {
      const request = httpsRequest(
        url,
        { method, headers, ca, agent: false, signal: signal ?? undefined },
        (answer) => {
          const chunks: Buffer[] = [];
          answer.on("data", (chunk: Buffer) => chunks.push(chunk));
          answer.on("error", reject);
          answer.on("end", () => {
            const given = Object.entries(answer.headers).map(([name, value]): [string, string] => [
              name,
              String(value),
            ]);
            resolve(new Response(Buffer.concat(chunks), { status: answer.statusCode ?? 500, headers: given }));
          });
        },
      );
      request.on("error", reject);
      request.end(body === undefined || body === null ? undefined : String(body as string | URLSearchParams));
    });
}

/**
 * ID tokens of the issuers that the configuration names.
 * Source: k8s.io/apiserver/plugin/pkg/authenticator/token/oidc
 */
import { createHash } from "node:crypto";
import { type Clock, dateOf } from "@atoll/machinery/clock";
import { type CryptoKey, decodeJwt, type JWTPayload, jwtVerify } from "jose";
import type { User } from "../../call.ts";
import type { Followed } from "../../configuration/followed.ts";
import { forServer, type Known, type TokenAuthenticator } from "../tokens.ts";
import type { Authentication, IssuerConfiguration } from "./configuration.ts";
import { IssuerKeys } from "./keys.ts";
import type { Rules } from "./rules.ts";

/** What signs with a private key. A shared secret proves nothing here: whoever could check it could also sign. */
const algorithms = ["RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "PS256", "PS384", "PS512"];
/** How far ahead an issuer's clock may be, seconds. Source: go-oidc's leeway for nbf */
const aheadSeconds = 300;
/** How long a token that held is taken without another look, ms. Source: kube-apiserver's token cache */
const rememberMs = 10_000;
const mostRemembered = 4_096;

interface Issuer {
  readonly configuration: IssuerConfiguration;
  readonly rules: Rules;
  readonly keys: IssuerKeys;
}

interface Remembered {
  readonly user: User;
  readonly untilMs: number;
}

/** Takes tokens as the file says now. */
export class IssuedTokens implements TokenAuthenticator {
  readonly #options: { readonly clock: Clock; readonly onRefusal: (issuer: string, why: string) => void };
  readonly #forServer: TokenAuthenticator;
  readonly #remembered = new Map<string, Remembered>();
  #issuers: ReadonlyMap<string, Issuer>;

  /** @param audiences the server's own names */
  constructor(
    file: Followed<Authentication>,
    audiences: readonly string[],
    options: { readonly clock: Clock; readonly onRefusal: (issuer: string, why: string) => void },
  ) {
    this.#options = options;
    this.#issuers = this.#open(file.current);
    file.onChange((changed) => {
      this.#issuers = this.#open(changed);
      this.#remembered.clear();
    });
    this.#forServer = forServer(audiences, (token) => this.#userOf(token));
  }

  verify(token: string, audiences: readonly string[]): Promise<Known | undefined> {
    return this.#forServer.verify(token, audiences);
  }

  #open({ issuers }: Authentication): ReadonlyMap<string, Issuer> {
    return new Map(
      issuers.map(({ issuer, rules }) => [
        issuer.url ?? "",
        { configuration: issuer, rules, keys: new IssuerKeys(issuer, this.#options.clock) },
      ]),
    );
  }

  async #userOf(token: string): Promise<User | undefined> {
    const issuer = this.#issuers.get(issuerOf(token) ?? "");
    if (issuer === undefined) return undefined;
    const digest = createHash("sha256").update(token).digest("base64");
    const { clock, onRefusal } = this.#options;
    const known = this.#remembered.get(digest);
    if (known !== undefined && clock.nowMs() < known.untilMs) return known.user;
    this.#remembered.delete(digest);
    try {
      const claims = await this.#check(token, issuer);
      const user = issuer.rules(claims);
      this.#remember(digest, { user, untilMs: Math.min(clock.nowMs() + rememberMs, (claims.exp ?? 0) * 1000) });
      return user;
    } catch (error) {
      // The message alone: errors of the library carry the token's claims.
      onRefusal(issuer.configuration.url ?? "", (error as Error).message);
      return undefined;
    }
  }

  async #check(token: string, { configuration, keys }: Issuer): Promise<JWTPayload> {
    const { url = "", audiences = [] } = configuration;
    const nowSeconds = this.#options.clock.nowMs() / 1000;
    const key = (...asked: Parameters<IssuerKeys["find"]>): Promise<CryptoKey> => keys.find(...asked);
    // The library has one tolerance for the begin and the end; the end has none.
    const { payload } = await jwtVerify(token, key, {
      issuer: url,
      audience: [...audiences],
      algorithms,
      requiredClaims: ["exp"],
      clockTolerance: aheadSeconds,
      currentDate: dateOf(nowSeconds * 1000),
    });
    if ((payload.exp ?? 0) <= nowSeconds) throw new Error("the token is over");
    return payload;
  }

  #remember(digest: string, known: Remembered): void {
    const [oldest] = this.#remembered.keys();
    if (this.#remembered.size >= mostRemembered && oldest !== undefined) this.#remembered.delete(oldest);
    this.#remembered.set(digest, known);
  }
}

/** Who says to have issued a token; undefined when it is none. */
function issuerOf(token: string): string | undefined {
  try {
    return decodeJwt(token).iss;
  } catch {
    return undefined;
  }
}

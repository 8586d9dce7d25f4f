/**
 * The public keys of an issuer: found through its discovery document, kept, and asked for again when a token names a
 * key that is not among them.
 * Source: OpenID Connect Discovery 1.0, section 4; RFC 7517
 */
import { request } from "node:https";
import type { Clock } from "@atoll/machinery/clock";
import { parseJson } from "@atoll/machinery/json/json";
import {
  createLocalJWKSet,
  errors,
  type FlattenedJWSInput,
  type JSONWebKeySet,
  type JWSHeaderParameters,
  type CryptoKey,
} from "jose";
import type { IssuerConfiguration } from "./configuration.ts";

const timeoutMs = 10_000;
const largestAnswer = 1024 * 1024;
/** A token that names an unknown key makes the server ask at most this often, ms. */
const askAgainMs = 5_000;
/** Keys that their issuer has withdrawn are believed no longer than this, ms. */
const keepMs = 10 * 60_000;

type KeySet = ReturnType<typeof createLocalJWKSet>;

/** The keys of one issuer. */
export class IssuerKeys {
  readonly #issuer: IssuerConfiguration;
  readonly #clock: Clock;
  #keys: KeySet | undefined;
  #asking: Promise<KeySet> | undefined;
  #askedMs = Number.NEGATIVE_INFINITY;

  constructor(issuer: IssuerConfiguration, clock: Clock) {
    this.#issuer = issuer;
    this.#clock = clock;
  }

  /** The key that a token names. @throws {Error} there is none, or the issuer does not answer */
  async find(header: JWSHeaderParameters, token: FlattenedJWSInput): Promise<CryptoKey> {
    const known = this.#keys;
    if (known === undefined || this.#clock.monotonicMs() - this.#askedMs > keepMs)
      return (await this.#ask())(header, token);
    try {
      return await known(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
      if (this.#clock.monotonicMs() - this.#askedMs < askAgainMs) throw error;
    }
    return (await this.#ask())(header, token);
  }

  /** Tokens that wait at once share one question. After a failure the old keys go on, if there are any. */
  #ask(): Promise<KeySet> {
    this.#asking ??= this.#fetch()
      .catch((error: unknown) => {
        if (this.#keys === undefined) throw error;
        return this.#keys;
      })
      .finally(() => {
        this.#asking = undefined;
        this.#askedMs = this.#clock.monotonicMs();
      });
    return this.#asking;
  }

  async #fetch(): Promise<KeySet> {
    const { url = "", discoveryURL, certificateAuthority: ca } = this.#issuer;
    const found = await getJson(discoveryURL ?? `${url.replace(/\/$/, "")}/.well-known/openid-configuration`, ca);
    const { issuer, jwks_uri: keysUrl } = found as { issuer?: unknown; jwks_uri?: unknown };
    if (issuer !== url) throw new Error(`the discovery document is of another issuer: ${JSON.stringify(issuer)}`);
    if (typeof keysUrl !== "string") throw new Error("the discovery document names no keys");
    this.#keys = createLocalJWKSet((await getJson(keysUrl, ca)) as JSONWebKeySet);
    return this.#keys;
  }
}

/** Redirects are not followed: they would lead out of what the file allows. */
function getJson(url: string, ca: string | undefined): Promise<unknown> {
  if (!url.startsWith("https://")) throw new Error(`not over TLS: ${url}`);
  return new Promise((resolve, reject) => {
    const options = {
      signal: AbortSignal.timeout(timeoutMs),
      headers: { accept: "application/json" },
      ...(ca === undefined ? {} : { ca }),
    };
    const outgoing = request(url, options, (response) => {
      const parts: Buffer[] = [];
      let size = 0;
      response.on("data", (part: Buffer) => {
        size += part.length;
        if (size > largestAnswer) response.destroy(new Error("the answer is too large"));
        else parts.push(part);
      });
      response.on("error", reject);
      response.on("end", () => {
        if (response.statusCode !== 200) return reject(new Error(`${url} answers ${response.statusCode}`));
        try {
          resolve(parseJson(Buffer.concat(parts), { maxDepth: 100 }).value);
        } catch (error) {
          reject(error as Error);
        }
      });
    });
    outgoing.on("error", reject);
    outgoing.end();
  });
}

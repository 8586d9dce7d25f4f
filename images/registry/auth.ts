/**
 * How registries ask who is there: Basic, or Bearer with a token from the place the challenge names.
 * Source: distribution "Token Authentication Specification" and "OAuth2 Token Authentication"; RFC 7235
 */
import type { Clock } from "@atoll/machinery/clock";
import { ImagePullFailed } from "../errors.ts";
import type { Credential } from "./keyring.ts";
import { hostOf, readBody, type Transport } from "./transport.ts";

/** One challenge of a WWW-Authenticate header. */
export interface Challenge {
  readonly scheme: "basic" | "bearer";
  readonly parameters: ReadonlyMap<string, string>;
}

const mostTokenBytes = 1 << 20;
const longestHeader = 8192;
// What the specification says for a token without a lifetime, less a margin.
const defaultTokenMs = 60_000;
const marginMs = 10_000;

/** The challenges in a header that we can answer, Bearer first. Linear in the header's length. */
function parseChallenges(header: string | undefined): Challenge[] {
  const found: Challenge[] = [];
  const text = (header ?? "").slice(0, longestHeader);
  const words = /([A-Za-z][A-Za-z0-9_-]*)(?:\s*=\s*(?:"([^"]*)"|([^\s",]+)))?/g;
  let parameters: Map<string, string> | undefined;
  for (const [, word = "", quoted, bare] of text.matchAll(words)) {
    const value = quoted ?? bare;
    if (value !== undefined) parameters?.set(word.toLowerCase(), value);
    else {
      parameters = new Map();
      const scheme = word.toLowerCase();
      if (scheme === "basic" || scheme === "bearer") found.push({ scheme, parameters });
    }
  }
  return found.sort((a, b) => Number(b.scheme === "bearer") - Number(a.scheme === "bearer"));
}

function basic({ username, password }: Credential): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}

/** Answers the challenges of one registry for one repository and one credential; remembers tokens while they live. */
export class Authorizer {
  readonly #transport: Transport;
  readonly #clock: Clock;
  readonly #credential: Credential | undefined;
  readonly #scope: string;
  #header: string | undefined;
  #untilMs = 0;

  constructor(of: { transport: Transport; clock: Clock; credential: Credential | undefined; repository: string }) {
    this.#transport = of.transport;
    this.#clock = of.clock;
    this.#credential = of.credential;
    this.#scope = `repository:${of.repository}:pull`;
  }

  /** The Authorization header to send; undefined while no challenge was answered. */
  get header(): string | undefined {
    return this.#clock.monotonicMs() < this.#untilMs ? this.#header : undefined;
  }

  /**
   * Answers a 401. False when there is nothing to answer it with.
   * @throws {ImagePullFailed} Unauthorized, Unavailable
   */
  async answer(header: string | undefined, url: string, signal: AbortSignal | undefined): Promise<boolean> {
    for (const { scheme, parameters } of parseChallenges(header)) {
      if (scheme === "bearer") {
        await this.#fetchToken(parameters, url, signal);
        return true;
      }
      if (this.#credential !== undefined && this.#credential.identityToken === undefined) {
        this.#header = basic(this.#credential);
        this.#untilMs = Number.POSITIVE_INFINITY;
        return true;
      }
    }
    return false;
  }

  async #fetchToken(parameters: ReadonlyMap<string, string>, from: string, signal: AbortSignal | undefined) {
    const realm = this.#realm(parameters.get("realm"), from);
    const asked = { service: parameters.get("service") ?? "", scope: parameters.get("scope") ?? this.#scope };
    const { response, url } = await this.#transport.send({ ...this.#tokenRequest(realm, asked), signal });
    const body = await readBody(response, mostTokenBytes, this.#clock);
    if (response.statusCode !== 200) {
      const fault = response.statusCode === 401 || response.statusCode === 403 ? "Unauthorized" : "Unavailable";
      throw new ImagePullFailed(fault, `${hostOf(url)}: token refused with status ${response.statusCode}`);
    }
    this.#keep(body, url);
  }

  /** Credentials go to the realm, so it must be as well protected as the registry that names it. */
  #realm(realm: string | undefined, from: string): URL {
    const url = URL.parse(realm ?? "");
    const isTls = url?.protocol === "https:";
    const isPlain = url?.protocol === "http:" && this.#transport.isInsecure(url.host);
    if (url === null || !(isTls || isPlain)) {
      throw new ImagePullFailed("Unauthorized", `${hostOf(from)}: names no token service that can be trusted`);
    }
    return url;
  }

  #tokenRequest(realm: URL, { service, scope }: { service: string; scope: string }) {
    const identityToken = this.#credential?.identityToken;
    if (identityToken !== undefined) {
      const grant = { grant_type: "refresh_token", refresh_token: identityToken, client_id: "atoll", service, scope };
      const headers = { "content-type": "application/x-www-form-urlencoded" };
      return { url: realm.href, method: "POST" as const, headers, body: new URLSearchParams(grant).toString() };
    }
    if (service !== "") realm.searchParams.set("service", service);
    for (const one of scope.split(" ")) realm.searchParams.append("scope", one);
    if (this.#credential === undefined) return { url: realm.href };
    realm.searchParams.set("account", this.#credential.username);
    return { url: realm.href, headers: { authorization: basic(this.#credential) } };
  }

  #keep(body: Buffer, url: string): void {
    const answer = tokenFields(body);
    const token = answer["token"] ?? answer["access_token"];
    if (typeof token !== "string" || !/^[\x21-\x7e]+$/.test(token)) {
      throw new ImagePullFailed("Unavailable", `${hostOf(url)}: answered without a token`);
    }
    const seconds = Number(answer["expires_in"]);
    const lifeMs = Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : defaultTokenMs;
    this.#header = `Bearer ${token}`;
    this.#untilMs = this.#clock.monotonicMs() + Math.max(lifeMs - marginMs, marginMs);
  }
}

function tokenFields(body: Buffer): Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(body.toString("utf8"));
    return typeof parsed === "object" && parsed !== null ? (parsed as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

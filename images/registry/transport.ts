/**
 * HTTP to registries: TLS with the system's or given authorities, plain or unverified only for hosts on the list of
 * insecure ones, redirects without leaking credentials, and a deadline on everything that is not a blob's body.
 */
import { Agent as HttpAgent, type IncomingMessage, request as httpRequest } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { getCACertificates } from "node:tls";
import { type Clock, systemClock } from "@atoll/machinery/clock";
import { ImagePullFailed } from "../errors.ts";

/** How to reach which registry. */
export interface RegistrySettings {
  /** Base URLs tried before a registry itself, by its host; `*` is for every registry. */
  readonly mirrors?: Readonly<Record<string, readonly string[]>>;
  /** Hosts (with port, if any) whose certificate is not checked, and which may speak plain HTTP. */
  readonly insecure?: readonly string[];
  /** PEM bundles trusted beside the system's, by host; `*` is for every host. */
  readonly authorities?: Readonly<Record<string, string>>;
  /** Environment to take HTTP_PROXY, HTTPS_PROXY and NO_PROXY from. */
  readonly proxyEnvironment?: Readonly<Record<string, string | undefined>>;
}

/** One request; bodies are small. */
export interface Ask {
  readonly url: string;
  readonly method?: "GET" | "HEAD" | "POST";
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Who vouches for this host beside whom the settings name, PEM. */
  readonly authority?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** An answer whose body is still to be read, and where it came from after redirects. */
export interface Answered {
  readonly response: IncomingMessage;
  readonly url: string;
}

const headersMs = 30_000;
const mostRedirects = 5;
const redirects = new Set([301, 302, 303, 307, 308]);
const secrets = new Set(["authorization", "cookie"]);

/** Keeps connections; close() ends them. */
export class Transport {
  readonly #settings: RegistrySettings;
  readonly #clock: Clock;
  readonly #plain: HttpAgent;
  readonly #secure = new Map<string, HttpsAgent>();
  /** Insecure hosts that turned out to speak no TLS. */
  readonly #plainHosts = new Set<string>();

  constructor(settings: RegistrySettings, clock: Clock = systemClock) {
    this.#settings = settings;
    this.#clock = clock;
    this.#plain = new HttpAgent({ keepAlive: true, ...this.#proxy() });
  }

  /** Whether plain HTTP and unknown certificates are all right for a host. */
  isInsecure(host: string): boolean {
    return this.#settings.insecure?.includes(host) ?? false;
  }

  /**
   * Sends a request and follows redirects.
   * @throws {ImagePullFailed} Unavailable, Stalled: no answer
   */
  async send(ask: Ask): Promise<Answered> {
    let now = ask;
    for (let hop = 0; hop <= mostRedirects; hop++) {
      const answered = await this.#once(now);
      const { statusCode = 0, headers } = answered.response;
      if (!redirects.has(statusCode) || headers.location === undefined) return answered;
      answered.response.resume();
      now = this.#redirected({ ...now, url: answered.url }, headers.location);
    }
    throw new ImagePullFailed("Unavailable", `${hostOf(ask.url)}: too many redirects`);
  }

  close(): void {
    this.#plain.destroy();
    for (const agent of this.#secure.values()) agent.destroy();
  }

  #proxy() {
    const { proxyEnvironment } = this.#settings;
    return proxyEnvironment === undefined ? {} : { proxyEnv: { ...proxyEnvironment } };
  }

  #redirected(from: Ask, location: string): Ask {
    const to = new URL(location, from.url);
    const before = new URL(from.url);
    const isPlain = to.protocol !== "https:";
    if (isPlain && (to.protocol !== "http:" || (before.protocol === "https:" && !this.isInsecure(to.host)))) {
      throw new ImagePullFailed("Unavailable", `${before.host}: redirects to ${to.protocol}//${to.host}`);
    }
    const headers = Object.entries(from.headers ?? {});
    const kept = to.origin === before.origin ? headers : headers.filter(([name]) => !secrets.has(name.toLowerCase()));
    const authority = to.origin === before.origin ? from.authority : undefined;
    return { ...from, url: to.href, headers: Object.fromEntries(kept), authority };
  }

  // A connection that one authority vouched for is none for who trusts another.
  #agentFor(host: string, authority: string | undefined): HttpsAgent {
    const key = `${host} ${authority ?? ""}`;
    const known = this.#secure.get(key);
    if (known !== undefined) return known;
    const { authorities = {} } = this.#settings;
    const extra = [authorities["*"], authorities[host], authority].filter((pem) => pem !== undefined);
    const ca = extra.length === 0 ? {} : { ca: [...getCACertificates("default"), ...extra] };
    const rejectUnauthorized = !this.isInsecure(host);
    const agent = new HttpsAgent({ keepAlive: true, rejectUnauthorized, ...ca, ...this.#proxy() });
    this.#secure.set(key, agent);
    return agent;
  }

  /** One exchange; the URL says whether it was a plain one in the end. */
  async #once(given: Ask): Promise<Answered> {
    const isPlain = this.#plainHosts.has(hostOf(given.url));
    const ask = isPlain ? { ...given, url: given.url.replace(/^https:/, "http:") } : given;
    try {
      return { response: await this.#exchange(ask), url: ask.url };
    } catch (cause) {
      ask.signal?.throwIfAborted();
      if (cause instanceof ImagePullFailed) throw cause;
      const plain = this.#plainInstead(ask.url, cause);
      if (plain !== undefined) {
        const response = await this.#once({ ...ask, url: plain });
        this.#plainHosts.add(hostOf(plain));
        return response;
      }
      throw new ImagePullFailed("Unavailable", `${hostOf(ask.url)}: ${wordsOf(cause)}`, { cause });
    }
  }

  // An insecure host is asked by TLS first, and plainly when it does not speak it or does not listen there.
  #plainInstead(url: string, cause: unknown): string | undefined {
    const parsed = new URL(url);
    if (parsed.protocol !== "https:" || !this.isInsecure(parsed.host)) return undefined;
    const code = String((cause as { code?: unknown }).code);
    if (!/^(EPROTO|ERR_SSL_|ECONNREFUSED|ECONNRESET)/.test(code)) return undefined;
    return url.replace(/^https:/, "http:");
  }

  #exchange(ask: Ask): Promise<IncomingMessage> {
    const url = new URL(ask.url);
    const secure = url.protocol === "https:";
    const { method = "GET", headers = {}, signal } = ask;
    const common = {
      method,
      headers: { "user-agent": "atoll", ...headers },
      ...(signal === undefined ? {} : { signal }),
    };
    return new Promise((resolve, reject) => {
      const sent = secure
        ? httpsRequest(url, { ...common, agent: this.#agentFor(url.host, ask.authority) })
        : httpRequest(url, { ...common, agent: this.#plain });
      const timer = this.#clock.after(headersMs, () =>
        sent.destroy(new ImagePullFailed("Stalled", `${url.host}: no answer in ${headersMs / 1000} s`)),
      );
      sent.once("response", (response) => {
        timer.cancel();
        resolve(response);
      });
      // Stays after the answer: a connection that breaks later reports here too, and the body's reader hears of it itself.
      sent.on("error", (error) => {
        timer.cancel();
        reject(error);
      });
      sent.end(ask.body);
    });
  }
}

/** Host and port of a URL. */
export function hostOf(url: string): string {
  return new URL(url).host;
}

/** Source: OpenSSL's verification errors, by the names that Node gives them */
const untrusted = new Set([
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
]);

function wordsOf(cause: unknown): string {
  if (cause instanceof AggregateError && cause.errors.length > 0) return wordsOf(cause.errors[0]);
  if (untrusted.has(String((cause as { code?: unknown }).code))) {
    return "nobody whom this host trusts vouches for its certificate; name who does under authorities in registries.json of the data directory";
  }
  return cause instanceof Error ? cause.message || String((cause as { code?: unknown }).code) : String(cause);
}

/**
 * A small body, whole.
 * @throws {ImagePullFailed} Stalled: not here within 30 s; Unavailable: cut off, or larger than `mostBytes`
 */
export async function readBody(response: IncomingMessage, mostBytes: number, clock: Clock): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  const timer = clock.after(headersMs, () =>
    response.destroy(new ImagePullFailed("Stalled", "an answer came too slowly")),
  );
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > mostBytes) throw new ImagePullFailed("Unavailable", `an answer of more than ${mostBytes} bytes`);
      chunks.push(chunk);
    }
  } catch (cause) {
    response.destroy();
    if (cause instanceof ImagePullFailed) throw cause;
    throw new ImagePullFailed("Unavailable", `an answer was cut off: ${wordsOf(cause)}`, { cause });
  } finally {
    timer.cancel();
  }
  return Buffer.concat(chunks);
}

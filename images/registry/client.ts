/**
 * A registry as one image is fetched from it: its mirrors first, then itself, with each credential that fits.
 * Source: OCI distribution-spec ("Pull"); containerd's registry host configuration (`ns` of mirrors)
 */
import type { IncomingMessage } from "node:http";
import { chance, type Clock } from "@atoll/machinery/clock";
import { type Digest, digestOf, matches, parseDigest } from "../digest.ts";
import { ImagePullFailed, ImageRefused } from "../errors.ts";
import type { Limits } from "../limits.ts";
import { Authorizer } from "./auth.ts";
import type { Credential, Keyring } from "./keyring.ts";
import { acceptedManifests } from "./manifest.ts";
import { defaultRegistry, nameOf, type Reference } from "./reference.ts";
import { readBody, type RegistrySettings, type Transport } from "./transport.ts";

/** A manifest as it came, its bytes being those of `digest`. */
export interface FetchedManifest {
  readonly bytes: Buffer;
  readonly digest: Digest;
  readonly contentType: string | undefined;
}

/** Who to ask, with what. */
export interface ClientOptions {
  readonly transport: Transport;
  readonly settings: RegistrySettings;
  readonly keyring: Keyring;
  readonly limits: Limits;
  readonly clock: Clock;
}

interface Source {
  /** URL of the repository. */
  readonly base: string;
  readonly query: string;
  readonly authorizer: Authorizer;
  readonly authority: string | undefined;
}

const dockerHub = "registry-1.docker.io";
const mostTries = 3;
const retryMs = 500;

/** Whether the same request may well succeed a little later. */
export function mayPass(error: unknown): boolean {
  return error instanceof ImagePullFailed && (error.fault === "Unavailable" || error.fault === "Stalled");
}

/** Fetches one repository's manifests and blobs. */
export class RegistryClient {
  readonly #options: ClientOptions;
  readonly #reference: Reference;
  #sources: Source[];

  constructor(reference: Reference, options: ClientOptions) {
    this.#reference = reference;
    this.#options = options;
    this.#sources = this.#allSources();
  }

  /**
   * The manifest of a tag or digest, checked against the digest asked for or announced.
   * @throws {ImagePullFailed} NotFound, Unauthorized, Unavailable, Stalled
   * @throws {ImageRefused} DigestMismatch
   */
  manifest(which: string, signal?: AbortSignal): Promise<FetchedManifest> {
    return this.#retrying(signal, () => this.#fromAny((source) => this.#manifestFrom(source, which, signal)));
  }

  /** A blob's body from `start` on, if the registry can; its status, 200 or 206, says. One try. @throws as manifest() */
  blob(digest: Digest, start: number, signal?: AbortSignal): Promise<IncomingMessage> {
    const headers: Record<string, string> = start === 0 ? {} : { range: `bytes=${start}-` };
    return this.#fromAny((source) => this.#get(source, { path: `blobs/${digest}`, headers, signal }));
  }

  #allSources(): Source[] {
    const { registry } = this.#reference;
    const { mirrors = {} } = this.#options.settings;
    const own = registry === defaultRegistry ? dockerHub : registry;
    const before = [...(mirrors[registry] ?? []), ...(mirrors["*"] ?? [])];
    const places = before.map((url) => ({ url: new URL(url), query: `?ns=${encodeURIComponent(registry)}` }));
    return [
      ...places.flatMap(({ url, query }) => this.#withCredentials(url, url.host, query)),
      ...this.#withCredentials(new URL(`https://${own}`), registry, ""),
    ];
  }

  #withCredentials(url: URL, registry: string, query: string): Source[] {
    const { transport, clock, keyring } = this.#options;
    const { repository } = this.#reference;
    const found: (Credential | undefined)[] = keyring.lookup({ ...this.#reference, registry });
    const base = `${url.origin}${url.pathname.replace(/\/+$/, "")}/v2/${repository}`;
    const authority = keyring.authority({ ...this.#reference, registry });
    return (found.length === 0 ? [undefined] : found).map((credential) => ({
      base,
      query,
      authority,
      authorizer: new Authorizer({ transport, clock, credential, repository }),
    }));
  }

  /** The first source that answers goes first from then on. Of failures, the registry's own is the one to tell. */
  async #fromAny<T>(ask: (source: Source) => Promise<T>): Promise<T> {
    let failure: unknown = new ImagePullFailed("Unavailable", `${nameOf(this.#reference)}: nowhere to ask`);
    for (const source of this.#sources) {
      try {
        const answer = await ask(source);
        if (source !== this.#sources[0]) this.#sources = [source, ...this.#sources.filter((other) => other !== source)];
        return answer;
      } catch (error) {
        if (!(error instanceof ImagePullFailed || error instanceof ImageRefused)) throw error;
        failure = error;
      }
    }
    throw failure;
  }

  async #retrying<T>(signal: AbortSignal | undefined, ask: () => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries++) {
      try {
        return await ask();
      } catch (error) {
        if (tries === mostTries || !mayPass(error)) throw error;
        await this.#options.clock.sleep(retryMs * 2 ** tries * (0.5 + chance()), signal);
      }
    }
  }

  async #manifestFrom(source: Source, which: string, signal: AbortSignal | undefined): Promise<FetchedManifest> {
    const headers = { accept: acceptedManifests };
    const response = await this.#get(source, { path: `manifests/${which}`, headers, signal });
    const bytes = await readBody(response, this.#options.limits.manifestBytes, this.#options.clock);
    const announced = parseDigest(response.headers["docker-content-digest"]);
    const digest = parseDigest(which) ?? announced ?? digestOf(bytes);
    if (!matches(bytes, digest)) throw new ImageRefused("DigestMismatch", `another manifest came for ${digest}`);
    return { bytes, digest, contentType: response.headers["content-type"]?.split(";", 1)[0]?.trim() };
  }

  async #get(
    source: Source,
    ask: { path: string; headers?: Record<string, string>; signal?: AbortSignal | undefined },
  ) {
    const url = `${source.base}/${ask.path}${source.query}`;
    const first = await this.#send(source, { ...ask, url });
    if (first.statusCode !== 401) return this.#checked(first, url);
    first.resume();
    const challenge = first.headers["www-authenticate"];
    if (!(await source.authorizer.answer(challenge, url, ask.signal))) return this.#checked(first, url);
    return this.#checked(await this.#send(source, { ...ask, url }), url);
  }

  async #send(
    { authorizer, authority }: Source,
    ask: { url: string; headers?: Record<string, string>; signal?: AbortSignal | undefined },
  ): Promise<IncomingMessage> {
    const { header } = authorizer;
    const headers = { ...ask.headers, ...(header === undefined ? {} : { authorization: header }) };
    return (await this.#options.transport.send({ url: ask.url, headers, authority, signal: ask.signal })).response;
  }

  #checked(response: IncomingMessage, url: string): IncomingMessage {
    const status = response.statusCode ?? 0;
    if (status === 200 || status === 206) return response;
    response.resume();
    throw refusalOf(status, nameOf(this.#reference), new URL(url).host);
  }
}

function refusalOf(status: number, name: string, host: string): ImagePullFailed | ImageRefused {
  if (status === 416) return new ImageRefused("DigestMismatch", `${name}: ${host} has fewer bytes than promised`);
  if (status === 401 || status === 403) {
    return new ImagePullFailed("Unauthorized", `${name}: ${host} refuses access (status ${status})`);
  }
  if (status === 404) return new ImagePullFailed("NotFound", `${name}: not found at ${host}`);
  return new ImagePullFailed("Unavailable", `${name}: ${host} answered with status ${status}`);
}

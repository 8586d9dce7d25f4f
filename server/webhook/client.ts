/**
 * How webhooks are asked: JSON posted over TLS, at a URL or to a Service; within a time, with an answer of bounded size,
 * and no redirect followed.
 * Source: k8s.io/apiserver/pkg/util/webhook/client.go
 */
import { Agent, request, type RequestOptions } from "node:https";
import type { WebhookClientConfig } from "@atoll/api/builtin/admissionregistration.k8s.io/v1.types";
import { parseJson, stringifyJson } from "@atoll/machinery/json/json";
import type { Catalogue } from "../registry/catalogue.ts";
import { resolveService } from "../services/endpoints.ts";

/** What a question may take. */
export interface Limits {
  readonly timeoutMs: number;
  /** Bytes of the answer. */
  readonly largestAnswer: number;
  /** Told to the webhook as `?timeout=`, as upstream does for admission. */
  readonly tellsTimeout?: boolean;
}

/** An address, and how its certificate is checked. */
interface Target {
  readonly host: string;
  readonly port: number;
  readonly path: string;
  /** Name the certificate must have, when it is not the host's. */
  readonly servername?: string;
  /** As messages show it. */
  readonly url: string;
}

const httpsPort = 443;
const maxDepth = 1_000;
/** Of an answer that is no success, in messages. */
const shownBytes = 200;

/** Asks webhooks; keeps connections for the next question. */
export class WebhookClient {
  readonly #catalogue: Catalogue;
  readonly #agent = new Agent({ keepAlive: true });

  constructor(catalogue: Catalogue) {
    this.#catalogue = catalogue;
  }

  close(): void {
    this.#agent.destroy();
  }

  /** The parsed answer. @throws {Error} in upstream's words: `Post "URL": why` */
  async ask(config: WebhookClientConfig, body: unknown, limits: Limits): Promise<unknown> {
    const signal = AbortSignal.timeout(limits.timeoutMs);
    const target = await targetOf(config, this.#catalogue, limits);
    const ca = Buffer.from(config.caBundle ?? "", "base64")
      .toString()
      .trim();
    const options: RequestOptions = {
      host: target.host,
      port: target.port,
      path: target.path,
      ...(target.servername === undefined ? {} : { servername: target.servername }),
      ...(ca === "" ? {} : { ca }),
      agent: this.#agent,
      method: "POST",
      signal,
    };
    try {
      return await this.#post(options, Buffer.from(stringifyJson(body)), limits.largestAnswer);
    } catch (cause) {
      const why = signal.aborted ? "context deadline exceeded" : messageOf(cause);
      throw new Error(`Post ${JSON.stringify(target.url)}: ${why}`, { cause });
    }
  }

  /** A kept connection may have been closed by the other side meanwhile: then a new one is tried. */
  async #post(options: RequestOptions, body: Buffer, largestAnswer: number): Promise<unknown> {
    for (;;) {
      try {
        return await post(options, body, largestAnswer);
      } catch (error) {
        if (!(error instanceof StaleConnection)) throw error;
      }
    }
  }
}

class StaleConnection extends Error {
  override readonly name = "StaleConnection";
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

async function targetOf(
  { url, service }: WebhookClientConfig,
  catalogue: Catalogue,
  { timeoutMs, tellsTimeout }: Limits,
): Promise<Target> {
  const shown = new URL(url ?? urlOf(service));
  if (tellsTimeout === true) shown.searchParams.set("timeout", `${Math.ceil(timeoutMs / 1_000)}s`);
  const path = shown.pathname + shown.search;
  const servername = shown.hostname.replace(/^\[|\]$/g, "");
  const port = shown.port === "" ? httpsPort : Number(shown.port);
  if (service === undefined) return { host: servername, port, path, url: shown.href };
  return { ...(await resolveService(catalogue, service, port)), path, servername, url: shown.href };
}

function urlOf(service: WebhookClientConfig["service"]): string {
  if (service === undefined) throw new Error("the webhook has neither URL nor Service");
  const { name, namespace, port = httpsPort, path = "/" } = service;
  return `https://${name}.${namespace}.svc:${port}${path.startsWith("/") ? path : `/${path}`}`;
}

function post(options: RequestOptions, body: Buffer, largestAnswer: number): Promise<unknown> {
  const headers = { "content-type": "application/json", accept: "application/json", "content-length": body.length };
  return new Promise((resolve, reject) => {
    const outgoing = request({ ...options, headers }, (response) => {
      const parts: Buffer[] = [];
      let size = 0;
      response.on("data", (part: Buffer) => {
        size += part.length;
        if (size > largestAnswer) response.destroy(new Error(`the answer is larger than ${largestAnswer} bytes`));
        else parts.push(part);
      });
      response.on("error", reject);
      response.on("end", () => {
        try {
          resolve(answered(response.statusCode ?? 0, Buffer.concat(parts)));
        } catch (error) {
          reject(error as Error);
        }
      });
    });
    outgoing.on("error", (error: NodeJS.ErrnoException) => {
      const stale = outgoing.reusedSocket && (error.code === "ECONNRESET" || error.code === "EPIPE");
      reject(stale ? new StaleConnection() : error);
    });
    outgoing.end(body);
  });
}

function answered(code: number, body: Buffer): unknown {
  if (code < 200 || code > 299) {
    throw new Error(`the webhook answered with ${code}: ${body.toString("utf8", 0, shownBytes)}`);
  }
  return parseJson(body, { maxDepth }).value;
}

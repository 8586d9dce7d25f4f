/**
 * One API server as the client sees it: requests with the headers all share, repeats where a repeat is safe or asked
 * for, answers decoded, refusals as StatusError.
 *
 * What is repeated, at most `attempts` times:
 * - 429 and 5xx with Retry-After: the server asks for it. Source: k8s.io/client-go/rest/with_retry.go
 * - an exchange that certainly never reached the server
 * - a GET that broke
 * Anything else is the caller's to decide: it may know whether its write happened.
 */
import type { Clock } from "@atoll/machinery/clock";
import { chance } from "@atoll/machinery/clock";
import { parseStoredJson, stringifyJson } from "@atoll/machinery/json/json";
import { errorOfStatus, errorOfText, isStatus } from "./errors.ts";
import { readText } from "./lines.ts";
import type { Transport, TransportRequest, TransportResponse } from "./transport.ts";
import { TransportFailed } from "./transport.ts";
import { readWarnings } from "./warnings.ts";

/** A request to be sent. */
export interface Call {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** From "/", without a query. */
  readonly path: string;
  /** Values that are undefined are left out. */
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>> | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Sent as JSON. */
  readonly body?: unknown;
  readonly signal?: AbortSignal | undefined;
}

/** How a connection behaves. */
export interface ConnectionOptions {
  readonly transport: Transport;
  readonly clock: Clock;
  /** Names the program, as `atoll-controllers/0.1`: the server records it as field manager. */
  readonly userAgent: string;
  /** Tries of one call, the first included. Default 10. */
  readonly attempts?: number;
  /** After which an answer is given up, ms; not for watches. Default 60,000. */
  readonly timeoutMs?: number;
  /** Told what a server says beside an answer. */
  readonly onWarning?: (text: string) => void;
  /** In [0, 1). Default: the machine's. */
  readonly random?: () => number;
}

const jsonType = "application/json";

/** Spells a query, "" when empty. */
function spellQuery(query: Call["query"]): string {
  if (query === undefined) return "";
  const pairs: string[] = [];
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== "") pairs.push(`${name}=${encodeURIComponent(value)}`);
  }
  return pairs.length === 0 ? "" : `?${pairs.join("&")}`;
}

async function failureOf(response: TransportResponse): Promise<Error> {
  const text = await readText(response.body);
  try {
    const body: unknown = JSON.parse(text);
    if (isStatus(body)) return errorOfStatus(body, response.status);
  } catch {
    // Not JSON: a proxy's page.
  }
  return errorOfText(response.status, text);
}

async function discard(response: TransportResponse): Promise<void> {
  for await (const _ of response.body);
}

/** Delay that the server asks for, ms; undefined when it does not ask. */
function askedDelayMs(response: TransportResponse): number | undefined {
  if (response.status !== 429 && response.status < 500) return undefined;
  const seconds = Number(response.headers["retry-after"]);
  return Number.isInteger(seconds) && seconds >= 0 ? seconds * 1000 : undefined;
}

/** Sends calls to one API server. */
export class Connection {
  readonly clock: Clock;
  readonly random: () => number;
  readonly #options: ConnectionOptions;
  readonly #attempts: number;
  readonly #timeoutMs: number;

  constructor(options: ConnectionOptions) {
    this.clock = options.clock;
    this.random = options.random ?? chance;
    this.#options = options;
    this.#attempts = options.attempts ?? 10;
    this.#timeoutMs = options.timeoutMs ?? 60_000;
  }

  /**
   * Sends a call and decodes its JSON answer.
   * @throws {StatusError} the server refused
   * @throws {TransportFailed} no whole answer came; see `uncertain`
   */
  async json(call: Call): Promise<unknown> {
    const text = await this.text(call);
    try {
      return parseStoredJson(text);
    } catch (cause) {
      throw new TransportFailed(`${call.method} ${call.path}: the answer is not JSON`, { cause, uncertain: true });
    }
  }

  /** Sends a call and gives its answer's body as text. Throws as json() does. */
  async text(call: Call): Promise<string> {
    const deadline = new AbortController();
    const timer = this.clock.after(this.#timeoutMs, () =>
      deadline.abort(new Error(`no answer in ${this.#timeoutMs} ms`)),
    );
    const signal = call.signal === undefined ? deadline.signal : AbortSignal.any([call.signal, deadline.signal]);
    try {
      return await this.#repeat({ ...call, signal }, async () => readText((await this.#sendOnce(call, signal)).body));
    } finally {
      timer.cancel();
    }
  }

  /**
   * Sends a call whose answer has no end of its own (a watch, a log). The caller ends it by its signal or by leaving
   * the body. Throws as json() does.
   */
  stream(call: Call): Promise<TransportResponse> {
    return this.#repeat(call, () => this.#sendOnce(call, call.signal));
  }

  async #repeat<T>(call: Call, exchange: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await exchange();
      } catch (error) {
        const delayMs = this.#delayBefore(error, call, attempt);
        if (delayMs === undefined || call.signal?.aborted === true)
          throw error instanceof Later ? error.refusal : error;
        await this.clock.sleep(delayMs, call.signal);
      }
    }
  }

  /** Delay before the next try, ms; undefined when there shall be none. */
  #delayBefore(error: unknown, call: Call, attempt: number): number | undefined {
    if (attempt >= this.#attempts) return undefined;
    if (error instanceof Later) return error.afterMs * (1 + 0.1 * this.random());
    if (!(error instanceof TransportFailed)) return undefined;
    if (error.uncertain && call.method !== "GET") return undefined;
    return Math.min(50 * 2 ** attempt, 5_000) * (0.5 + this.random());
  }

  async #sendOnce(call: Call, signal: AbortSignal | undefined): Promise<TransportResponse> {
    const response = await this.#options.transport.request(this.#requestOf(call, signal));
    for (const text of readWarnings(response.headers["warning"])) this.#options.onWarning?.(text);
    if (response.status < 300) return response;
    const afterMs = askedDelayMs(response);
    if (response.status < 400) {
      await discard(response);
      throw errorOfText(response.status, "a redirect, which is not followed");
    }
    const refusal = await failureOf(response);
    throw afterMs === undefined ? refusal : new Later(refusal, afterMs);
  }

  #requestOf(call: Call, signal: AbortSignal | undefined): TransportRequest {
    const headers: Record<string, string> = { accept: jsonType, "user-agent": this.#options.userAgent };
    if (call.body !== undefined) headers["content-type"] = jsonType;
    if (call.headers !== undefined) Object.assign(headers, call.headers);
    const request = { method: call.method, path: call.path + spellQuery(call.query), headers, signal };
    return call.body === undefined ? request : { ...request, body: stringifyJson(call.body) };
  }
}

/** A refusal that asks to come again. Never leaves this module. */
class Later extends Error {
  readonly refusal: Error;
  readonly afterMs: number;
  constructor(refusal: Error, afterMs: number) {
    super(refusal.message);
    this.refusal = refusal;
    this.afterMs = afterMs;
  }
}

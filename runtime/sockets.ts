/**
 * Requests over HTTP/1.1 with keep-alive: each exchange has a connection to itself.
 */
import type { Agent, ClientRequest, IncomingMessage } from "node:http";
import { Agent as HttpsAgent, request as requestHttps } from "node:https";
import type { TransportRequest, TransportResponse } from "@atoll/client/transport";
import { TransportFailed } from "@atoll/client/transport";
import type { Carrier, TlsMaterial } from "./carrier.ts";
import { tlsOptions } from "./carrier.ts";

// Not imported: for the names of a module that is imported, Node loads all of its fetch(), 40 ms of every start.
const { Agent: HttpAgent, request: requestHttp } = process.getBuiltinModule("node:http");

/** Where to connect; without `tls` in the clear. */
export interface SocketsOptions {
  readonly url: URL;
  readonly tls?: () => Promise<TlsMaterial>;
}

/** Connections to one server, kept for the next request. */
export class Sockets implements Carrier {
  readonly #options: SocketsOptions;
  readonly #agent: Agent;

  constructor(options: SocketsOptions) {
    this.#options = options;
    this.#agent = options.tls === undefined ? new HttpAgent({ keepAlive: true }) : new HttpsAgent({ keepAlive: true });
  }

  async request(request: TransportRequest): Promise<TransportResponse> {
    const { url, tls } = this.#options;
    const host = url.hostname.replace(/^\[|\]$/g, "");
    const base = { host, method: request.method, path: request.path, headers: request.headers, agent: this.#agent };
    const port = url.port === "" ? {} : { port: Number(url.port) };
    if (tls === undefined) return exchange(requestHttp({ ...base, ...port }), request);
    return exchange(requestHttps({ ...base, ...port, ...tlsOptions(await tls(), host) }), request);
  }

  close(): void {
    this.#agent.destroy();
  }
}

function exchange(sent: ClientRequest, { body, signal }: TransportRequest): Promise<TransportResponse> {
  const abort = () => sent.destroy();
  signal?.addEventListener("abort", abort, { once: true });
  sent.once("close", () => signal?.removeEventListener("abort", abort));
  return new Promise((resolve, reject) => {
    sent.on("error", (cause: NodeJS.ErrnoException) => {
      const uncertain = !["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH"].includes(cause.code ?? "");
      reject(signal?.aborted === true ? signal.reason : new TransportFailed(cause.message, { cause, uncertain }));
    });
    sent.once("response", (message) => {
      const headers = message.headers as Record<string, string>;
      resolve({ status: message.statusCode ?? 0, headers, body: bodyOf(message, signal) });
    });
    sent.end(body);
  });
}

async function* bodyOf(message: IncomingMessage, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of message) yield chunk as Uint8Array;
  } catch (cause) {
    signal?.throwIfAborted();
    throw new TransportFailed("the answer broke off", { cause, uncertain: true });
  }
}

/**
 * The one port: HTTP/2 and HTTP/1.1 over TLS, client certificates asked for, upgrades handed on, slow clients cut off.
 */
import {
  createSecureServer,
  type Http2SecureServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
} from "node:http2";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import type { Clock } from "@atoll/machinery/clock";
import { pace } from "./doorway.ts";
import { type Patience, Sessions } from "./sessions.ts";

export interface ListenerOptions {
  readonly clock: Clock;
  readonly bind: string;
  readonly port: number;
  readonly tls: { readonly cert: string; readonly key: string; readonly clientCa: string };
  readonly onRequest: (request: IncomingMessage, response: ServerResponse) => void;
  /** Absent: the usual ones. */
  readonly limits?: Limits;
  readonly onUpgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
}

/** What a listener puts up with. */
export interface Limits extends Patience {
  /** Connections at once; more are closed as they come. */
  readonly connections: number;
}

/** One byte each 10 s is cut at 10 s (header) and 30 s (body). A thousand connections take some 50 MB. */
const usualLimits: Limits = { headersMs: 10_000, bodyMs: 30_000, idleMs: 120_000, connections: 12_000 };
/** How often slow HTTP/1.1 clients are looked for. */
const checkMs = 1_000;
/** Source: CIS Kubernetes Benchmark, 1.2.29 */
const ciphers = [
  "TLS_AES_128_GCM_SHA256",
  "TLS_AES_256_GCM_SHA384",
  "TLS_CHACHA20_POLY1305_SHA256",
  ...["ECDSA", "RSA"].flatMap((key) =>
    ["AES128-GCM-SHA256", "AES256-GCM-SHA384", "CHACHA20-POLY1305"].map((rest) => `ECDHE-${key}-${rest}`),
  ),
];
const handshake = { minVersion: "TLSv1.2", ciphers: ciphers.join(":") } as const;
const maxHeaderBytes = 16 * 1024;
const maxHeaders = 200;
const maxStreamsPerConnection = 250;

export class Listener {
  readonly #server: Http2SecureServer;
  readonly #sockets = new Set<Socket>();
  readonly #options: ListenerOptions;

  constructor(options: ListenerOptions) {
    this.#options = options;
    const { tls, limits = usualLimits } = options;
    const server = createSecureServer({
      allowHTTP1: true,
      cert: tls.cert,
      key: tls.key,
      ca: tls.clientCa,
      requestCert: true,
      // A connection without a certificate is told so by a 401, in words, not by a broken handshake.
      rejectUnauthorized: false,
      ...handshake,
      maxHeaderListPairs: maxHeaders,
      settings: { maxConcurrentStreams: maxStreamsPerConnection, maxHeaderListSize: maxHeaderBytes },
      handshakeTimeout: limits.headersMs,
      maxHeaderSize: maxHeaderBytes,
      // The types do not know these of the HTTP/1.1 side.
      headersTimeout: limits.headersMs,
      requestTimeout: limits.bodyMs,
      keepAliveTimeout: limits.idleMs,
      connectionsCheckingInterval: Math.min(checkMs, limits.headersMs),
    } as Parameters<typeof createSecureServer>[0]);
    server.maxConnections = limits.connections;
    pace(server);
    const sessions = new Sessions(options.clock, limits);
    server.on("session", (session) => sessions.follow(session));
    this.#server = server;
    // One more than may be, so that too many can be told from as many as may be. The types do not know it.
    Object.assign(server, { maxHeadersCount: maxHeaders + 1 });
    server.on("request", (request: Http2ServerRequest, response: Http2ServerResponse) => {
      if (request.rawHeaders.length > maxHeaders * 2) return refuseHeaders(response);
      // Only an HTTP/2 request has a stream.
      if ((request.stream as Http2ServerRequest["stream"] | undefined) !== undefined) sessions.awaitBody(request);
      options.onRequest(request as unknown as IncomingMessage, response as unknown as ServerResponse);
    });
    server.on("upgrade", options.onUpgrade);
    server.on("secureConnection", (socket: TLSSocket) => {
      socket.setNoDelay(true);
      // A peer that goes away is no error of ours.
      socket.on("error", () => socket.destroy());
    });
    server.on("connection", (socket: Socket) => this.#track(socket));
    server.on("sessionError", () => {});
    server.on("tlsClientError", () => {});
  }

  #track(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("close", () => this.#sockets.delete(socket));
  }

  /** @returns the port listened on */
  listen(): Promise<number> {
    const { bind, port } = this.#options;
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(port, bind, () => {
        this.#server.off("error", reject);
        resolve((this.#server.address() as AddressInfo).port);
      });
    });
  }

  get connections(): number {
    return this.#sockets.size;
  }

  /** Stops listening, gives requests under way a moment, then cuts what is left. */
  async close(graceMs: number): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    const deadline = this.#options.clock.after(graceMs, () => {
      for (const socket of this.#sockets) socket.destroy();
    });
    await closed;
    deadline.cancel();
  }
}

/** Node drops headers beyond its count; nobody is to guess which ones. */
function refuseHeaders(response: Http2ServerResponse): void {
  // HTTP/2 has no such header; there Node has refused before.
  response.writeHead(431, { connection: "close", "content-length": "0" });
  response.end();
}

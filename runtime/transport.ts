/**
 * The client's transport on Node: HTTP/2 where the server speaks it, else HTTP/1.1 with keep-alive, over TLS with
 * client certificates or bearer tokens.
 */
import type { TLSSocket } from "node:tls";
import { connect as connectTls } from "node:tls";
import type { Transport, TransportRequest, TransportResponse } from "@atoll/client/transport";
import { TransportFailed } from "@atoll/client/transport";
import type { Clock } from "@atoll/machinery/clock";
import { Sessions } from "./sessions.ts";
import { Sockets } from "./sockets.ts";
import type { Carrier, TlsMaterial } from "./carrier.ts";
import { tlsOptions } from "./carrier.ts";

/** Who speaks. Asked anew each time, so that credentials can rotate. */
export interface Identity {
  /** Asked for each connection. */
  tls(): Promise<TlsMaterial>;
  /** Value of the Authorization header, asked for each request. */
  authorization(): Promise<string | undefined>;
  /** Further headers, as for impersonation. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The server answered 401: what is kept may have expired. */
  refused?(): void;
}

/** Where the server is, and who speaks. */
export interface NodeTransportOptions {
  /** `https://HOST:PORT[/PREFIX]`, or `http://` (never with credentials). */
  readonly server: string;
  readonly identity: Identity;
  readonly clock: Clock;
}

const connectTimeoutMs = 10_000;

/** A transport to one server. Connects when first used. */
export function nodeTransport(options: NodeTransportOptions): Transport {
  return new NodeTransport(options);
}

class NodeTransport implements Transport {
  readonly #options: NodeTransportOptions;
  readonly #url: URL;
  readonly #prefix: string;
  #carrier: Promise<Carrier> | undefined;
  /** The certificate of the latest connection, PEM. */
  #shown: string | undefined;
  #closed = false;

  constructor(options: NodeTransportOptions) {
    this.#options = options;
    this.#url = new URL(options.server);
    this.#prefix = this.#url.pathname.replace(/\/+$/, "");
  }

  async request(request: TransportRequest): Promise<TransportResponse> {
    request.signal?.throwIfAborted();
    if (this.#closed) throw new TransportFailed("the transport is closed", { uncertain: false });
    const { identity } = this.#options;
    const authorization = await identity.authorization();
    const headers = {
      ...identity.headers,
      ...(authorization === undefined ? {} : { authorization }),
      ...request.headers,
    };
    const carrier = await this.#chosen();
    const response = await carrier.request({ ...request, path: this.#prefix + request.path, headers });
    if (response.status === 401) await this.#refused();
    return response;
  }

  /** What is kept may have expired. A connection speaks in the name of the certificate that it began with. */
  async #refused(): Promise<void> {
    const { identity } = this.#options;
    identity.refused?.();
    const material = await identity.tls().catch(() => undefined);
    if (material?.cert !== undefined && material.cert.toString() !== this.#shown) this.#carrier = undefined;
  }

  close(): void {
    this.#closed = true;
    this.#carrier?.then(
      (carrier) => carrier.close(),
      () => undefined,
    );
  }

  /** Finds out once what the server speaks; a failure to connect leaves that open. */
  #chosen(): Promise<Carrier> {
    this.#carrier ??= this.#choose().catch((error: unknown) => {
      this.#carrier = undefined;
      throw error;
    });
    return this.#carrier;
  }

  async #choose(): Promise<Carrier> {
    const connect = () => this.#connect();
    if (this.#url.protocol === "http:") return new Sockets({ url: this.#url });
    const socket = await connect();
    if (socket.alpnProtocol === "h2")
      return new Sessions({ url: this.#url, first: socket, connect, clock: this.#options.clock });
    socket.destroy();
    return new Sockets({ url: this.#url, tls: () => this.#options.identity.tls() });
  }

  async #connect(): Promise<TLSSocket> {
    const material = await this.#options.identity.tls();
    this.#shown = material.cert?.toString();
    const { hostname, port } = this.#url;
    const host = hostname.replace(/^\[|\]$/g, "");
    return new Promise((resolve, reject) => {
      const timer = this.#options.clock.after(connectTimeoutMs, () =>
        fail(new Error(`no connection in ${connectTimeoutMs} ms`)),
      );
      const socket = connectTls({
        host,
        port: Number(port || 443),
        ALPNProtocols: ["h2", "http/1.1"],
        ...tlsOptions(material, host),
      });
      const fail = (cause: Error) => {
        timer.cancel();
        socket.destroy();
        reject(
          new TransportFailed(`cannot connect to ${this.#url.host}: ${cause.message}`, { cause, uncertain: false }),
        );
      };
      socket.once("error", fail);
      socket.once("secureConnect", () => {
        timer.cancel();
        socket.off("error", fail);
        socket.setNoDelay(true);
        resolve(socket);
      });
    });
  }
}

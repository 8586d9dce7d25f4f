/**
 * Requests over HTTP/2: as many connections as the streams need. Watches stay open for minutes, so one connection's
 * limit of streams (100 to 250 in practice) would soon hold everything up.
 */
import type { ClientHttp2Session, ClientHttp2Stream } from "node:http2";
import { connect as connectHttp2, constants } from "node:http2";
import type { TLSSocket } from "node:tls";
import type { TransportRequest, TransportResponse } from "@atoll/client/transport";
import { TransportFailed } from "@atoll/client/transport";
import type { Clock } from "@atoll/machinery/clock";
import type { Carrier } from "./carrier.ts";

/** How sessions are made. */
export interface SessionsOptions {
  readonly url: URL;
  /** A connection made already. */
  readonly first: TLSSocket;
  readonly connect: () => Promise<TLSSocket>;
  readonly clock: Clock;
}

const mostStreams = 90;
const pingEveryMs = 30_000;
const pingTimeoutMs = 15_000;
/** Large lists come over one stream: the default window of 64 KiB would cost a round trip for each. */
const streamWindowBytes = 4 << 20;
const sessionWindowBytes = 16 << 20;

/** One connection and the streams on it. */
class Session {
  readonly http2: ClientHttp2Session;
  streams = 0;

  constructor(http2: ClientHttp2Session) {
    this.http2 = http2;
  }

  /** Counts one more stream, if there is room for it. */
  reserve(): boolean {
    if (this.http2.closed || this.http2.destroyed) return false;
    const most = Math.min(mostStreams, this.http2.remoteSettings.maxConcurrentStreams ?? mostStreams);
    if (this.streams >= most) return false;
    this.streams++;
    return true;
  }
}

/** A pool of HTTP/2 connections to one server. */
export class Sessions implements Carrier {
  readonly #options: SessionsOptions;
  readonly #sessions = new Set<Session>();
  #opening: Promise<Session> | undefined;
  #closed = false;

  constructor(options: SessionsOptions) {
    this.#options = options;
    this.#adopt(options.first);
  }

  async request(request: TransportRequest): Promise<TransportResponse> {
    const session = await this.#reserve();
    const stream = openOn(session, this.#options.url, request);
    stream.once("close", () => session.streams--);
    return respond(stream, request);
  }

  close(): void {
    this.#closed = true;
    for (const session of this.#sessions) session.http2.destroy();
  }

  /** A session with room for one more stream, which is counted already. */
  async #reserve(): Promise<Session> {
    for (;;) {
      for (const session of this.#sessions) if (session.reserve()) return session;
      if (this.#closed) throw new TransportFailed("the transport is closed", { uncertain: false });
      this.#opening ??= this.#options
        .connect()
        .then((socket) => this.#adopt(socket))
        .finally(() => {
          this.#opening = undefined;
        });
      await this.#opening;
    }
  }

  #adopt(socket: TLSSocket): Session {
    const http2 = connectHttp2(this.#options.url.origin, {
      createConnection: () => socket,
      settings: { initialWindowSize: streamWindowBytes, enablePush: false },
    });
    const session = new Session(http2);
    http2.once("connect", () => {
      if (!http2.destroyed) http2.setLocalWindowSize(sessionWindowBytes);
    });
    http2.on("error", () => undefined); // each stream on it fails by itself, and says why
    http2.once("goaway", () => this.#sessions.delete(session));
    http2.once("close", () => this.#sessions.delete(session));
    this.#sessions.add(session);
    void keepAlive(http2, this.#options.clock);
    return session;
  }
}

/** A connection whose other end is gone without a word is found out by a ping. */
async function keepAlive(http2: ClientHttp2Session, clock: Clock): Promise<void> {
  const ended = new AbortController();
  http2.once("close", () => ended.abort());
  // It is destroyed before it is closed, and then takes no ping.
  while (!http2.destroyed) {
    await clock.sleep(pingEveryMs, ended.signal).catch(() => undefined);
    if (!http2.destroyed && !(await answersPing(http2, clock))) http2.destroy(new Error("no answer to a ping"));
  }
}

function answersPing(http2: ClientHttp2Session, clock: Clock): Promise<boolean> {
  return new Promise((resolve) => {
    const late = clock.after(pingTimeoutMs, () => resolve(false));
    http2.ping((error) => {
      late.cancel();
      resolve(error === null);
    });
  });
}

/** Opens the stream that was reserved, or lets the reservation go. */
function openOn(session: Session, url: URL, request: TransportRequest): ClientHttp2Stream {
  const { body, method, path } = request;
  const headers = {
    ...request.headers,
    // A server that bounds what is under way takes a body of unknown length for the longest there may be.
    ...(body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) }),
    ":method": method,
    ":path": path,
    ":authority": url.host,
  };
  try {
    request.signal?.throwIfAborted();
    return session.http2.request(headers, { endStream: body === undefined });
  } catch (cause) {
    session.streams--;
    request.signal?.throwIfAborted();
    throw new TransportFailed("the connection is closing", { cause, uncertain: false });
  }
}

function respond(stream: ClientHttp2Stream, request: TransportRequest): Promise<TransportResponse> {
  const { signal } = request;
  const abort = () => stream.close(constants.NGHTTP2_CANCEL);
  signal?.addEventListener("abort", abort, { once: true });
  stream.once("close", () => signal?.removeEventListener("abort", abort));
  return new Promise((resolve, reject) => {
    let cause: Error | undefined;
    let answered = false;
    stream.on("error", (error) => {
      cause = error;
    });
    stream.once("close", () => {
      // Every stream is closed in the end: to make an error of each, with its trace, would cost more than the answer.
      if (!answered) reject(signal?.aborted === true ? signal.reason : failureOf(stream, cause));
    });
    stream.once("response", (all) => {
      answered = true;
      const { ":status": status = 0, ...fields } = all;
      resolve({ status, headers: fields as Record<string, string>, body: bodyOf(stream, signal) });
    });
    if (request.body !== undefined) stream.end(request.body);
  });
}

function failureOf(stream: ClientHttp2Stream, cause: Error | undefined): TransportFailed {
  const refused = stream.rstCode === constants.NGHTTP2_REFUSED_STREAM || stream.pending;
  const message = cause?.message ?? "the connection ended before the answer";
  return new TransportFailed(message, { cause, uncertain: !refused });
}

async function* bodyOf(stream: ClientHttp2Stream, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  try {
    yield* chunksOf(stream);
    if (stream.rstCode !== constants.NGHTTP2_NO_ERROR) throw new Error(`the stream was reset (${stream.rstCode})`);
    if (!stream.readableEnded) throw new Error("the stream was closed before its end");
  } catch (cause) {
    signal?.throwIfAborted();
    throw new TransportFailed("the answer broke off", { cause, uncertain: true });
  } finally {
    if (!stream.closed) stream.close(constants.NGHTTP2_CANCEL);
  }
}

/**
 * What there is to read until the stream ends or is closed. Not `for await`, which asks a stream whether it is `closed`:
 * to HTTP/2 that means that all frames have come, and an answer that came whole before anybody read it would be taken for
 * one that broke off.
 */
async function* chunksOf(stream: ClientHttp2Stream): AsyncGenerator<Uint8Array> {
  let wake = () => {};
  const told = () => wake();
  stream.on("readable", told).once("end", told).once("close", told);
  for (;;) {
    const chunk = stream.read() as Uint8Array | null;
    if (chunk !== null) yield chunk;
    else if (stream.readableEnded || stream.destroyed) return;
    else await new Promise<void>((resolve) => (wake = resolve));
  }
}

/**
 * One SPDY/3.1 connection, as its server: streams that the client opens, each with headers and bytes both ways.
 *
 * Clients of Kubernetes (moby/spdystream) neither send nor heed WINDOW_UPDATE, so what holds a fast sender back is the
 * connection itself: it is not read while a stream has more than `inboundWindow` bytes that nobody has taken. Clients
 * that do heed windows are told of what was taken.
 */
import type { Duplex } from "node:stream";
import { constants, createDeflate, createInflate, type Deflate, type Inflate } from "node:zlib";
import { dictionary } from "./dictionary.ts";
import {
  controlFrame,
  controlTypes,
  dataFrame,
  dataFrames,
  finFlag,
  type Frame,
  FrameReader,
  headerBlock,
  NotSpdy,
  numbers,
  readHeaderBlock,
} from "./spdyframes.ts";

const inboundWindow = 1 << 20;
/** A client hears of what was taken once it is so much. Half of the window that SPDY/3.1 begins with */
const worthTelling = 32 << 10;
const largestHeaders = 64 << 10;
const mostStreams = 2_000;
const refused = 3;

/** A stream of a connection. */
export class SpdyStream {
  readonly id: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly #connection: SpdyConnection;
  readonly #chunks: Buffer[] = [];
  readonly #onCut: (() => void)[] = [];
  #unread = 0;
  #untold = 0;
  #ended = false;
  #closed = false;
  #more = Promise.withResolvers<void>();
  #taken = Promise.withResolvers<void>();

  constructor(connection: SpdyConnection, id: number, headers: ReadonlyMap<string, string>) {
    this.#connection = connection;
    this.id = id;
    this.headers = headers;
  }

  /** What the client sends, to its end. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer> {
    for (;;) {
      const chunk = this.#chunks.shift();
      if (chunk !== undefined) {
        this.#unread -= chunk.length;
        this.#taken.resolve();
        this.#taken = Promise.withResolvers();
        this.#tell(chunk.length);
        yield chunk;
        continue;
      }
      if (this.#ended) return;
      await this.#more.promise;
      this.#more = Promise.withResolvers();
    }
  }

  #tell(taken: number): void {
    this.#untold += taken;
    if (this.#untold < worthTelling || this.#ended) return;
    this.#connection.tookBytes(this.id, this.#untold);
    this.#untold = 0;
  }

  /** Calls back when it is over both ways, once; at once when it is already. */
  onCut(callback: () => void): void {
    if (this.#closed && this.#ended) callback();
    else this.#onCut.push(callback);
  }

  /** Sends bytes; resolves when there is room for more. */
  async write(bytes: Uint8Array): Promise<void> {
    if (!this.#closed) await this.#connection.send(dataFrames(this.id, bytes));
  }

  /** Nothing more will be sent. */
  async end(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#connection.send(dataFrame(this.id, Buffer.alloc(0), true));
  }

  /** Called by the connection. @returns a promise to wait for before more is taken from the client */
  push(bytes: Buffer): Promise<void> | undefined {
    if (this.#ended || bytes.length === 0) return undefined;
    this.#chunks.push(bytes);
    this.#unread += bytes.length;
    this.#more.resolve();
    return this.#unread > inboundWindow ? this.#taken.promise : undefined;
  }

  /** Called by the connection: the client will send no more. */
  finish(): void {
    this.#ended = true;
    this.#more.resolve();
    this.#taken.resolve();
  }

  /** Called by the connection: it is over both ways. */
  cut(): void {
    this.#closed = true;
    this.#chunks.length = 0;
    this.finish();
    for (const callback of this.#onCut.splice(0)) callback();
  }
}

/** A connection. */
export class SpdyConnection {
  readonly #duplex: Duplex;
  readonly #onStream: (stream: SpdyStream) => void;
  readonly #streams = new Map<number, SpdyStream>();
  readonly #reader = new FrameReader();
  readonly #inflate: HeaderPress<Inflate>;
  readonly #deflate: HeaderPress<Deflate>;
  #drained: Promise<void> | undefined;
  #pings = 0;

  /** @param onStream called with each stream that the client opens; it has been accepted */
  constructor(duplex: Duplex, onStream: (stream: SpdyStream) => void) {
    this.#duplex = duplex;
    this.#onStream = onStream;
    const flush = constants.Z_SYNC_FLUSH;
    this.#inflate = new HeaderPress(createInflate({ dictionary, flush, finishFlush: flush }));
    this.#deflate = new HeaderPress(createDeflate({ dictionary, flush }));
    duplex.on("error", () => duplex.destroy());
    // Whoever waits for room in a stream learns of it by the stream's end.
    duplex.on("close", () => this.#cutAll());
  }

  #cutAll(): void {
    for (const stream of this.#streams.values()) stream.cut();
  }

  /** Serves until the client goes away. @throws {NotSpdy} what it speaks is something else */
  async run(): Promise<void> {
    try {
      for await (const bytes of this.#duplex as AsyncIterable<Buffer>) {
        for (const frame of this.#reader.take(bytes)) await this.#take(frame);
      }
    } catch (error) {
      if (error instanceof NotSpdy) throw error;
      // The client went away: the streams say so by their end.
    } finally {
      this.#cutAll();
      this.#inflate.close();
      this.#deflate.close();
      this.#duplex.destroy();
    }
  }

  /** Writes what means nothing: if the client is gone, that shows. */
  ping(): void {
    // A server's own have even numbers.
    this.#pings += 2;
    void this.send(controlFrame(controlTypes.ping, numbers(this.#pings)));
  }

  /** Ends the connection once what was sent is on its way. */
  close(): void {
    this.#duplex.end();
  }

  /** Called by streams. */
  async send(frame: Buffer): Promise<void> {
    if (this.#duplex.destroyed || this.#duplex.writableEnded) return;
    if (this.#duplex.write(frame)) return;
    this.#drained ??= this.#untilDrained();
    await this.#drained;
  }

  #untilDrained(): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        this.#duplex.off("drain", done);
        this.#duplex.off("close", done);
        this.#drained = undefined;
        resolve();
      };
      this.#duplex.on("drain", done);
      this.#duplex.on("close", done);
    });
  }

  /** Called by streams: the client may send so much more. */
  tookBytes(stream: number, bytes: number): void {
    for (const id of [0, stream]) void this.send(controlFrame(controlTypes.windowUpdate, numbers(id, bytes)));
  }

  async #take(frame: Frame): Promise<void> {
    switch (frame.type) {
      case 0:
        return await this.#data(frame);
      case controlTypes.synStream:
        return await this.#open(frame);
      case controlTypes.rstStream:
        this.#streams.get(frame.stream)?.cut();
        this.#streams.delete(frame.stream);
        return;
      case controlTypes.ping:
        // An even one is the answer to one of ours.
        if (frame.stream % 2 === 0) return;
        return await this.send(controlFrame(controlTypes.ping, frame.payload));
      default:
        return;
    }
  }

  async #data({ stream: id, flags, payload }: Frame): Promise<void> {
    const stream = this.#streams.get(id);
    if (stream === undefined) return;
    await stream.push(payload);
    if ((flags & finFlag) !== 0) stream.finish();
  }

  async #open({ stream: id, flags, payload }: Frame): Promise<void> {
    // Stream, associated stream, priority and slot: ten bytes before the headers.
    if (payload.length < 10) throw new NotSpdy("a stream without headers");
    const headers = readHeaderBlock(await this.#inflate.pass(payload.subarray(10)));
    if (this.#streams.has(id) || this.#streams.size >= mostStreams) {
      return await this.send(controlFrame(controlTypes.rstStream, numbers(id, refused)));
    }
    const stream = new SpdyStream(this, id, headers);
    this.#streams.set(id, stream);
    const reply = await this.#deflate.pass(headerBlock({}));
    await this.send(controlFrame(controlTypes.synReply, Buffer.concat([numbers(id), reply])));
    if ((flags & finFlag) !== 0) stream.finish();
    this.#onStream(stream);
  }

  /** Forgets a stream that is over both ways. */
  forget(stream: SpdyStream): void {
    stream.cut();
    this.#streams.delete(stream.id);
  }
}

/** One direction of header compression: every block goes through the same window, in order. */
class HeaderPress<Z extends Inflate | Deflate> {
  readonly #zlib: Z;
  #out: Buffer[] = [];
  #bytes = 0;
  #failed: Error | undefined;

  constructor(zlib: Z) {
    this.#zlib = zlib;
    zlib.on("data", (chunk: Buffer) => {
      this.#bytes += chunk.length;
      if (this.#bytes <= largestHeaders) this.#out.push(chunk);
    });
    zlib.on("error", (error) => {
      this.#failed = error;
    });
  }

  /** @throws {NotSpdy} it cannot be expanded, or is too large */
  async pass(block: Uint8Array): Promise<Buffer> {
    this.#out = [];
    this.#bytes = 0;
    await new Promise<void>((resolve, reject) => {
      const fail = (error: Error) => reject(new NotSpdy("headers cannot be read", { cause: error }));
      this.#zlib.once("error", fail);
      this.#zlib.write(block, (error) => {
        this.#zlib.off("error", fail);
        if (error) fail(error);
        else resolve();
      });
    });
    if (this.#failed !== undefined || this.#bytes > largestHeaders) throw new NotSpdy("headers are too large");
    return Buffer.concat(this.#out);
  }

  close(): void {
    this.#zlib.close();
  }
}

/**
 * The host's end of a channel: says hello, sends requests, hands replies, events and stream frames to whom they
 * concern. Whatever a hostile guest sends, the worst that happens is that this one session is cut.
 */
import { randomBytes } from "node:crypto";
import type { Duplex } from "node:stream";
import { systemClock, type Clock } from "@atoll/machinery/clock";
import { encodeHeader, FrameReader, headerLength, maxPayload, moreFlag, ProtocolBroken } from "./frame.ts";
import { frameTypes, protocolVersion, type Frame, type FrameType } from "./frame.ts";
import { ContainerReport, events, Failure, Hello, limits, operations, StreamName } from "./messages.ts";
import type { Operation } from "./messages.ts";
import type { StreamPort, StreamSink } from "./stream.ts";
import { decode, encode, type Given, type Taken } from "./tlv.ts";

/** A request the guest refused or could not carry out. */
export class GuestRefused extends Error {
  override readonly name = "GuestRefused";
  /** Linux error number in the guest. */
  readonly errno: number;
  readonly operation: Operation;
  constructor(operation: Operation, errno: number, text: string) {
    super(text);
    this.operation = operation;
    this.errno = errno;
  }
}

/** The channel is no longer there: the machine ended, or the guest broke the protocol (then `cause` says how). */
export class ChannelClosed extends Error {
  override readonly name = "ChannelClosed";
}

/** What a request takes and gives. */
export type RequestOf<O extends Operation> = Given<(typeof operations)[O]["request"]["fields"]>;
/** What a request gives back. */
export type ReplyOf<O extends Operation> = Taken<(typeof operations)[O]["reply"]["fields"]>;
/** The guest's first words. */
export type GuestHello = Taken<(typeof Hello)["fields"]>;
/** How a container or session is or ended. */
export type Report = Given<(typeof ContainerReport)["fields"]>;

/** What the guest says unasked. */
export interface GuestEvents {
  exited(report: Report): void;
  oom(stream: number): void;
  goodbye(): void;
  /** Once, and last. */
  closed(reason: ChannelClosed): void;
}

interface Pending {
  readonly operation: Operation;
  readonly resolve: (reply: Buffer) => void;
  readonly reject: (error: Error) => void;
}

/** Most unasked frames at once, and how many more for each second: beyond lies abuse. */
const eventBurst = 1000;
const eventsPerSecond = 200;
const sessionLength = 16;

/** One conversation with a guest, over one connection to its port. */
export class Session implements StreamPort {
  /** What the guest was when the conversation began. */
  readonly hello: GuestHello;
  readonly #socket: Duplex;
  readonly #reader: FrameReader;
  readonly #pending = new Map<number, Pending>();
  readonly #streams = new Map<number, StreamSink>();
  readonly #events: GuestEvents;
  readonly #clock: Clock;
  #partial: Buffer[] = [];
  #partialLength = 0;
  #lastId = 0;
  #lastStream = 0;
  #tokens = eventBurst;
  #tokensAtMs: number;
  #closed: ChannelClosed | undefined;

  private constructor(socket: Duplex, answer: Answer, options: { events: GuestEvents; clock: Clock }) {
    this.#socket = socket;
    this.#reader = answer.reader;
    const hello = decode(Hello, answer.hello);
    this.hello = hello;
    this.#events = options.events;
    this.#clock = options.clock;
    this.#tokensAtMs = options.clock.monotonicMs();
    for (const each of hello.containers) this.#lastStream = Math.max(this.#lastStream, each.stream ?? 0);
  }

  /**
   * Begins a conversation.
   * @param socket connected to the machine's channel socket
   * @param options.takeOver somebody may have talked to this guest before: says hello so that it is understood
   * @param options.signal gives up waiting for the guest's answer
   * @throws {ChannelClosed} the guest ended, speaks another version, or did not answer in time
   */
  static async open(
    socket: Duplex,
    options: { events: GuestEvents; takeOver?: boolean; clock?: Clock; signal?: AbortSignal },
  ): Promise<Session> {
    const nonce = randomBytes(sessionLength);
    const body = encode(Hello, { session: nonce, protocol: protocolVersion });
    // Half a frame of a predecessor is completed by the padding, at most one frame long; zeros between frames are skipped.
    const padding = options.takeOver === true ? Buffer.alloc(headerLength + maxPayload) : Buffer.alloc(0);
    socket.write(Buffer.concat([padding, encodeHeader("hello", 0, { stream: 0, length: body.length }), body]));
    const answer = await awaitHello(socket, nonce, options.signal);
    const session = new Session(socket, answer, { events: options.events, clock: options.clock ?? systemClock });
    const { protocol } = session.hello;
    if (protocol !== protocolVersion) {
      socket.destroy();
      throw new ChannelClosed(`the guest speaks version ${protocol} of the protocol, not ${protocolVersion}`);
    }
    session.#listen(answer.early);
    return session;
  }

  #listen(early: readonly Frame[]): void {
    this.#socket.on("data", (bytes: Buffer) => this.#take(bytes));
    this.#socket.on("error", (error) => this.#close(new ChannelClosed("channel failed", { cause: error })));
    this.#socket.on("end", () => this.#close(new ChannelClosed("channel ended")));
    this.#socket.on("close", () => this.#close(new ChannelClosed("channel ended")));
    if (this.#socket.destroyed) this.#close(new ChannelClosed("channel ended"));
    this.#guard(() => early.forEach((frame) => this.#dispatch(frame)));
    this.#socket.resume();
  }

  /** Why the session is over; undefined while it lasts. */
  get closed(): ChannelClosed | undefined {
    return this.#closed;
  }

  /**
   * Asks the guest for something. Requests are carried out in the order they are made, so a later one may rely on an
   * earlier one without waiting for its reply.
   * @throws {GuestRefused} what the guest says
   * @throws {ChannelClosed}
   */
  async request<O extends Operation>(operation: O, given: RequestOf<O>): Promise<ReplyOf<O>> {
    if (this.#closed !== undefined) throw this.#closed;
    const { number, request, reply } = operations[operation];
    const id = this.#nextId();
    const head = Buffer.allocUnsafe(8);
    head.writeUInt32LE(id, 0);
    head.writeUInt32LE(number, 4);
    const body = Buffer.concat([head, encode(request, given as never)]);
    if (body.length > limits.requestBytes) throw new RangeError(`${operation} of ${body.length} bytes is too long`);
    const answer = new Promise<Buffer>((resolve, reject) => this.#pending.set(id, { operation, resolve, reject }));
    this.#sendParts("request", body);
    return decode(reply, await answer) as ReplyOf<O>;
  }

  #nextId(): number {
    do this.#lastId = (this.#lastId % 0xffff_ffff) + 1;
    while (this.#pending.has(this.#lastId));
    return this.#lastId;
  }

  /** Reserves a stream number and says who takes its frames. */
  addStream(make: (number: number) => StreamSink): void {
    do this.#lastStream = (this.#lastStream % 0xffff) + 1;
    while (this.#streams.has(this.#lastStream));
    this.setStream(this.#lastStream, make(this.#lastStream));
  }

  /** Says who takes the frames of a stream that the guest has already. */
  setStream(number: number, sink: StreamSink): void {
    this.#streams.set(number, sink);
    if (this.#closed !== undefined) sink.cut(this.#closed);
  }

  /** Forgets a stream; its frames are dropped from now on. */
  dropStream(number: number): void {
    this.#streams.delete(number);
  }

  /** Ends the conversation; the guest goes on. */
  close(): void {
    this.#close(new ChannelClosed("closed by the host"));
  }

  // ---- StreamPort

  data(stream: number, sub: number, bytes: Buffer): void {
    for (let at = 0; at < bytes.length; at += maxPayload)
      this.#send("data", { flags: sub, stream }, bytes.subarray(at, at + maxPayload));
  }

  end(stream: number, sub: number): void {
    this.#send("eof", { flags: sub, stream }, Buffer.alloc(0));
  }

  credit(stream: number, limit: bigint): void {
    this.#sendNumber("credit", stream, limit);
  }

  acknowledge(stream: number, offset: bigint): void {
    this.#sendNumber("ack", stream, offset);
  }

  #sendNumber(type: FrameType, stream: number, value: bigint): void {
    const body = Buffer.allocUnsafe(8);
    body.writeBigUInt64LE(value);
    this.#send(type, { flags: 0, stream }, body);
  }

  #sendParts(type: FrameType, body: Buffer): void {
    for (let at = 0; at === 0 || at < body.length; at += maxPayload) {
      const part = body.subarray(at, at + maxPayload);
      this.#send(type, { flags: at + part.length < body.length ? moreFlag : 0, stream: 0 }, part);
    }
  }

  #send(type: FrameType, { flags, stream }: { flags: number; stream: number }, payload: Buffer): void {
    if (this.#closed !== undefined) return;
    this.#socket.cork();
    this.#socket.write(encodeHeader(type, flags, { stream, length: payload.length }));
    if (payload.length > 0) this.#socket.write(payload);
    this.#socket.uncork();
  }

  // ---- from the guest

  #take(bytes: Buffer): void {
    this.#guard(() => {
      for (const frame of this.#reader.push(bytes)) this.#dispatch(frame);
    });
  }

  /** Cuts the session when the guest breaks the protocol. */
  #guard(act: () => void): void {
    if (this.#closed !== undefined) return;
    try {
      act();
    } catch (error) {
      this.#close(new ChannelClosed(`the guest broke the protocol: ${(error as Error).message}`, { cause: error }));
    }
  }

  #dispatch(frame: Frame): void {
    const sink = this.#streams.get(frame.stream);
    switch (frame.type) {
      case "reply":
        return this.#takeReply(frame);
      case "event":
        return this.#takeEvent(frame.payload);
      case "data":
        // A stream that was just dropped may still send a little.
        return sink === undefined ? this.#spend() : sink.takeData(frame.flags, Buffer.from(frame.payload));
      case "eof":
        this.#spend();
        return sink?.takeEnd(frame.flags);
      case "credit":
        if (frame.payload.length !== 8) throw new ProtocolBroken("credit of a wrong size");
        if (sink?.takeCredit(frame.payload.readBigUInt64LE()) !== true) this.#spend();
        return undefined;
      case "hello":
      case "request":
      case "ack":
        throw new ProtocolBroken(`unexpected ${frame.type}`);
    }
  }

  #takeReply(frame: Frame): void {
    this.#partialLength += frame.payload.length;
    if (this.#partialLength > limits.replyBytes + 8) throw new ProtocolBroken("reply is too long");
    this.#partial.push(Buffer.from(frame.payload));
    if ((frame.flags & moreFlag) !== 0) return;
    const reply = Buffer.concat(this.#partial);
    this.#partial = [];
    this.#partialLength = 0;
    if (reply.length < 8) throw new ProtocolBroken("reply without a head");
    const id = reply.readUInt32LE(0);
    const pending = this.#pending.get(id);
    if (pending === undefined) throw new ProtocolBroken("reply to nothing");
    this.#pending.delete(id);
    const errno = reply.readUInt32LE(4);
    if (errno === 0) return pending.resolve(reply.subarray(8));
    const text = decode(Failure, reply.subarray(8)).text ?? `error ${errno}`;
    pending.reject(new GuestRefused(pending.operation, errno, text));
  }

  #takeEvent(payload: Buffer): void {
    this.#spend();
    if (payload.length < 4) throw new ProtocolBroken("event without a head");
    const body = payload.subarray(4);
    switch (payload.readUInt32LE(0)) {
      case events.exited.number:
        return this.#events.exited(decode(ContainerReport, body));
      case events.oom.number:
        return this.#events.oom(decode(StreamName, body).stream ?? 0);
      case events.goodbye.number:
        return this.#events.goodbye();
      default:
        return undefined; // a newer guest may say more
    }
  }

  #spend(): void {
    const nowMs = this.#clock.monotonicMs();
    const earned = ((nowMs - this.#tokensAtMs) / 1000) * eventsPerSecond;
    this.#tokens = Math.min(eventBurst, this.#tokens + earned) - 1;
    this.#tokensAtMs = nowMs;
    if (this.#tokens < 0) throw new ProtocolBroken("too many events");
  }

  #close(reason: ChannelClosed): void {
    if (this.#closed !== undefined) return;
    this.#closed = reason;
    this.#socket.destroy();
    for (const { reject } of this.#pending.values()) reject(reason);
    this.#pending.clear();
    for (const sink of this.#streams.values()) sink.cut(reason);
    this.#streams.clear();
    this.#events.closed(reason);
  }
}

/** The guest's hello, what came right behind it, and the reader that goes on from there. */
interface Answer {
  readonly hello: Buffer;
  readonly early: readonly Frame[];
  readonly reader: FrameReader;
}

/** Reads up to the guest's hello, past whatever was still under way to a predecessor. */
async function awaitHello(socket: Duplex, nonce: Buffer, signal: AbortSignal | undefined): Promise<Answer> {
  const finder = new HelloFinder(nonce);
  return await new Promise((resolve, reject) => {
    const settle = (act: () => void) => {
      socket.off("data", take).off("close", ended).off("error", ended);
      signal?.removeEventListener("abort", aborted);
      act();
    };
    const take = (bytes: Buffer) => {
      try {
        const found = finder.push(bytes);
        if (found === undefined) return;
        socket.pause();
        settle(() => resolve(found));
      } catch (error) {
        socket.destroy();
        settle(() => reject(new ChannelClosed("no hello from the guest", { cause: error })));
      }
    };
    const ended = (error?: Error | boolean) =>
      settle(() => reject(new ChannelClosed("channel ended before the guest's hello", { cause: error })));
    const aborted = () => {
      socket.destroy();
      settle(() => reject(new ChannelClosed("the guest did not answer in time", { cause: signal?.reason })));
    };
    socket.on("data", take).on("close", ended).on("error", ended);
    signal?.addEventListener("abort", aborted, { once: true });
    if (signal?.aborted === true) aborted();
  });
}

/** The guest's hello begins with our random number; everything before it was meant for somebody else. */
class HelloFinder {
  readonly #pattern: Buffer;
  #seen: Buffer = Buffer.alloc(0);
  #reader: FrameReader | undefined;
  #parts: Buffer[] = [];
  #length = 0;

  constructor(nonce: Buffer) {
    this.#pattern = encode(Hello, { session: nonce });
  }

  push(bytes: Buffer): Answer | undefined {
    if (this.#reader !== undefined) return this.#continue(this.#reader, bytes);
    this.#seen = Buffer.concat([this.#seen, bytes]);
    const at = this.#seen.indexOf(this.#pattern);
    const keep = headerLength + this.#pattern.length - 1;
    if (at < headerLength || this.#seen[at - headerLength] !== frameTypes.hello) {
      if (at < 0) this.#seen = Buffer.from(this.#seen.subarray(Math.max(0, this.#seen.length - keep)));
      return undefined;
    }
    this.#reader = new FrameReader();
    return this.#continue(this.#reader, this.#seen.subarray(at - headerLength));
  }

  #continue(reader: FrameReader, bytes: Buffer): Answer | undefined {
    const frames = reader.push(bytes);
    for (const [index, frame] of frames.entries()) {
      if (frame.type !== "hello") throw new ProtocolBroken(`${frame.type} instead of hello`);
      this.#parts.push(Buffer.from(frame.payload));
      this.#length += frame.payload.length;
      if (this.#length > limits.requestBytes) throw new ProtocolBroken("hello is too long");
      if ((frame.flags & moreFlag) !== 0) continue;
      return { hello: Buffer.concat(this.#parts), early: frames.slice(index + 1), reader };
    }
    return undefined;
  }
}

/**
 * Host side of a stream: credit in both directions. A guest that sends beyond its credit has broken the protocol; a
 * consumer that does not read stops the guest, not the host.
 * Source: docs/crx-protocol.md, "Streams and credit".
 */
import { ProtocolBroken } from "./frame.ts";
import { Inbox } from "./inbox.ts";
import { limits, logRecordHeader, subStreams } from "./messages.ts";

/** How a stream puts frames on the channel. */
export interface StreamPort {
  data(stream: number, sub: number, bytes: Buffer): void;
  end(stream: number, sub: number): void;
  credit(stream: number, limit: bigint): void;
  acknowledge(stream: number, offset: bigint): void;
}

/** Which output bytes came from. */
export type Source = "output" | "errors";

/** Some bytes a process wrote, or a connection delivered. */
export interface Chunk {
  readonly source: Source;
  readonly bytes: Buffer;
}

/** Most output the guest may send ahead of its reader, in bytes. */
export const outputWindow = 256 << 10;

/** What the channel does with frames of a stream. */
export interface StreamSink {
  takeData(sub: number, bytes: Buffer): void;
  takeEnd(sub: number): void;
  /** False for credit that is not worth a frame; the channel counts those. */
  takeCredit(limit: bigint): boolean;
  cut(error: Error): void;
}

/** Input of a stream: what the host sends. */
export class StreamInput {
  readonly #port: StreamPort;
  readonly #number: number;
  #sent = 0n;
  #limit = BigInt(limits.inputWindow);
  #waiting: (() => void) | undefined;
  #closed = false;

  constructor(port: StreamPort, number: number) {
    this.#port = port;
    this.#number = number;
  }

  /** Sends bytes; resolves when the guest has had room for all of them, or the stream is gone. One call at a time. */
  async write(bytes: Uint8Array): Promise<void> {
    let rest = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    while (rest.length > 0 && !this.#closed) {
      const room = Number(this.#limit - this.#sent);
      if (room === 0) {
        await new Promise<void>((resolve) => {
          this.#waiting = resolve;
        });
        continue;
      }
      const part = rest.subarray(0, Math.min(room, rest.length));
      this.#port.data(this.#number, subStreams.input, part);
      this.#sent += BigInt(part.length);
      rest = rest.subarray(part.length);
    }
  }

  /** There will be no more input. */
  end(): void {
    if (!this.#closed) this.#port.end(this.#number, subStreams.input);
    this.close();
  }

  /** Credit from the guest, which can be given only for what was sent. */
  grant(limit: bigint): boolean {
    if (limit > this.#sent + BigInt(limits.inputWindow)) throw new ProtocolBroken("more credit than there can be");
    const gained = limit - this.#limit;
    if (gained > 0n) this.#limit = limit;
    this.#waiting?.();
    return gained >= BigInt(limits.inputWindow / 4);
  }

  /** The stream is gone; writes that wait are given up. */
  close(): void {
    this.#closed = true;
    this.#waiting?.();
  }
}

/** Bytes both ways: an exec session or a connection. */
export class ByteStream implements StreamSink, AsyncIterable<Chunk> {
  readonly number: number;
  readonly input: StreamInput;
  readonly #port: StreamPort;
  readonly #inbox = new Inbox<Chunk>();
  readonly #open = new Set<number>();
  #received = 0n;
  #consumed = 0n;
  #limit = 0n;

  /** @param outputs how many outputs the guest will end */
  constructor(port: StreamPort, number: number, outputs: 1 | 2) {
    this.#port = port;
    this.number = number;
    this.input = new StreamInput(port, number);
    for (let sub = 1; sub <= outputs; sub++) this.#open.add(sub);
  }

  /** Lets the guest send; once the stream exists there. */
  open(): void {
    this.#limit = BigInt(outputWindow);
    this.#port.credit(this.number, this.#limit);
  }

  takeData(sub: number, bytes: Buffer): void {
    this.#received += BigInt(bytes.length);
    if (this.#received > this.#limit || !this.#open.has(sub)) throw new ProtocolBroken("data without credit");
    this.#inbox.push({ source: sub === subStreams.output ? "output" : "errors", bytes });
  }

  takeEnd(sub: number): void {
    this.#open.delete(sub);
    if (this.#open.size === 0) this.finish();
  }

  takeCredit(limit: bigint): boolean {
    return this.input.grant(limit);
  }

  /** Nothing more comes; what has come can still be read. */
  finish(): void {
    this.#inbox.end();
  }

  cut(error: Error): void {
    this.input.close();
    this.#inbox.end(error);
  }

  /** What the other side sends, to its end. @throws the reason why the channel was cut */
  async *[Symbol.asyncIterator](): AsyncGenerator<Chunk> {
    for await (const chunk of this.#inbox) {
      yield chunk;
      this.#consumed += BigInt(chunk.bytes.length);
      const limit = this.#consumed + BigInt(outputWindow);
      if (limit - this.#limit < BigInt(outputWindow / 4)) continue;
      this.#limit = limit;
      this.#port.credit(this.number, limit);
    }
  }
}

/** Something a container wrote. */
export interface LogRecord {
  /** By the guest's clock, which the host sets. */
  readonly timeNs: bigint;
  readonly source: Source;
  readonly bytes: Buffer;
  /** Offset behind this record: acknowledge it once the record is safe. */
  readonly end: bigint;
}

/** A container's output. It stays in the guest until it is acknowledged. */
export class LogStream implements StreamSink, AsyncIterable<LogRecord> {
  readonly number: number;
  readonly input: StreamInput;
  readonly #port: StreamPort;
  readonly #inbox = new Inbox<LogRecord>();
  #rest: Buffer = Buffer.alloc(0);
  #offset = 0n;
  #received = 0n;
  #limit = 0n;

  constructor(port: StreamPort, number: number) {
    this.#port = port;
    this.number = number;
    this.input = new StreamInput(port, number);
  }

  /** The guest begins at this offset. */
  open(offset: bigint): void {
    this.#offset = offset;
    this.#received = offset;
    this.#limit = offset + BigInt(outputWindow);
    this.#port.credit(this.number, this.#limit);
  }

  /** Offset behind the last record that was read. */
  get offset(): bigint {
    return this.#offset;
  }

  /** The guest may forget everything before this offset. */
  acknowledge(offset: bigint): void {
    this.#port.acknowledge(this.number, offset);
  }

  takeData(sub: number, bytes: Buffer): void {
    this.#received += BigInt(bytes.length);
    if (this.#received > this.#limit || sub !== subStreams.output) throw new ProtocolBroken("log without credit");
    let data = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    while (data.length >= logRecordHeader) {
      const length = logRecordHeader + data.readUInt16LE(10);
      if (data.length < length) break;
      this.#offset += BigInt(length);
      this.#inbox.push(this.#record(data.subarray(0, length)));
      data = data.subarray(length);
    }
    this.#rest = data;
  }

  #record(data: Buffer): LogRecord {
    const source = data[8];
    if (source !== 1 && source !== 2) throw new ProtocolBroken("log record of no source");
    return {
      timeNs: data.readBigUInt64LE(0),
      source: source === 1 ? "output" : "errors",
      bytes: data.subarray(logRecordHeader),
      end: this.#offset,
    };
  }

  takeEnd(): void {
    this.#inbox.end();
  }

  takeCredit(limit: bigint): boolean {
    return this.input.grant(limit);
  }

  cut(error: Error): void {
    this.input.close();
    this.#inbox.end(error);
  }

  /** Records to the end of the container's output. @throws the reason why the channel was cut */
  async *[Symbol.asyncIterator](): AsyncGenerator<LogRecord> {
    for await (const record of this.#inbox) {
      yield record;
      const limit = record.end + BigInt(outputWindow);
      if (limit - this.#limit < BigInt(outputWindow / 4)) continue;
      this.#limit = limit;
      this.#port.credit(this.number, limit);
    }
  }
}

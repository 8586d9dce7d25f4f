/**
 * SPDY/3.1 frames as bytes.
 *
 *     data      0 stream(31) | flags(8) length(24) | bytes
 *     control   1 version(15) type(16) | flags(8) length(24) | payload
 *
 * Source: https://www.chromium.org/spdy/spdy-protocol/spdy-protocol-draft3-1/
 */

/** Control frames that have a meaning here. */
export const controlTypes = { synStream: 1, synReply: 2, rstStream: 3, ping: 6, goAway: 7, windowUpdate: 9 } as const;

/** The last frame of its side. */
export const finFlag = 1;
const version = 3;
const headerLength = 8;
/** Control frames carry headers and numbers. */
const largestControl = 64 << 10;
/** A length has 24 bits; we keep well below. */
const largestData = 1 << 20;

/** One frame. `type` 0 is data, and `stream` its stream; what came of a data frame so far is one of its own. */
export interface Frame {
  readonly type: number;
  readonly stream: number;
  readonly flags: number;
  readonly payload: Buffer;
}

/** The other side does not speak SPDY/3.1. */
export class NotSpdy extends Error {
  override readonly name = "NotSpdy";
}

/** Bytes as data frames, in pieces that any reader takes. */
export function dataFrames(stream: number, bytes: Uint8Array): Buffer {
  if (bytes.length <= largestData) return dataFrame(stream, bytes, false);
  const frames: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += largestData) {
    frames.push(dataFrame(stream, bytes.subarray(at, at + largestData), false));
  }
  return Buffer.concat(frames);
}

/** One data frame; fewer than 2^24 bytes. */
export function dataFrame(stream: number, bytes: Uint8Array, fin: boolean): Buffer {
  const head = Buffer.alloc(headerLength);
  head.writeUInt32BE(stream & 0x7fffffff, 0);
  head.writeUInt32BE(((fin ? finFlag : 0) << 24) | bytes.length, 4);
  return Buffer.concat([head, bytes]);
}

/** A control frame. */
export function controlFrame(type: number, payload: Uint8Array, flags = 0): Buffer {
  const head = Buffer.alloc(headerLength);
  head.writeUInt16BE(0x8000 | version, 0);
  head.writeUInt16BE(type, 2);
  head.writeUInt32BE(((flags << 24) | payload.length) >>> 0, 4);
  return Buffer.concat([head, payload]);
}

/** Numbers of 32 bits, one after the other. */
export function numbers(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  values.forEach((value, at) => bytes.writeUInt32BE(value >>> 0, at * 4));
  return bytes;
}

/** A frame whose head has come. */
interface Begun {
  readonly first: number;
  readonly flags: number;
  /** Bytes that have not come yet. */
  left: number;
  /** Of a control frame. */
  readonly parts: Buffer[];
}

/** Takes bytes as they come. Control frames come out whole, data at once: nothing large is kept. */
export class FrameReader {
  #head: Buffer = Buffer.alloc(0);
  #begun: Begun | undefined;

  /** @throws {NotSpdy} */
  *take(bytes: Buffer): Generator<Frame> {
    let rest = bytes;
    for (;;) {
      if (this.#begun === undefined) {
        rest = this.#begin(rest);
        if (this.#begun === undefined) return;
      }
      const begun: Begun = this.#begun;
      if (rest.length === 0 && begun.left > 0) return;
      const piece = rest.subarray(0, begun.left);
      rest = rest.subarray(piece.length);
      begun.left -= piece.length;
      const isWhole = begun.left === 0;
      if (isWhole) this.#begun = undefined;
      if (begun.first < 0x80000000) {
        yield { type: 0, stream: begun.first, flags: isWhole ? begun.flags : 0, payload: piece };
        continue;
      }
      begun.parts.push(piece);
      if (isWhole) yield control(begun);
    }
  }

  /** @returns what follows the head @throws {NotSpdy} */
  #begin(bytes: Buffer): Buffer {
    const missing = headerLength - this.#head.length;
    const head = Buffer.concat([this.#head, bytes.subarray(0, missing)]);
    if (head.length < headerLength) {
      this.#head = head;
      return bytes.subarray(bytes.length);
    }
    this.#head = Buffer.alloc(0);
    const first = head.readUInt32BE(0);
    const left = head.readUIntBE(5, 3);
    if (first >= 0x80000000) {
      if (((first >>> 16) & 0x7fff) !== version) throw new NotSpdy("a frame is not of SPDY/3");
      if (left > largestControl) throw new NotSpdy("a control frame is too large");
    }
    this.#begun = { first, flags: head[4] ?? 0, left, parts: [] };
    return bytes.subarray(missing);
  }
}

function control({ first, flags, parts }: Begun): Frame {
  const payload = Buffer.concat(parts);
  const stream = payload.length >= 4 ? payload.readUInt32BE(0) & 0x7fffffff : 0;
  return { type: first & 0xffff, stream, flags, payload };
}

/** Headers as bytes, not compressed. */
export function headerBlock(headers: Readonly<Record<string, string>>): Buffer {
  const parts: Buffer[] = [numbers(Object.keys(headers).length)];
  for (const [name, value] of Object.entries(headers)) {
    for (const text of [Buffer.from(name), Buffer.from(value)]) parts.push(numbers(text.length), text);
  }
  return Buffer.concat(parts);
}

const mostHeaders = 64;

/** Headers from bytes; names are lower case. @throws {NotSpdy} */
export function readHeaderBlock(block: Buffer): ReadonlyMap<string, string> {
  let at = 0;
  const number = () => {
    if (at + 4 > block.length) throw new NotSpdy("headers end too early");
    at += 4;
    return block.readUInt32BE(at - 4);
  };
  const text = () => {
    const length = number();
    if (at + length > block.length) throw new NotSpdy("headers end too early");
    at += length;
    return block.toString("utf8", at - length, at);
  };
  const count = number();
  if (count > mostHeaders) throw new NotSpdy("too many headers");
  const headers = new Map<string, string>();
  for (let i = 0; i < count; i++) headers.set(text().toLowerCase(), text());
  return headers;
}

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
/** Nobody of ours sends larger ones; a larger one is no SPDY. */
const largestFrame = 1 << 24;

/** One frame. `type` 0 is data, and `stream` its stream. */
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

/** A data frame. */
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

/** Takes bytes as they come, and gives frames as they are whole. */
export class FrameReader {
  #rest: Buffer = Buffer.alloc(0);

  /** @throws {NotSpdy} */
  *take(bytes: Buffer): Generator<Frame> {
    this.#rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    while (this.#rest.length >= headerLength) {
      const first = this.#rest.readUInt32BE(0);
      const flags = this.#rest[4] ?? 0;
      const length = this.#rest.readUIntBE(5, 3);
      if (this.#rest.length < headerLength + length) return;
      const payload = this.#rest.subarray(headerLength, headerLength + length);
      this.#rest = this.#rest.subarray(headerLength + length);
      yield this.#frame(first, flags, payload);
    }
    if (this.#rest.length > largestFrame) throw new NotSpdy("a frame is too large");
  }

  #frame(first: number, flags: number, payload: Buffer): Frame {
    if (first < 0x80000000) return { type: 0, stream: first, flags, payload };
    if (((first >>> 16) & 0x7fff) !== version) throw new NotSpdy("a frame is not of SPDY/3");
    return {
      type: first & 0xffff,
      stream: payload.length >= 4 ? payload.readUInt32BE(0) & 0x7fffffff : 0,
      flags,
      payload,
    };
  }
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

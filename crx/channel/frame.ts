/**
 * Frames of the channel between host and guest: an eight-byte header and at most `maxPayload` bytes. The reader
 * trusts nothing: the other side is a guest that may be hostile.
 * Source: docs/crx-protocol.md, "Frames".
 */

/** Version of the whole protocol; both sides must have the same. */
export const protocolVersion = 1;

/** Longest payload of a frame in bytes; header and payload fit one write of the guest's port driver. */
export const maxPayload = 32_760;

/** Bytes before every payload: type u8, flags u8, stream u16, length u32, little-endian. */
export const headerLength = 8;

/** Frame types. A zero byte where a frame should begin is padding, one byte long. */
export const frameTypes = {
  hello: 1,
  request: 2,
  reply: 3,
  event: 4,
  data: 5,
  eof: 6,
  credit: 7,
  ack: 8,
} as const;

/** Name of a frame type. */
export type FrameType = keyof typeof frameTypes;

/** Set in the flags of a request or reply whose payload goes on in the next frame of the same type. */
export const moreFlag = 0x80;

/** One frame. The flags of data and eof frames are the number of the sub-stream. */
export interface Frame {
  readonly type: FrameType;
  readonly flags: number;
  /** 0 for the session itself, otherwise the stream's number, 1 to 65535. */
  readonly stream: number;
  readonly payload: Buffer;
}

/** The guest broke the protocol; the channel is cut and the machine is not to be trusted. */
export class ProtocolBroken extends Error {
  override readonly name = "ProtocolBroken";
}

const typeNames = new Map<number, FrameType>(
  Object.entries(frameTypes).map(([name, number]) => [number, name as FrameType]),
);

/** The bytes of a frame's header. */
export function encodeHeader(type: FrameType, flags: number, address: { stream: number; length: number }): Buffer {
  const header = Buffer.allocUnsafe(headerLength);
  header[0] = frameTypes[type];
  header[1] = flags;
  header.writeUInt16LE(address.stream, 2);
  header.writeUInt32LE(address.length, 4);
  return header;
}

/** A whole frame in one buffer. */
export function encodeFrame(frame: Frame): Buffer {
  const address = { stream: frame.stream, length: frame.payload.length };
  return Buffer.concat([encodeHeader(frame.type, frame.flags, address), frame.payload]);
}

/** Cuts a byte stream into frames; holds at most one unfinished frame. */
export class FrameReader {
  #rest: Buffer = Buffer.alloc(0);

  /**
   * Takes the next bytes.
   * @returns the frames that became complete; their payloads may share memory with `bytes`
   * @throws {ProtocolBroken} unknown type or a length over the limit
   */
  push(bytes: Buffer): readonly Frame[] {
    let data = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    const frames: Frame[] = [];
    for (;;) {
      data = skipPadding(data);
      if (data.length < headerLength) break;
      const length = data.readUInt32LE(4);
      const type = typeNames.get(data[0] ?? 0);
      if (type === undefined) throw new ProtocolBroken(`unknown frame type ${data[0]}`);
      if (length > maxPayload) throw new ProtocolBroken(`frame of ${length} bytes`);
      if (data.length < headerLength + length) break;
      const payload = data.subarray(headerLength, headerLength + length);
      frames.push({ type, flags: data[1] ?? 0, stream: data.readUInt16LE(2), payload });
      data = data.subarray(headerLength + length);
    }
    this.#rest = data;
    return frames;
  }
}

function skipPadding(data: Buffer): Buffer {
  let at = 0;
  while (at < data.length && data[at] === 0) at++;
  return at === 0 ? data : data.subarray(at);
}

/**
 * Reading protobuf's wire format.
 * Source: protobuf.dev/programming-guides/encoding
 */

/** Bytes that are no protobuf message. */
export class WireError extends Error {
  override readonly name = "WireError";
}

/** One field as it stands on the wire: varints and fixed numbers as bigint, the rest as bytes. */
export interface WireField {
  readonly number: number;
  readonly value: bigint | Uint8Array;
  /** Fixed 64-bit: a double, perhaps. */
  readonly fixed64: boolean;
}

const longestVarint = 10;

/**
 * The fields of a message, in order.
 * @throws {WireError}
 */
export function* readFields(bytes: Uint8Array): Generator<WireField> {
  const reader = new Reader(bytes);
  while (!reader.done) {
    const key = Number(reader.varint());
    const number = Math.floor(key / 8);
    if (number === 0) throw new WireError("field number 0");
    yield { number, fixed64: key % 8 === 1, value: reader.value(key % 8) };
  }
}

class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length;
  }

  value(wireType: number): bigint | Uint8Array {
    switch (wireType) {
      case 0:
        return this.varint();
      case 1:
        return this.#fixed(8);
      case 2:
        return this.#take(Number(this.varint()));
      case 5:
        return this.#fixed(4);
      default:
        throw new WireError(`wire type ${wireType}`);
    }
  }

  varint(): bigint {
    let value = 0n;
    for (let i = 0; i < longestVarint; i++) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) throw new WireError("unexpected end");
      value |= BigInt(byte & 0x7f) << BigInt(7 * i);
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw new WireError("a varint is longer than 10 bytes");
  }

  #fixed(length: number): bigint {
    const bytes = this.#take(length);
    let value = 0n;
    for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i] ?? 0);
    return value;
  }

  #take(length: number): Uint8Array {
    if (length > this.#bytes.length - this.#at) throw new WireError("unexpected end");
    const start = this.#at;
    this.#at += length;
    return this.#bytes.subarray(start, this.#at);
  }
}

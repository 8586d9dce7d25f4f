/**
 * Messages inside frames: a run of fields, each a tag (u16), a length (u32) and that many bytes. Unknown tags are
 * skipped, so either side may be newer within one protocol version.
 * Source: docs/crx-protocol.md, "Messages".
 */
import { ProtocolBroken } from "./frame.ts";

/** How one value is written as bytes. */
export interface Codec<T> {
  encode(value: T): Buffer;
  decode(bytes: Buffer): T;
}

/** One field of a message. */
export interface Field<T, Many extends boolean> {
  readonly tag: number;
  readonly codec: Codec<T>;
  readonly many: Many;
}

/** Fields of a message by name. */
export type Fields = Readonly<Record<string, Field<unknown, boolean>>>;

/** A kind of message. The names are also those of the C constants. */
export interface Message<F extends Fields = Fields> {
  readonly name: string;
  readonly fields: F;
}

/** What is given to encode: everything may be left out. */
export type Given<F extends Fields> = {
  readonly [K in keyof F]?: F[K] extends Field<infer T, infer Many>
    ? (Many extends true ? readonly T[] : T) | undefined
    : never;
};

/** What decoding returns: repeated fields are always lists. */
export type Taken<F extends Fields> = {
  readonly [K in keyof F]: F[K] extends Field<infer T, infer Many>
    ? Many extends true
      ? readonly T[]
      : T | undefined
    : never;
};

/** Most values of one repeated field that are accepted from a guest. */
const mostRepeats = 4096;

/** UTF-8 text; damaged bytes are read as U+FFFD. */
export const text: Codec<string> = {
  encode: (value) => Buffer.from(value, "utf8"),
  decode: (bytes) => bytes.toString("utf8"),
};

/** Bytes as they are. Decoding copies, so that a small field does not keep a large buffer alive. */
export const bytes: Codec<Uint8Array> = {
  encode: (value) => Buffer.from(value),
  decode: (value) => Buffer.from(value),
};

/** Unsigned, 32 bits. */
export const u32: Codec<number> = {
  encode(value) {
    const out = Buffer.allocUnsafe(4);
    out.writeUInt32LE(value);
    return out;
  },
  decode: (value) => sized(value, 4).readUInt32LE(),
};

/** Signed, 32 bits. */
export const i32: Codec<number> = {
  encode(value) {
    const out = Buffer.allocUnsafe(4);
    out.writeInt32LE(value);
    return out;
  },
  decode: (value) => sized(value, 4).readInt32LE(),
};

/** Unsigned, 64 bits. */
export const u64: Codec<bigint> = {
  encode(value) {
    const out = Buffer.allocUnsafe(8);
    out.writeBigUInt64LE(value);
    return out;
  },
  decode: (value) => sized(value, 8).readBigUInt64LE(),
};

/** Present and not zero, or false. */
export const flag: Codec<boolean> = {
  encode: (value) => Buffer.from([value ? 1 : 0]),
  decode: (value) => sized(value, 1)[0] !== 0,
};

function sized(value: Buffer, length: number): Buffer {
  if (value.length !== length) throw new ProtocolBroken(`field of ${value.length} bytes, ${length} expected`);
  return value;
}

/** A field that occurs at most once; the last one counts. */
export const one = <T>(tag: number, codec: Codec<T>): Field<T, false> => ({ tag, codec, many: false });

/** A field that may be repeated. */
export const many = <T>(tag: number, codec: Codec<T>): Field<T, true> => ({ tag, codec, many: true });

/** Names a message. */
export function defineMessage<const F extends Record<string, Field<unknown, boolean>>>(
  name: string,
  fields: F,
): Message<F> {
  return { name, fields };
}

/** A message as the value of a field. */
export function nested<F extends Fields>(message: Message<F>): Codec<Given<F>> {
  return {
    encode: (value) => encode(message, value),
    decode: (value) => decode(message, value) as Given<F>,
  };
}

/** The bytes of a message. */
export function encode<F extends Fields>(message: Message<F>, given: Given<F>): Buffer {
  const chunks: Buffer[] = [];
  for (const [name, field] of Object.entries(message.fields)) {
    const value = given[name];
    if (value === undefined) continue;
    for (const each of field.many ? (value as readonly unknown[]) : [value]) {
      const body = field.codec.encode(each);
      const head = Buffer.allocUnsafe(6);
      head.writeUInt16LE(field.tag, 0);
      head.writeUInt32LE(body.length, 2);
      chunks.push(head, body);
    }
  }
  return Buffer.concat(chunks);
}

/**
 * Reads a message.
 * @throws {ProtocolBroken} a field is longer than the message, has the wrong size or is repeated too often
 */
export function decode<F extends Fields>(message: Message<F>, data: Buffer): Taken<F> {
  const names = new Map(Object.entries(message.fields).map(([name, field]) => [field.tag, name]));
  const taken: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(message.fields)) taken[name] = field.many ? [] : undefined;
  for (const { tag, body } of fieldsOf(data)) {
    const name = names.get(tag);
    if (name === undefined) continue;
    const field = message.fields[name];
    const value = field?.codec.decode(body);
    if (field?.many !== true) taken[name] = value;
    else if ((taken[name] as unknown[]).push(value) > mostRepeats) throw new ProtocolBroken(`too many ${name}`);
  }
  return taken as Taken<F>;
}

function* fieldsOf(data: Buffer): Generator<{ tag: number; body: Buffer }> {
  let at = 0;
  while (at < data.length) {
    if (data.length - at < 6) throw new ProtocolBroken("field header is cut short");
    const length = data.readUInt32LE(at + 2);
    if (length > data.length - at - 6) throw new ProtocolBroken("field is longer than its message");
    yield { tag: data.readUInt16LE(at), body: data.subarray(at + 6, at + 6 + length) };
    at += 6 + length;
  }
}

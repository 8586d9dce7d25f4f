/**
 * DER as far as certificates need it: writing values, and walking over those that others wrote.
 * Source: ITU-T X.690, sections 8 and 10
 */

/** A value's identifier octet. */
export const tag = {
  boolean: 0x01,
  integer: 0x02,
  bits: 0x03,
  octets: 0x04,
  nothing: 0x05,
  id: 0x06,
  utf8: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

const longForm = 0x80;

/** A value of the given tag, whose content is the parts in turn. */
export function value(identifier: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([identifier]), lengthOf(content), content]);
}

/** A value with a tag of its context's own. @param constructed it holds further values */
export function contextual(number: number, { constructed }: { constructed: boolean }, ...parts: Uint8Array[]): Buffer {
  return value(0x80 | (constructed ? 0x20 : 0) | number, ...parts);
}

/** An object identifier. @param dotted as 2.5.4.3 */
export function identifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  return value(tag.id, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

/** A bit string. @param unused bits at the end of the last octet that do not count */
export function bits(content: Uint8Array, unused = 0): Buffer {
  return value(tag.bits, Buffer.from([unused]), content);
}

/** One value found in DER. */
export interface Found {
  readonly identifier: number;
  readonly content: Buffer;
  /** The value with its identifier and length. */
  readonly whole: Buffer;
}

/** The values that follow each other in DER. @throws {RangeError} it ends amid a value */
export function read(der: Buffer): Found[] {
  const found: Found[] = [];
  for (let at = 0; at < der.length; ) {
    const short = der.readUInt8(at + 1);
    const octets = short < longForm ? 0 : short - longForm;
    const begin = at + 2 + octets;
    const end = begin + (octets === 0 ? short : der.readUIntBE(at + 2, octets));
    if (end > der.length) throw new RangeError("DER ends amid a value");
    found.push({ identifier: der.readUInt8(at), content: der.subarray(begin, end), whole: der.subarray(at, end) });
    at = end;
  }
  return found;
}

function lengthOf({ length }: Uint8Array): Buffer {
  if (length < longForm) return Buffer.from([length]);
  const octets: number[] = [];
  for (let left = length; left > 0; left = Math.floor(left / 256)) octets.unshift(left % 256);
  return Buffer.from([longForm | octets.length, ...octets]);
}

function base128(number: number): number[] {
  const septets = [number % 128];
  for (let left = Math.floor(number / 128); left > 0; left = Math.floor(left / 128))
    septets.unshift(128 + (left % 128));
  return septets;
}

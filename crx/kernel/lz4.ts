/**
 * Decoder for LZ4's legacy frame, in which Linux images are packed.
 * Source: lz4's doc/lz4_Frame_format.md ("Legacy Frame") and doc/lz4_Block_format.md.
 */

const legacyMagic = 0x184c2102;

/** Whether the bytes begin with a legacy LZ4 frame. */
export const isLegacyLz4 = (bytes: Buffer): boolean => bytes.length >= 4 && bytes.readUInt32LE(0) === legacyMagic;

/**
 * Unpacks a legacy frame.
 * @param size length of the result in bytes; known from the image's last four bytes
 * @throws {RangeError} the data is damaged
 */
export function unpackLegacyLz4(packed: Buffer, size: number): Buffer {
  const out = Buffer.allocUnsafe(size);
  let written = 0;
  let at = 4;
  while (written < size) {
    const blockLength = packed.readUInt32LE(at);
    at += 4;
    if (at + blockLength > packed.length) throw new RangeError("LZ4: block is longer than the data");
    written = unpackBlock(packed.subarray(at, at + blockLength), out, written);
    at += blockLength;
  }
  return out;
}

function unpackBlock(block: Buffer, out: Buffer, start: number): number {
  let read = 0;
  let written = start;
  const byte = (): number => {
    const value = block[read++];
    if (value === undefined) throw new RangeError("LZ4: block ends early");
    return value;
  };
  const length = (nibble: number): number => {
    if (nibble < 15) return nibble;
    let total = 15;
    for (;;) {
      const more = byte();
      total += more;
      if (more < 255) return total;
    }
  };
  while (read < block.length) {
    const token = byte();
    const literals = length(token >> 4);
    if (written + literals > out.length) throw new RangeError("LZ4: more data than announced");
    block.copy(out, written, read, read + literals);
    read += literals;
    written += literals;
    if (read >= block.length) break; // a block's last sequence has no match
    const distance = byte() | (byte() << 8);
    const match = length(token & 15) + 4;
    written = copyMatch(out, written, { distance, match });
  }
  return written;
}

function copyMatch(out: Buffer, at: number, { distance, match }: { distance: number; match: number }): number {
  if (distance === 0 || distance > at || at + match > out.length) throw new RangeError("LZ4: bad match");
  // A match may overlap what it writes; then it repeats, so it goes byte by byte.
  if (distance >= match) out.copy(out, at, at - distance, at - distance + match);
  else for (let i = 0; i < match; i++) out[at + i] = out[at + i - distance] ?? 0;
  return at + match;
}

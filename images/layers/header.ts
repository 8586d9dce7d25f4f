/**
 * The 512-byte header of a tar entry, in its V7, ustar, GNU and star forms.
 * Source: POSIX.1-2017 pax, "ustar Interchange Format"; GNU tar manual, "Basic Tar Format"; what Go's archive/tar accepts,
 * since that is the reader which images are made for.
 */
import { ImageRefused } from "../errors.ts";

/** Bytes of a tar block. */
export const tarBlock = 512;

/** A header's fields as they stand, names as byte strings. */
export interface RawHeader {
  /** One char; NUL for V7's regular file. */
  readonly type: string;
  readonly path: string;
  readonly linkTarget: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly mtime: number;
  readonly major: number;
  readonly minor: number;
}

const checksumAt = 148;
const checksumBytes = 8;
const space = 32;
const zero = 48;

function malformed(what: string): ImageRefused {
  return new ImageRefused("Malformed", `tar: ${what}`);
}

function text(block: Buffer, at: number, length: number): string {
  const end = block.indexOf(0, at);
  return block.toString("latin1", at, end === -1 || end > at + length ? at + length : end);
}

function binaryNumber(field: Buffer): number {
  const negative = field[0] === 0xff;
  let value = negative ? -1 : (field[0] ?? 0) & 0x7f;
  for (const byte of field.subarray(1)) value = value * 256 + byte;
  return value;
}

/** A numeric field: octal digits between blanks, or base 256 when the first bit is set. @throws {ImageRefused} */
export function numeric(field: Buffer): number {
  if (((field[0] ?? 0) & 0x80) !== 0) return safe(binaryNumber(field));
  let at = 0;
  let end = field.length;
  while (at < end && isBlank(field[at])) at += 1;
  while (end > at && isBlank(field[end - 1])) end -= 1;
  let value = 0;
  for (; at < end; at++) {
    const digit = (field[at] ?? 0) - zero;
    if (digit < 0 || digit > 7) throw malformed("a number that is not octal");
    value = value * 8 + digit;
  }
  return safe(value);
}

function isBlank(byte: number | undefined): boolean {
  return byte === space || byte === 0;
}

function safe(value: number): number {
  if (!Number.isSafeInteger(value)) throw malformed("a number too large to hold");
  return value;
}

function checkSum(block: Buffer): void {
  let unsigned = space * checksumBytes;
  let signed = unsigned;
  for (let at = 0; at < tarBlock; at++) {
    if (at === checksumAt) at += checksumBytes;
    const byte = block[at] ?? 0;
    unsigned += byte;
    // Some old archivers summed signed chars.
    signed += byte > 127 ? byte - 256 : byte;
  }
  const stated = numeric(block.subarray(checksumAt, checksumAt + checksumBytes));
  if (stated !== unsigned && stated !== signed) throw malformed("header checksum differs");
}

/** Whether a block is nothing but zeros, as the two that end an archive. */
export function isZero(block: Buffer): boolean {
  return block[0] === 0 && block.every((byte) => byte === 0);
}

// ustar ends its magic with NUL and has a prefix; GNU's has blanks there and other things in the prefix's place.
function prefixOf(block: Buffer): string {
  if (block.toString("latin1", 257, 263) !== "ustar\0") return "";
  const star = block.toString("latin1", 508, 512) === "tar\0";
  return text(block, 345, star ? 131 : 155);
}

/** @throws {ImageRefused} Malformed: checksum or numbers */
export function parseHeader(block: Buffer): RawHeader {
  checkSum(block);
  const name = text(block, 0, 100);
  const prefix = prefixOf(block);
  return {
    type: block.toString("latin1", 156, 157),
    path: prefix === "" ? name : `${prefix}/${name}`,
    linkTarget: text(block, 157, 100),
    mode: numeric(block.subarray(100, 108)),
    uid: numeric(block.subarray(108, 116)),
    gid: numeric(block.subarray(116, 124)),
    size: numeric(block.subarray(124, 136)),
    mtime: numeric(block.subarray(136, 148)),
    major: numeric(block.subarray(329, 337)),
    minor: numeric(block.subarray(337, 345)),
  };
}

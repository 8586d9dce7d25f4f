/**
 * EROFS on disk: the few structures of an uncompressed image with 4096-byte blocks, encoded and decoded.
 * Source: Linux fs/erofs/erofs_fs.h; Documentation/filesystems/erofs.rst
 */
import { crc32c } from "./crc32c.ts";
import type { Attributes, Node, Xattr } from "./tree.ts";

/** Bytes of a block. */
export const blockSize = 4096;
/** Bytes of an inode slot; an inode number counts these. */
export const slotSize = 32;
/** Bytes of an extended inode, the only kind written here. */
export const inodeSize = 64;
/** Where the super block starts. */
const superOffset = 1024;
/** Bytes of one directory entry, its name not counted. */
export const direntSize = 12;

const magic = 0xe0f5e1e2;
const featureChecksum = 0x1;
const featureMtime = 0x2;

/** How contents are kept: whole blocks, or whole blocks and a tail behind the inode. */
export type Layout = "plain" | "inline";
const layoutNumbers: Record<Layout, number> = { plain: 0, inline: 2 };
const xattrHeaderSize = 12;
const xattrEntrySize = 4;

const kinds = {
  file: { format: 0o100000, dirent: 1 },
  directory: { format: 0o040000, dirent: 2 },
  char: { format: 0o020000, dirent: 3 },
  block: { format: 0o060000, dirent: 4 },
  fifo: { format: 0o010000, dirent: 5 },
  socket: { format: 0o140000, dirent: 6 },
  symlink: { format: 0o120000, dirent: 7 },
} as const;

const kindOfFormat = new Map<number, Node["kind"]>(
  Object.entries(kinds).map(([kind, { format }]) => [format, kind as Node["kind"]]),
);

/** The number a directory entry carries for its file's kind. */
export const direntType = (kind: Node["kind"]): number => kinds[kind].dirent;

// The on-disk name leaves the namespace out and carries its index instead.
const xattrPrefixes: readonly (readonly [number, string])[] = [
  [1, "user."],
  [2, "system.posix_acl_access"],
  [3, "system.posix_acl_default"],
  [4, "trusted."],
  [6, "security."],
];

/** The next multiple of `unit` that is not below `value`. */
export function alignUp(value: number, unit: number): number {
  return Math.ceil(value / unit) * unit;
}

/** What the super block says. */
export interface SuperBlock {
  readonly rootNid: number;
  readonly inodes: number;
  readonly blocks: number;
  /** Block where the inode area starts. */
  readonly inodeBlock: number;
  /** Seconds since the epoch. */
  readonly timeS: number;
  /** 16 bytes. */
  readonly uuid: Uint8Array;
}

function writeU64(into: Buffer, value: number, at: number): void {
  into.writeUInt32LE(value % 2 ** 32, at);
  into.writeUInt32LE(Math.floor(value / 2 ** 32), at + 4);
}

function readU64(from: Buffer, at: number): number {
  return from.readUInt32LE(at) + from.readUInt32LE(at + 4) * 2 ** 32;
}

/** The first block of an image: 1024 bytes of nothing, the super block, its checksum over the rest of the block. */
export function encodeSuperBlock(facts: SuperBlock): Buffer {
  const block = Buffer.alloc(blockSize);
  const at = superOffset;
  block.writeUInt32LE(magic, at);
  block.writeUInt32LE(featureChecksum | featureMtime, at + 8);
  block.writeUInt8(12, at + 12);
  block.writeUInt16LE(facts.rootNid, at + 14);
  writeU64(block, facts.inodes, at + 16);
  writeU64(block, facts.timeS, at + 24);
  block.writeUInt32LE(facts.blocks, at + 36);
  block.writeUInt32LE(facts.inodeBlock, at + 40);
  block.set(facts.uuid, at + 48);
  block.writeUInt32LE(crc32c(block.subarray(superOffset)), at + 4);
  return block;
}

/** @throws {RangeError} another magic, checksum, block size, or a feature that is not written here */
export function decodeSuperBlock(block: Buffer): SuperBlock {
  const at = superOffset;
  if (block.readUInt32LE(at) !== magic) throw new RangeError("not an EROFS image");
  const summed = Buffer.from(block.subarray(superOffset, blockSize));
  summed.writeUInt32LE(0, 4);
  if (crc32c(summed) !== block.readUInt32LE(at + 4)) throw new RangeError("super block checksum differs");
  if (block.readUInt8(at + 12) !== 12 || block.readUInt32LE(at + 80) !== 0) {
    throw new RangeError("EROFS features of another writer");
  }
  return {
    rootNid: block.readUInt16LE(at + 14),
    inodes: readU64(block, at + 16),
    timeS: readU64(block, at + 24),
    blocks: block.readUInt32LE(at + 36),
    inodeBlock: block.readUInt32LE(at + 40),
    uuid: Uint8Array.from(block.subarray(at + 48, at + 64)),
  };
}

/** An inode's fields. */
export interface InodeFacts {
  readonly kind: Node["kind"];
  readonly layout: Layout;
  readonly attributes: Omit<Attributes, "xattrs">;
  /** Bytes of the attribute area behind the inode: 0, or what xattrBytes says. */
  readonly xattrBytes: number;
  readonly size: number;
  /** First block of contents, or the device number. */
  readonly blockOrDevice: number;
  /** A serial number, for 32-bit stat. */
  readonly serial: number;
  readonly links: number;
}

/** 64 bytes of an extended inode. */
export function encodeInode(facts: InodeFacts): Buffer {
  const inode = Buffer.alloc(inodeSize);
  const { mode, uid, gid, mtimeS, mtimeNs } = facts.attributes;
  inode.writeUInt16LE(1 | (layoutNumbers[facts.layout] << 1), 0);
  inode.writeUInt16LE(facts.xattrBytes === 0 ? 0 : (facts.xattrBytes - xattrHeaderSize) / 4 + 1, 2);
  inode.writeUInt16LE(kinds[facts.kind].format | mode, 4);
  writeU64(inode, facts.size, 8);
  inode.writeUInt32LE(facts.blockOrDevice, 16);
  inode.writeUInt32LE(facts.serial, 20);
  inode.writeUInt32LE(uid, 24);
  inode.writeUInt32LE(gid, 28);
  writeU64(inode, mtimeS, 32);
  inode.writeUInt32LE(mtimeNs, 40);
  inode.writeUInt32LE(facts.links, 44);
  return inode;
}

/** @throws {RangeError} a compact, compressed or otherwise different inode */
export function decodeInode(inode: Buffer): InodeFacts {
  const format = inode.readUInt16LE(0);
  const kind = kindOfFormat.get(inode.readUInt16LE(4) & 0o170000);
  if ((format & 1) !== 1 || kind === undefined) throw new RangeError("an inode of another writer");
  const layout = (Object.keys(layoutNumbers) as Layout[]).find((name) => layoutNumbers[name] === format >> 1);
  if (layout === undefined) throw new RangeError("a data layout of another writer");
  const xattrCount = inode.readUInt16LE(2);
  return {
    kind,
    layout,
    attributes: {
      mode: inode.readUInt16LE(4) & 0o7777,
      uid: inode.readUInt32LE(24),
      gid: inode.readUInt32LE(28),
      mtimeS: readU64(inode, 32),
      mtimeNs: inode.readUInt32LE(40),
    },
    xattrBytes: xattrCount === 0 ? 0 : xattrHeaderSize + (xattrCount - 1) * 4,
    size: readU64(inode, 8),
    blockOrDevice: inode.readUInt32LE(16),
    serial: inode.readUInt32LE(20),
    links: inode.readUInt32LE(44),
  };
}

function splitXattr(name: string): { index: number; rest: string } {
  const known = xattrPrefixes.find(([, prefix]) => name.startsWith(prefix));
  if (known === undefined) throw new RangeError(`extended attribute ${name}: unknown namespace`);
  return { index: known[0], rest: name.slice(known[1].length) };
}

/** Bytes of the attribute area; 0 without attributes. */
export function xattrBytes(xattrs: readonly Xattr[]): number {
  if (xattrs.length === 0) return 0;
  const entryBytes = (xattr: Xattr) =>
    alignUp(xattrEntrySize + splitXattr(xattr.name).rest.length + xattr.value.length, 4);
  return xattrs.reduce((sum, xattr) => sum + entryBytes(xattr), xattrHeaderSize);
}

/** The attribute area, as it follows its inode. */
export function encodeXattrs(xattrs: readonly Xattr[]): Buffer {
  const area = Buffer.alloc(xattrBytes(xattrs));
  let at = xattrHeaderSize;
  for (const { name, value } of xattrs) {
    const { index, rest } = splitXattr(name);
    area.writeUInt8(rest.length, at);
    area.writeUInt8(index, at + 1);
    area.writeUInt16LE(value.length, at + 2);
    area.write(rest, at + xattrEntrySize, "latin1");
    value.copy(area, at + xattrEntrySize + rest.length);
    at += alignUp(xattrEntrySize + rest.length + value.length, 4);
  }
  return area;
}

/** The attributes in an area; stops at the first entry that does not fit. */
export function decodeXattrs(area: Buffer): Xattr[] {
  const found: Xattr[] = [];
  let at = xattrHeaderSize;
  while (at + xattrEntrySize <= area.length) {
    const nameEnd = at + xattrEntrySize + area.readUInt8(at);
    const valueEnd = nameEnd + area.readUInt16LE(at + 2);
    const index = area.readUInt8(at + 1);
    const prefix = xattrPrefixes.find(([number]) => number === index)?.[1];
    if (prefix === undefined || valueEnd > area.length) break;
    const rest = area.toString("latin1", at + xattrEntrySize, nameEnd);
    found.push({ name: prefix + rest, value: Buffer.from(area.subarray(nameEnd, valueEnd)) });
    at = alignUp(valueEnd, 4);
  }
  return found;
}

/** A device number as the kernel packs it: 12 bits of major, 20 of minor. Source: Linux include/linux/kdev_t.h */
export function encodeDevice(major: number, minor: number): number {
  return ((minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12)) >>> 0;
}

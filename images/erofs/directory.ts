/**
 * Directory contents: blocks of sorted entries, each block with its entries first and their names behind them.
 * Source: Linux Documentation/filesystems/erofs.rst (Directories); fs/erofs/namei.c (names compared as bytes)
 */
import { blockSize, direntSize, direntType } from "./format.ts";
import type { DirectoryNode, Node } from "./tree.ts";

/** An entry about to be written: name, inode number, kind. */
export interface Dirent {
  readonly name: string;
  readonly nid: number;
  readonly kind: Node["kind"];
}

/** Puts a directory's names in byte order, once, so that every later walk sees them so. */
export function sortEntries(node: DirectoryNode): void {
  // Byte strings: the default order of code units is the order of bytes.
  const names = [...node.entries.keys()].sort();
  const sorted = new Map<string, { node: Node; layer: number }>();
  for (const name of names) {
    const entry = node.entries.get(name);
    if (entry !== undefined) sorted.set(name, entry);
  }
  node.entries = sorted;
}

function withDots(names: Iterable<string>): string[] {
  return [".", "..", ...names].sort();
}

/** How many names go into each block. */
function fillBlocks(names: readonly string[]): { counts: number[]; lastBytes: number } {
  const counts: number[] = [];
  let count = 0;
  let bytes = 0;
  for (const name of names) {
    const more = direntSize + name.length;
    if (bytes + more > blockSize) {
      counts.push(count);
      count = 0;
      bytes = 0;
    }
    count += 1;
    bytes += more;
  }
  counts.push(count);
  return { counts, lastBytes: bytes };
}

/** Bytes of a directory's contents. The entries must be sorted. */
export function directoryBytes(node: DirectoryNode): number {
  const { counts, lastBytes } = fillBlocks(withDots(node.entries.keys()));
  return (counts.length - 1) * blockSize + lastBytes;
}

/** A directory's contents. The entries must be sorted and every child placed. */
export function encodeDirectory(node: DirectoryNode, parent: DirectoryNode): Buffer {
  const dirents = new Map<string, Dirent>([
    [".", { name: ".", nid: node.place.nid, kind: "directory" }],
    ["..", { name: "..", nid: parent.place.nid, kind: "directory" }],
  ]);
  for (const [name, entry] of node.entries) {
    dirents.set(name, { name, nid: entry.node.place.nid, kind: entry.node.kind });
  }
  const names = withDots(node.entries.keys());
  const { counts, lastBytes } = fillBlocks(names);
  const contents = Buffer.alloc((counts.length - 1) * blockSize + lastBytes);
  let taken = 0;
  counts.forEach((count, index) => {
    const block = names.slice(taken, taken + count).flatMap((name) => dirents.get(name) ?? []);
    writeBlock(contents.subarray(index * blockSize), block);
    taken += count;
  });
  return contents;
}

function writeBlock(into: Buffer, dirents: readonly Dirent[]): void {
  let nameAt = dirents.length * direntSize;
  dirents.forEach((dirent, index) => {
    const at = index * direntSize;
    into.writeUInt32LE(dirent.nid % 2 ** 32, at);
    into.writeUInt32LE(Math.floor(dirent.nid / 2 ** 32), at + 4);
    into.writeUInt16LE(nameAt, at + 8);
    into.writeUInt8(direntType(dirent.kind), at + 10);
    into.write(dirent.name, nameAt, "latin1");
    nameAt += dirent.name.length;
  });
}

/** The entries of one block, names and inode numbers; dots included. @throws {RangeError} offsets that do not fit */
export function decodeBlock(block: Buffer): { name: string; nid: number }[] {
  const count = block.readUInt16LE(8) / direntSize;
  if (!Number.isInteger(count) || count * direntSize > block.length) throw new RangeError("a broken directory block");
  const found: { name: string; nid: number }[] = [];
  for (let index = 0; index < count; index++) {
    const at = index * direntSize;
    const nameAt = block.readUInt16LE(at + 8);
    const end = index + 1 < count ? block.readUInt16LE(at + direntSize + 8) : block.length;
    if (nameAt > end || end > block.length) throw new RangeError("a broken directory block");
    const name = block.toString("latin1", nameAt, end).split("\0", 1)[0] ?? "";
    found.push({ name, nid: block.readUInt32LE(at) + block.readUInt32LE(at + 4) * 2 ** 32 });
  }
  return found;
}

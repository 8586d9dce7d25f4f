/**
 * Where everything of an image goes, decided before any inode is written: inode numbers, inline or not, blocks of
 * directories and long links. Pure but for the `place` of the nodes.
 */
import { directoryBytes, sortEntries } from "./directory.ts";
import { alignUp, blockSize, inodeSize, type Layout, slotSize, xattrBytes } from "./format.ts";
import type { DirectoryNode, Node } from "./tree.ts";

/** One node's decided position. */
export interface Planned {
  readonly node: Node;
  /** The directory that `..` means; for directories only. */
  readonly parent: DirectoryNode;
  readonly layout: Layout;
  /** Bytes of contents; a directory's encoded size. */
  readonly size: number;
  readonly xattrBytes: number;
  /** Bytes of contents right behind the inode. */
  readonly inlineBytes: number;
}

/** The plan of a whole image. */
export interface Plan {
  /** Every inode once, in the order of their numbers; the root first. */
  readonly inodes: readonly Planned[];
  readonly inodeBlock: number;
  /** First block behind the inode area: directories and long links. */
  readonly outerBlock: number;
  /** Blocks of the whole image. */
  readonly blocks: number;
}

/**
 * Whether the tail of `size` bytes fits into one block with its inode. The kernel wants an inline tail, and a short
 * link's inode with it, not to cross a block.
 */
export function tailFits(size: number, xattrArea: number): boolean {
  return inodeSize + xattrArea + (size % blockSize) <= blockSize;
}

function contentBytes(node: Node): number {
  switch (node.kind) {
    case "file":
      return node.size;
    case "symlink":
      return node.target.length;
    case "directory":
      return directoryBytes(node);
    default:
      return 0;
  }
}

function inlineBytesOf(node: Node, size: number, xattrArea: number): number {
  if (node.kind === "file") return node.tail === -1 ? 0 : size % blockSize;
  return tailFits(size, xattrArea) ? size % blockSize : 0;
}

function describe(node: Node, parent: DirectoryNode): Planned {
  const size = contentBytes(node);
  const xattrArea = xattrBytes(node.attributes.xattrs);
  const inlineBytes = inlineBytesOf(node, size, xattrArea);
  return { node, parent, layout: inlineBytes > 0 ? "inline" : "plain", size, xattrBytes: xattrArea, inlineBytes };
}

// fsck.erofs 1.5 reads an attribute header behind every inode, even one that has none and ends the image.
const spareBytes = 12;

// glibc's readdir takes inode number 0 for a deleted file, so the area starts with an empty slot or two.
const firstInode = inodeSize;

/** Counts the links a name makes; true when it is its node's first. */
function meet(node: Node, parent: DirectoryNode): boolean {
  if (node.kind !== "directory") {
    node.place.links += 1;
    return node.place.links === 1;
  }
  sortEntries(node);
  node.place.links = 2;
  parent.place.links += 1;
  return true;
}

/** Every node once, directories before what is in them; counts links on the way. */
function walk(root: DirectoryNode): Planned[] {
  sortEntries(root);
  root.place.links = 2;
  const found: Planned[] = [describe(root, root)];
  const open: DirectoryNode[] = [root];
  for (let parent = open.pop(); parent !== undefined; parent = open.pop()) {
    const below: DirectoryNode[] = [];
    for (const { node } of parent.entries.values()) {
      if (meet(node, parent)) found.push(describe(node, parent));
      if (node.kind === "directory") below.push(node);
    }
    open.push(...below.reverse());
  }
  return found;
}

/** Byte offset for an inode that would start at `at` or later, so that what must not cross a block does not. */
function fit(at: number, planned: Planned): number {
  const whole = inodeSize + planned.xattrBytes + planned.inlineBytes;
  const together = whole <= blockSize ? whole : inodeSize;
  return (at % blockSize) + together > blockSize ? alignUp(at, blockSize) : at;
}

/**
 * Decides every place.
 * @param inodeBlock first block behind the file data
 */
export function planImage(root: DirectoryNode, inodeBlock: number): Plan {
  const inodes = walk(root);
  let at = firstInode;
  for (const planned of inodes) {
    at = fit(at, planned);
    planned.node.place.nid = at / slotSize;
    at = alignUp(at + inodeSize + planned.xattrBytes + planned.inlineBytes, slotSize);
  }
  const outerBlock = inodeBlock + Math.ceil((at + spareBytes) / blockSize);
  let block = outerBlock;
  for (const { node, size, inlineBytes } of inodes) {
    const count = node.kind === "file" ? 0 : Math.ceil((size - inlineBytes) / blockSize);
    if (count > 0) node.place.block = block;
    block += count;
  }
  return { inodes, inodeBlock, outerBlock, blocks: block };
}

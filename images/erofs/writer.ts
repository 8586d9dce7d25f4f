/**
 * Writes one read-only EROFS image: file contents as they come, everything else at the end.
 *
 *     block 0        1 … n                       n+1 …                       …
 *     super block    contents, whole blocks      inodes, attributes, tails   directories, long links
 *
 * Contents are never held in memory. The last part of a file that fills no block goes to a spool file first and
 * behind its inode at the end. Files that nobody names any more when the tree is finished (a later layer hid them) leave
 * no gap: the blocks behind them slide down. The same calls give the same bytes.
 * Source: docs/rfd/0011-images.md; Linux Documentation/filesystems/erofs.rst
 */
import { ftruncateSync } from "node:fs";
import { encodeDirectory } from "./directory.ts";
import {
  alignUp,
  blockSize,
  encodeDevice,
  encodeInode,
  encodeSuperBlock,
  encodeXattrs,
  slotSize,
  xattrBytes,
} from "./format.ts";
import { Outlet, readFully, Window, writeFully } from "./outlet.ts";
import { type Plan, type Planned, planImage, tailFits } from "./plan.ts";
import { type Attributes, type DirectoryNode, type FileNode, unplaced } from "./tree.ts";

/** What the writer writes to. Both files are emptied. */
export interface ErofsTarget {
  /** The image; readable and writable. */
  readonly imageFd: number;
  /** Scratch space, of no use afterwards; readable and writable. */
  readonly spoolFd: number;
}

/** What a finished image is. */
export interface ErofsSummary {
  readonly bytes: number;
  readonly inodes: number;
}

/** Facts of the image as a whole. */
export interface ErofsIdentity {
  /** 16 bytes. */
  readonly uuid: Uint8Array;
  /** When it was made, in seconds since the epoch; 0 keeps it out of the bytes. */
  readonly timeS: number;
}

const slideBytes = 1 << 20;

/** A writer of one image: contents by `file()`, one after the other, then `finish()` once. */
export class ErofsWriter {
  readonly #target: ErofsTarget;
  readonly #data: Outlet;
  readonly #spool: Outlet;
  #openFile = false;

  constructor(target: ErofsTarget) {
    ftruncateSync(target.imageFd, 0);
    ftruncateSync(target.spoolFd, 0);
    this.#target = target;
    this.#data = new Outlet(target.imageFd, blockSize);
    this.#spool = new Outlet(target.spoolFd, 0);
  }

  /** Bytes of contents so far, in whole blocks, hidden files included. */
  get dataBytes(): number {
    return this.#data.position + this.#spool.position;
  }

  /**
   * Starts a regular file. Exactly `size` bytes must follow, by write() and skip(), before its end() and before
   * another file starts.
   */
  file(size: number, attributes: Attributes): FileWriter {
    if (this.#openFile) throw new Error("a file is still open");
    this.#openFile = true;
    const done = () => {
      this.#openFile = false;
    };
    return new FileWriter({ data: this.#data, spool: this.#spool, done }, size, attributes);
  }

  /** Writes everything else. The nodes' places are filled in; the writer is of no use afterwards. */
  finish(root: DirectoryNode, identity: ErofsIdentity): ErofsSummary {
    this.#data.flush();
    this.#spool.flush();
    const dataBlocks = slideFiles(this.#target.imageFd, root);
    // What lay behind the last live block must read as zeros wherever the rest of the image leaves a gap.
    ftruncateSync(this.#target.imageFd, (1 + dataBlocks) * blockSize);
    const plan = planImage(root, 1 + dataBlocks);
    const out = new Outlet(this.#target.imageFd, plan.inodeBlock * blockSize);
    this.#writeInodes(plan, out);
    out.skipTo(plan.outerBlock * blockSize);
    for (const planned of plan.inodes) writeOuter(planned, out);
    out.flush();
    const facts = { rootNid: root.place.nid, inodes: plan.inodes.length, blocks: plan.blocks };
    const superBlock = encodeSuperBlock({ ...facts, inodeBlock: plan.inodeBlock, ...identity });
    writeFully(this.#target.imageFd, superBlock, 0);
    ftruncateSync(this.#target.imageFd, plan.blocks * blockSize);
    return { bytes: plan.blocks * blockSize, inodes: plan.inodes.length };
  }

  #writeInodes(plan: Plan, out: Outlet): void {
    const tails = new Window(this.#target.spoolFd, this.#spool.position);
    plan.inodes.forEach((planned, serial) => {
      const { node, inlineBytes } = planned;
      out.skipTo(plan.inodeBlock * blockSize + node.place.nid * slotSize);
      out.append(inodeOf(planned, serial + 1));
      if (planned.xattrBytes > 0) out.append(encodeXattrs(node.attributes.xattrs));
      if (inlineBytes === 0) return;
      if (node.kind === "file") out.append(tails.read(node.tail, inlineBytes));
      else out.append(contentsOf(planned).subarray(-inlineBytes));
    });
  }
}

/** One file's contents on their way into the image. */
export class FileWriter {
  readonly #into: { data: Outlet; spool: Outlet; done: () => void };
  readonly #node: FileNode;
  /** Bytes of whole blocks, or of all when the tail cannot be inline. */
  readonly #blockBytes: number;
  #written = 0;

  constructor(into: { data: Outlet; spool: Outlet; done: () => void }, size: number, attributes: Attributes) {
    this.#into = into;
    const inline = size % blockSize > 0 && tailFits(size, xattrBytes(attributes.xattrs));
    this.#blockBytes = inline ? size - (size % blockSize) : size;
    this.#node = { kind: "file", attributes, size, tail: inline ? into.spool.position : -1, place: unplaced() };
    if (this.#blockBytes > 0) this.#node.place.block = into.data.position / blockSize;
  }

  write(bytes: Buffer): void {
    const toBlocks = Math.min(bytes.length, Math.max(0, this.#blockBytes - this.#written));
    this.#advance(bytes.length);
    if (toBlocks > 0) this.#into.data.append(bytes.subarray(0, toBlocks));
    if (toBlocks < bytes.length) this.#into.spool.append(bytes.subarray(toBlocks));
  }

  /** `count` zero bytes, without writing them where they are many. */
  skip(count: number): void {
    const toBlocks = Math.min(count, Math.max(0, this.#blockBytes - this.#written));
    this.#advance(count);
    if (toBlocks > 0) this.#into.data.skip(toBlocks);
    if (toBlocks < count) this.#into.spool.append(Buffer.alloc(count - toBlocks));
  }

  /** @throws {RangeError} fewer bytes came than announced */
  end(): FileNode {
    if (this.#written !== this.#node.size) throw new RangeError(`${this.#written} of ${this.#node.size} bytes came`);
    this.#into.data.skipTo(alignUp(this.#into.data.position, blockSize));
    this.#into.done();
    return this.#node;
  }

  #advance(count: number): void {
    this.#written += count;
    if (this.#written > this.#node.size) throw new RangeError(`more than ${this.#node.size} bytes came`);
  }
}

function blocksOf(file: FileNode): number {
  const inlineBytes = file.tail === -1 ? 0 : file.size % blockSize;
  return Math.ceil((file.size - inlineBytes) / blockSize);
}

function filesIn(root: DirectoryNode): FileNode[] {
  const found = new Set<FileNode>();
  const open: DirectoryNode[] = [root];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    for (const { node } of next.entries.values()) {
      if (node.kind === "directory") open.push(node);
      else if (node.kind === "file" && node.place.block !== -1) found.add(node);
    }
  }
  return [...found].sort((a, b) => a.place.block - b.place.block);
}

/** Moves every file's blocks down over blocks nobody uses. Returns the number of blocks in use. */
function slideFiles(fd: number, root: DirectoryNode): number {
  let next = 1;
  for (const file of filesIn(root)) {
    const count = blocksOf(file);
    if (file.place.block !== next) move(fd, { from: file.place.block, to: next, count });
    file.place.block = next;
    next += count;
  }
  return next - 1;
}

function move(fd: number, blocks: { from: number; to: number; count: number }): void {
  const bytes = blocks.count * blockSize;
  const buffer = Buffer.allocUnsafe(Math.min(bytes, slideBytes));
  for (let done = 0; done < bytes; done += buffer.length) {
    const part = buffer.subarray(0, Math.min(buffer.length, bytes - done));
    readFully(fd, part, blocks.from * blockSize + done);
    writeFully(fd, part, blocks.to * blockSize + done);
  }
}

function inodeOf(planned: Planned, serial: number): Buffer {
  const { node } = planned;
  const device = "major" in node ? encodeDevice(node.major, node.minor) : undefined;
  const blockOrDevice = device ?? Math.max(0, node.place.block);
  const { layout, size, xattrBytes: area } = planned;
  const facts = { kind: node.kind, layout, attributes: node.attributes, xattrBytes: area, size };
  return encodeInode({ ...facts, blockOrDevice, serial, links: node.place.links });
}

/** A directory's or link's whole contents. */
function contentsOf({ node, parent }: Planned): Buffer {
  if (node.kind === "directory") return encodeDirectory(node, parent);
  return node.kind === "symlink" ? Buffer.from(node.target, "latin1") : Buffer.alloc(0);
}

/** Directories and long links: the part of their contents that is in blocks. */
function writeOuter(planned: Planned, out: Outlet): void {
  const { node, size, inlineBytes } = planned;
  if (node.kind === "file" || node.place.block === -1) return;
  out.skipTo(node.place.block * blockSize);
  out.append(contentsOf(planned).subarray(0, size - inlineBytes));
  out.skipTo(alignUp(out.position, blockSize));
}

/**
 * Reads single files back out of an image that erofs/writer.ts made, as resolving a user's name needs. The image is
 * taken for hostile all the same: every length is checked, and the caller says how much of a file it is ready to hold.
 */
import type { FileHandle } from "node:fs/promises";
import { ImageRefused } from "../errors.ts";
import { decodeBlock } from "./directory.ts";
import {
  blockSize,
  decodeInode,
  decodeSuperBlock,
  decodeXattrs,
  type InodeFacts,
  inodeSize,
  type SuperBlock,
  slotSize,
} from "./format.ts";
import type { Xattr } from "./tree.ts";

/** An inode and where it lies. */
export interface FoundInode extends InodeFacts {
  readonly nid: number;
  /** Byte offset in the image. */
  readonly at: number;
}

const mostLinks = 40;
const largestDirectory = 64 << 20;
const largestTarget = 4095;

/** An open image. */
export class ErofsReader {
  readonly #file: FileHandle;
  readonly superBlock: SuperBlock;

  private constructor(file: FileHandle, superBlock: SuperBlock) {
    this.#file = file;
    this.superBlock = superBlock;
  }

  /** @throws {ImageRefused} Malformed, when it is no image of ours */
  static async open(file: FileHandle): Promise<ErofsReader> {
    return new ErofsReader(file, decoded(decodeSuperBlock, await readAt(file, 0, blockSize)));
  }

  /** The root directory. */
  root(): Promise<FoundInode> {
    return this.inode(this.superBlock.rootNid);
  }

  /** The inode of a number. @throws {ImageRefused} Malformed */
  async inode(nid: number): Promise<FoundInode> {
    const at = this.superBlock.inodeBlock * blockSize + nid * slotSize;
    return { ...decoded(decodeInode, await readAt(this.#file, at, inodeSize)), nid, at };
  }

  /** @throws {ImageRefused} LimitExceeded, when there are more than `mostBytes` */
  async contents(inode: FoundInode, mostBytes: number): Promise<Buffer> {
    if (inode.size > mostBytes) {
      throw new ImageRefused("LimitExceeded", `file of ${inode.size} bytes, ${mostBytes} allowed`);
    }
    const inlineBytes = inode.layout === "inline" ? inode.size % blockSize : 0;
    const blocks = await readAt(this.#file, inode.blockOrDevice * blockSize, inode.size - inlineBytes);
    const tail = await readAt(this.#file, inode.at + inodeSize + inode.xattrBytes, inlineBytes);
    return Buffer.concat([blocks, tail]);
  }

  /** The attributes of an inode. */
  async xattrs(inode: FoundInode): Promise<Xattr[]> {
    return decodeXattrs(await readAt(this.#file, inode.at + inodeSize, inode.xattrBytes));
  }

  /** Names (byte strings) and inode numbers in a directory, without `.` and `..`. */
  async entries(directory: FoundInode): Promise<Map<string, number>> {
    const contents = await this.contents(directory, largestDirectory);
    const found = new Map<string, number>();
    for (let at = 0; at < contents.length; at += blockSize) {
      for (const { name, nid } of decoded(decodeBlock, contents.subarray(at, at + blockSize))) {
        if (name !== "." && name !== "..") found.set(name, nid);
      }
    }
    return found;
  }

  /**
   * The file a path leads to, symbolic links followed inside the image.
   * @param path byte string; from the root whether it starts with a slash or not
   * @returns undefined where a part is missing, no directory, or behind more than 40 links
   */
  async find(path: string): Promise<FoundInode | undefined> {
    const todo = path.split("/").reverse();
    const above: FoundInode[] = [];
    let here: FoundInode = await this.root();
    let links = 0;
    for (let part = todo.pop(); part !== undefined; part = todo.pop()) {
      if (part === "" || part === ".") continue;
      if (part === "..") {
        here = above.pop() ?? here;
        continue;
      }
      const child = await this.#child(here, part);
      if (child === undefined) return undefined;
      if (child.kind === "symlink") {
        links += 1;
        if (links > mostLinks) return undefined;
        const target = (await this.contents(child, largestTarget)).toString("latin1");
        if (target.startsWith("/")) here = (above.splice(0)[0] ?? here) as FoundInode;
        todo.push(...target.split("/").reverse());
      } else {
        above.push(here);
        here = child;
      }
    }
    return here;
  }

  async #child(directory: FoundInode, name: string): Promise<FoundInode | undefined> {
    if (directory.kind !== "directory") return undefined;
    const nid = (await this.entries(directory)).get(name);
    return nid === undefined ? undefined : this.inode(nid);
  }
}

function decoded<T>(decode: (bytes: Buffer) => T, bytes: Buffer): T {
  try {
    return decode(bytes);
  } catch (cause) {
    throw new ImageRefused("Malformed", `image: ${(cause as Error).message}`, { cause });
  }
}

async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  if (length === 0) return Buffer.alloc(0);
  if (position + length > (await file.stat()).size) throw new ImageRefused("Malformed", "image: offset behind its end");
  const into = Buffer.alloc(length);
  const { bytesRead } = await file.read(into, 0, length, position);
  if (bytesRead !== length) throw new ImageRefused("Malformed", "image: ends early");
  return into;
}

/**
 * A file tree as it is about to be written to an image. Only metadata is in memory: contents are already in the image.
 *
 * Names and link targets are *byte strings*: one char per byte (latin1). Comparing two of them compares bytes, as the
 * kernel does, and no encoding is assumed.
 */

/** An extended attribute; the name with its namespace, as `user.note`. */
export interface Xattr {
  readonly name: string;
  readonly value: Buffer;
}

/** What every kind of file has. */
export interface Attributes {
  /** Permission, setuid, setgid and sticky bits only. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Seconds since the epoch, 0 or later. */
  readonly mtimeS: number;
  readonly mtimeNs: number;
  readonly xattrs: readonly Xattr[];
}

/** Where a file landed in the image; filled in by the writer's plan. */
export interface Place {
  /** EROFS inode number: 32-byte slots from the start of the inode area; -1 before the plan. */
  nid: number;
  /** Hard links; a directory's own `.` and its children's `..` included. */
  links: number;
  /** First block of contents that are not inline; -1 when there are none. */
  block: number;
}

/** A regular file. `size` bytes, of which the last `size % 4096` are in the spool at `tail` unless `tail` is -1. */
export interface FileNode {
  readonly kind: "file";
  readonly attributes: Attributes;
  readonly size: number;
  readonly tail: number;
  readonly place: Place;
}

/** A name in a directory. `layer` is the index of the source that put it there. */
export interface Entry {
  readonly node: Node;
  readonly layer: number;
}

/** A directory; `attributes` change when a later layer names it again. */
export interface DirectoryNode {
  readonly kind: "directory";
  attributes: Attributes;
  entries: Map<string, Entry>;
  readonly place: Place;
}

/** A symbolic link; the target is a byte string. */
export interface SymlinkNode {
  readonly kind: "symlink";
  readonly attributes: Attributes;
  readonly target: string;
  readonly place: Place;
}

/** A device, pipe or socket; numbers are 0 for the latter two. */
export interface SpecialNode {
  readonly kind: "char" | "block" | "fifo" | "socket";
  readonly attributes: Attributes;
  readonly major: number;
  readonly minor: number;
  readonly place: Place;
}

/** Any file of a tree. */
export type Node = FileNode | DirectoryNode | SymlinkNode | SpecialNode;

/** A place nobody has decided yet. */
export function unplaced(): Place {
  return { nid: -1, links: 0, block: -1 };
}

/** Attributes of a directory that was implied by a longer path: root's, 0755, the epoch. */
const impliedDirectory: Attributes = { mode: 0o755, uid: 0, gid: 0, mtimeS: 0, mtimeNs: 0, xattrs: [] };

/** A new empty directory. */
export function directory(attributes: Attributes = impliedDirectory): DirectoryNode {
  return { kind: "directory", attributes, entries: new Map(), place: unplaced() };
}

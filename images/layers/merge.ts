/**
 * Stacks layers into one tree, lowest first. File contents go to the image as they come; the tree holds the rest.
 *
 * - A later entry replaces what has its name; a directory met again keeps its children and takes the new attributes.
 * - A whiteout hides what *lower* layers put there, wherever in its layer it stands.
 * - An ordinary entry below a symbolic link of a lower layer follows it inside the tree. Every other meeting of a path with
 *   a symbolic link refuses the layer: no archiver writes one, and attacks are made of them.
 *
 * Source: OCI image-spec, layer.md (Applying Changesets); docs/rfd/0011-images.md
 */
import { type DirectoryNode, directory, type Entry, type Node, unplaced } from "../erofs/tree.ts";
import type { ErofsWriter } from "../erofs/writer.ts";
import { ImageRefused } from "../errors.ts";
import { type Limits, within } from "../limits.ts";
import { attributesOf } from "./attributes.ts";
import { checkParents, shown, splitPath, type Whiteout, whiteoutOf } from "./paths.ts";
import type { Body } from "./sparse.ts";
import type { TarEntry, TarSink } from "./tar.ts";

/** What was left out of the image, counted. */
export interface Dropped {
  devices: number;
  xattrs: number;
}

// An entry's own cost beside its names: what a node and its map slot take.
const entryOverheadBytes = 64;
const mostLinks = 40;

/** The tree of all layers so far. Give each layer's entries to it after nextLayer(). */
export class LayerMerger implements TarSink {
  readonly root: DirectoryNode = directory();
  readonly dropped: Dropped = { devices: 0, xattrs: 0 };
  readonly #writer: ErofsWriter;
  readonly #limits: Limits;
  #layer = -1;
  #nodes = 0;
  #metadataBytes = 0;
  /** Directories from which this layer already removed everything of lower ones. */
  #pruned = new Set<DirectoryNode>();

  constructor(writer: ErofsWriter, limits: Limits) {
    this.#writer = writer;
    this.#limits = limits;
  }

  /** Entries so far, implied directories included. */
  get entries(): number {
    return this.#nodes;
  }

  /** What follows belongs to the layer above. */
  nextLayer(): void {
    this.#layer += 1;
    this.#pruned = new Set();
  }

  entry(entry: TarEntry): Body | undefined {
    this.#count(entry.path.length + entry.linkTarget.length + xattrCost(entry));
    const parts = splitPath(entry.path, this.#limits);
    const name = parts.at(-1);
    if (name === undefined) return this.#rootEntry(entry);
    const parents = parts.slice(0, -1);
    checkParents(parents, entry.path);
    const whiteout = whiteoutOf(name, entry.path);
    if (whiteout === "ignored") return undefined;
    if (whiteout !== undefined) return this.#hide(entry, parents, whiteout);
    if (entry.kind === "link") return this.#link(entry, parents, name);
    const parent = this.#parent(entry, parents);
    if (entry.kind === "file") return this.#file(entry, parent, name);
    return this.#put(entry, parent, name);
  }

  #count(bytes: number): void {
    this.#nodes += 1;
    this.#metadataBytes += bytes + entryOverheadBytes;
    within(this.#nodes, this.#limits.entries, "entries of the image");
    within(this.#metadataBytes, this.#limits.metadataBytes, "bytes of names and attributes");
  }

  #attributes(entry: TarEntry) {
    const { attributes, dropped } = attributesOf(entry, this.#limits);
    this.dropped.xattrs += dropped;
    return attributes;
  }

  #rootEntry(entry: TarEntry): undefined {
    if (entry.kind !== "directory") throw refuse(entry, "BadPath", "replaces the root");
    this.root.attributes = this.#attributes(entry);
  }

  #file(entry: TarEntry, parent: DirectoryNode, name: string): Body {
    within(entry.size + this.#writer.dataBytes, this.#limits.imageBytes, "bytes of the image");
    const file = this.#writer.file(entry.size, this.#attributes(entry));
    return {
      write: (bytes) => file.write(bytes),
      skip: (count) => file.skip(count),
      end: () => this.#set(parent, name, file.end()),
    };
  }

  #put(entry: TarEntry, parent: DirectoryNode, name: string): undefined {
    const attributes = this.#attributes(entry);
    switch (entry.kind) {
      case "directory": {
        const known = parent.entries.get(name)?.node;
        const node = known?.kind === "directory" ? known : directory();
        node.attributes = attributes;
        return this.#set(parent, name, node);
      }
      case "symlink": {
        const target = entry.linkTarget;
        if (target === "" || target.includes("\0")) throw refuse(entry, "BadLink", "has no target");
        within(target.length, this.#limits.pathBytes, `entry ${shown(entry.path)}: bytes of its target`);
        return this.#set(parent, name, { kind: "symlink", attributes, target, place: unplaced() });
      }
      case "fifo":
        return this.#set(parent, name, { kind: "fifo", attributes, major: 0, minor: 0, place: unplaced() });
      default:
        // A device: what it stands for in its layer is gone, and nothing takes its place.
        this.dropped.devices += 1;
        parent.entries.delete(name);
    }
  }

  #set(parent: DirectoryNode, name: string, node: Node): undefined {
    parent.entries.set(name, { node, layer: this.#layer });
  }

  #link(entry: TarEntry, parents: readonly string[], name: string): undefined {
    const path = splitPath(entry.linkTarget, this.#limits);
    const target = this.#strict(entry, path.slice(0, -1), "the target")?.entries.get(path.at(-1) ?? "")?.node;
    if (target === undefined) throw refuse(entry, "BadLink", `its target ${shown(entry.linkTarget)} is missing`);
    if (target.kind === "directory") throw refuse(entry, "BadLink", "its target is a directory");
    // Checked for links only; creating what is missing is the ordinary walk's business.
    this.#strict(entry, parents, "the path");
    this.#set(this.#parent(entry, parents), name, target);
  }

  #hide(entry: TarEntry, parents: readonly string[], whiteout: Whiteout): undefined {
    const parent = this.#strict(entry, parents, "the path");
    if (parent === undefined) return;
    if (whiteout.kind === "opaque") {
      this.#prune(parent);
      return;
    }
    const hidden = parent.entries.get(whiteout.name);
    if (hidden !== undefined && this.#isGone(hidden)) parent.entries.delete(whiteout.name);
  }

  /** Takes away what lower layers put into an entry; true when nothing of this layer is left of it. */
  #isGone(entry: Entry): boolean {
    if (entry.node.kind === "directory") this.#prune(entry.node);
    if (entry.layer === this.#layer) return false;
    return entry.node.kind !== "directory" || entry.node.entries.size === 0;
  }

  #prune(from: DirectoryNode): void {
    if (this.#pruned.has(from)) return;
    this.#pruned.add(from);
    for (const [name, entry] of from.entries) {
      if (this.#isGone(entry)) from.entries.delete(name);
    }
  }

  /** The directory a path leads to, no symbolic link allowed on the way; undefined where a part is missing. */
  #strict(entry: TarEntry, parts: readonly string[], what: string): DirectoryNode | undefined {
    let here = this.root;
    for (const part of parts) {
      const next = here.entries.get(part)?.node;
      if (next === undefined) return undefined;
      if (next.kind === "symlink") throw refuse(entry, "BadLink", `${what} leads through a symbolic link`);
      if (next.kind !== "directory") throw refuse(entry, "BadPath", `${what} leads through a file`);
      here = next;
    }
    return here;
  }

  /** The directory for an ordinary entry: missing ones are made, links of lower layers followed. */
  #parent(entry: TarEntry, parts: readonly string[]): DirectoryNode {
    const todo = [...parts].reverse();
    const above: DirectoryNode[] = [];
    let here = this.root;
    let links = 0;
    for (let part = todo.pop(); part !== undefined; part = todo.pop()) {
      if (part === "" || part === ".") continue;
      if (part === "..") {
        here = above.pop() ?? here;
        continue;
      }
      const next = this.#child(here, part);
      if (next.node.kind === "directory") {
        above.push(here);
        here = next.node;
        continue;
      }
      if (next.node.kind !== "symlink") throw refuse(entry, "BadPath", "is below a file");
      links += 1;
      if (next.layer === this.#layer || links > mostLinks) throw refuse(entry, "BadLink", "is below a symbolic link");
      if (next.node.target.startsWith("/")) here = above.splice(0)[0] ?? here;
      todo.push(...next.node.target.split("/").reverse());
    }
    return here;
  }

  #child(here: DirectoryNode, name: string): Entry {
    const known = here.entries.get(name);
    if (known !== undefined) return known;
    within(name.length, this.#limits.nameBytes, `entry ${shown(name)}: bytes of its name`);
    this.#count(name.length);
    const made = { node: directory(), layer: this.#layer };
    here.entries.set(name, made);
    return made;
  }
}

function xattrCost(entry: TarEntry): number {
  return entry.xattrs.reduce((sum, { name, value }) => sum + name.length + value.length, 0);
}

function refuse(entry: TarEntry, code: "BadPath" | "BadLink", why: string): ImageRefused {
  return new ImageRefused(code, `entry ${shown(entry.path)}: ${why}`);
}

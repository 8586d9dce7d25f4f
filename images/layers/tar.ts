/**
 * Reads a tar archive as it streams by: bytes are pushed in, entries and their contents come out, nothing is kept. The
 * rules about what an entry may be are not here but in merge.ts; here are only those that reading itself needs.
 *
 *     header ─┬─ x, L, K ── its body, remembered for the next header
 *             ├─ g ──────── its body, ignored
 *             ├─ S ──────── extension blocks ─┐
 *             ├─ GNU.sparse 1.0 ── map blocks ┤
 *             └─ anything else ───────────────┴─ entry, contents, padding
 *
 * Source: layers/header.ts and extended.ts name the formats; differences between readers are settled as Go's archive/tar
 * does, because that is what other container engines use: links and directories have no contents whatever their size
 * says, a V7 file whose name ends in a slash is a directory.
 */
import type { Xattr } from "../erofs/tree.ts";
import { ImageRefused } from "../errors.ts";
import type { Limits } from "../limits.ts";
import { within } from "../limits.ts";
import { type Extended, noRecords, readRecords, sortedXattrs } from "./extended.ts";
import { isZero, parseHeader, type RawHeader, tarBlock } from "./header.ts";
import { type Body, checkedPieces, MapReader, oldExtension, oldHeader, SparseBody } from "./sparse.ts";

/** What an entry is. */
export type TarKind = "file" | "link" | "symlink" | "char" | "block" | "directory" | "fifo";

/** One entry. Names and targets are byte strings, as the archive has them. */
export interface TarEntry {
  readonly kind: TarKind;
  readonly path: string;
  readonly linkTarget: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtimeS: number;
  readonly mtimeNs: number;
  /** Bytes of the file, holes included; 0 for what is no file. */
  readonly size: number;
  readonly major: number;
  readonly minor: number;
  readonly xattrs: readonly Xattr[];
  /** Where in the archive the contents begin. */
  readonly offset: number;
  /** Whether there are holes: then the archive holds fewer bytes than `size`. */
  readonly sparse: boolean;
}

/** Takes entries in order. A returned body gets the contents before the next entry comes. */
export interface TarSink {
  entry(entry: TarEntry): Body | undefined;
}

const kinds: Record<string, TarKind> = {
  "0": "file",
  "\0": "file",
  "7": "file",
  S: "file",
  "1": "link",
  "2": "symlink",
  "3": "char",
  "4": "block",
  "5": "directory",
  "6": "fifo",
};

// Types whose header stands alone whatever size it states.
const bare = "123456";

const nowhere: Body = { write() {}, skip() {}, end() {} };

/** A push reader: push() every chunk, then finish(). */
export class TarReader {
  readonly #sink: TarSink;
  readonly #limits: Limits;
  /** Bytes collected for the next step, when a chunk did not hold them all. */
  #held: Buffer[] = [];
  #heldBytes = 0;
  #wanted = tarBlock;
  #take: (bytes: Buffer) => void = (block) => this.#header(block);
  #body: Body = nowhere;
  #bodyLeft = 0;
  #padding = 0;
  #position = 0;
  #records: Extended = noRecords();
  #extendedBytes = 0;
  #midEntry = false;
  #ended = false;

  constructor(sink: TarSink, limits: Limits) {
    this.#sink = sink;
    this.#limits = limits;
  }

  /** @throws {ImageRefused} whatever is wrong with the archive, or what the sink throws */
  push(chunk: Buffer): void {
    let rest = chunk;
    while (rest.length > 0 && !this.#ended) {
      const before = rest.length;
      if (this.#bodyLeft > 0) rest = this.#contents(rest);
      else if (this.#padding > 0) rest = this.#pad(rest);
      else rest = this.#collect(rest);
      this.#position += before - rest.length;
    }
  }

  /** The archive is over. @throws {ImageRefused} Truncated, in the middle of an entry */
  finish(): void {
    const cut = this.#bodyLeft > 0 || this.#padding > 0 || this.#heldBytes > 0 || this.#midEntry;
    if (!this.#ended && cut) throw new ImageRefused("Truncated", "tar: ends in the middle of an entry");
  }

  #contents(rest: Buffer): Buffer {
    const part = rest.subarray(0, this.#bodyLeft);
    this.#body.write(part);
    this.#bodyLeft -= part.length;
    if (this.#bodyLeft === 0) this.#body.end();
    return rest.subarray(part.length);
  }

  #pad(rest: Buffer): Buffer {
    const count = Math.min(rest.length, this.#padding);
    this.#padding -= count;
    return rest.subarray(count);
  }

  #collect(rest: Buffer): Buffer {
    const part = rest.subarray(0, this.#wanted - this.#heldBytes);
    if (this.#heldBytes + part.length < this.#wanted) {
      this.#held.push(Buffer.from(part));
      this.#heldBytes += part.length;
      return rest.subarray(part.length);
    }
    const whole = this.#heldBytes === 0 ? part : Buffer.concat([...this.#held, part]);
    this.#held = [];
    this.#heldBytes = 0;
    const take = this.#take;
    this.#next(tarBlock, (block) => this.#header(block));
    // The sink wants to know where contents begin, so the position must already be behind what was taken.
    this.#position += part.length;
    take(whole);
    this.#position -= part.length;
    return rest.subarray(part.length);
  }

  #next(wanted: number, take: (bytes: Buffer) => void): void {
    this.#wanted = wanted;
    this.#take = take;
  }

  #header(block: Buffer): void {
    if (isZero(block)) {
      if (this.#midEntry) throw new ImageRefused("Malformed", "tar: extended header without an entry");
      this.#ended = true;
      return;
    }
    const header = parseHeader(block);
    if ("xgLK".includes(header.type)) this.#extended(header);
    else if (header.type === "S") this.#oldSparse(header, block);
    else if (this.#records.sparse?.version === "1.0") this.#newSparse(header);
    else this.#entry(header, this.#records.sparse?.map);
  }

  #extended(header: RawHeader): void {
    this.#extendedBytes += header.size;
    within(this.#extendedBytes, this.#limits.extendedHeaderBytes, "tar: bytes of extended headers before an entry");
    const wasMidEntry = this.#midEntry;
    this.#midEntry = true;
    const take = (body: Buffer) => {
      this.#padding = padding(header.size);
      if (header.type === "x") readRecords(body, this.#records);
      if (header.type === "L") this.#records.path = body.toString("latin1").split("\0", 1)[0] ?? "";
      if (header.type === "K") this.#records.linkTarget = body.toString("latin1").split("\0", 1)[0] ?? "";
      // A global header stands alone; what it says is not for us.
      if (header.type === "g") this.#midEntry = wasMidEntry;
    };
    if (header.size === 0) take(Buffer.alloc(0));
    else this.#next(header.size, take);
  }

  #oldSparse(header: RawHeader, block: Buffer): void {
    const { numbers, more, realSize } = oldHeader(block);
    this.#records.sparse = { realSize, map: [] };
    if (!more) return this.#entry(header, numbers);
    this.#midEntry = true;
    const extension = (next: Buffer) => {
      const found = oldExtension(next);
      numbers.push(...found.numbers);
      within(numbers.length / 2, this.#limits.sparsePieces, "tar: pieces of a sparse file");
      if (found.more) this.#next(tarBlock, extension);
      else this.#entry(header, numbers);
    };
    this.#next(tarBlock, extension);
  }

  #newSparse(header: RawHeader): void {
    const map = new MapReader(this.#limits.sparsePieces);
    this.#midEntry = true;
    const take = (block: Buffer) => {
      if (!map.take(block)) return this.#next(tarBlock, take);
      this.#entry(header, map.numbers, map.bytes);
    };
    this.#next(tarBlock, take);
  }

  /** @param mapBytes bytes of a sparse map that stood before the contents and count as such */
  #entry(header: RawHeader, sparseMap: readonly number[] | undefined, mapBytes = 0): void {
    const entry = describe(header, this.#records, this.#position);
    const stored = bare.includes(header.type) ? 0 : (this.#records.size ?? header.size) - mapBytes;
    if (stored < 0) throw new ImageRefused("Malformed", "tar: negative size");
    const real = this.#records.sparse?.realSize ?? stored;
    const sparse = entry.kind === "file" && this.#records.sparse !== undefined;
    const pieces = sparse ? this.#pieces(sparseMap ?? [], real, stored) : undefined;
    this.#records = noRecords();
    this.#extendedBytes = 0;
    this.#midEntry = false;
    const body = this.#sink.entry({ ...entry, size: sparse ? real : stored, sparse }) ?? nowhere;
    this.#body = pieces === undefined ? body : new SparseBody(body, pieces, real);
    this.#bodyLeft = stored;
    this.#padding = padding(stored);
    if (stored === 0) this.#body.end();
  }

  #pieces(map: readonly number[], real: number, stored: number) {
    within(map.length / 2, this.#limits.sparsePieces, "tar: pieces of a sparse file");
    return checkedPieces(map, real, stored);
  }
}

function padding(size: number): number {
  return (tarBlock - (size % tarBlock)) % tarBlock;
}

function kindOf(header: RawHeader, path: string): TarKind {
  const kind = kinds[header.type];
  if (kind === undefined) {
    throw new ImageRefused("Unsupported", `tar: entry of type ${JSON.stringify(header.type)}`);
  }
  return header.type === "\0" && path.endsWith("/") ? "directory" : kind;
}

function describe(header: RawHeader, records: Extended, offset: number): Omit<TarEntry, "size" | "sparse"> {
  const path = records.sparse?.name ?? records.path ?? header.path;
  return {
    kind: kindOf(header, path),
    path,
    linkTarget: records.linkTarget ?? header.linkTarget,
    mode: header.mode & 0o7777,
    uid: records.uid ?? header.uid,
    gid: records.gid ?? header.gid,
    mtimeS: Math.max(0, records.mtime?.seconds ?? header.mtime),
    mtimeNs: records.mtime?.ns ?? 0,
    major: header.major,
    minor: header.minor,
    xattrs: sortedXattrs(records),
    offset,
  };
}

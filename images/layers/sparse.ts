/**
 * Sparse files of GNU tar: which pieces of the file the archive holds; the rest is zeros.
 * Source: GNU tar manual, "Storing Sparse Files"
 */
import { ImageRefused } from "../errors.ts";
import { numeric, tarBlock } from "./header.ts";

/** A run of bytes that the archive holds. */
export interface Piece {
  readonly offset: number;
  readonly length: number;
}

/** What takes a file's bytes in order. */
export interface Body {
  write(bytes: Buffer): void;
  /** `count` zero bytes. */
  skip(count: number): void;
  end(): void;
}

const entryBytes = 24;

function malformed(what: string): ImageRefused {
  return new ImageRefused("Malformed", `tar: sparse file: ${what}`);
}

/** Pairs of offset and length, checked: in order, apart, within the file, as long together as what is stored. */
export function checkedPieces(numbers: readonly number[], realSize: number, storedSize: number): Piece[] {
  if (numbers.length % 2 !== 0) throw malformed("half a piece");
  const pieces: Piece[] = [];
  let end = 0;
  let stored = 0;
  for (let at = 0; at < numbers.length; at += 2) {
    const offset = numbers[at] ?? 0;
    const length = numbers[at + 1] ?? 0;
    if (offset < end || offset + length > realSize) throw malformed("pieces overlap or leave the file");
    end = offset + length;
    stored += length;
    pieces.push({ offset, length });
  }
  if (stored !== storedSize) throw malformed("pieces and stored size differ");
  return pieces;
}

/** The offset and length pairs in a block of the old format. A pair with an empty length field ends the list. */
function oldPairs(block: Buffer, at: number, count: number): number[] {
  const numbers: number[] = [];
  for (let index = 0; index < count; index++) {
    const field = at + index * entryBytes;
    if (block[field + 12] === 0) break;
    numbers.push(numeric(block.subarray(field, field + 12)), numeric(block.subarray(field + 12, field + 24)));
  }
  return numbers;
}

/** What the old format's header says beside the usual. */
export function oldHeader(block: Buffer): { numbers: number[]; more: boolean; realSize: number } {
  return { numbers: oldPairs(block, 386, 4), more: block[482] === 1, realSize: numeric(block.subarray(483, 495)) };
}

/** One extension block of the old format. */
export function oldExtension(block: Buffer): { numbers: number[]; more: boolean } {
  return { numbers: oldPairs(block, 0, 21), more: block[504] === 1 };
}

/** Reads the map that version 1.0 puts before the data: decimal lines, filled up to a block. */
export class MapReader {
  readonly #mostPieces: number;
  readonly #numbers: number[] = [];
  #line = "";
  #blocks = 0;

  constructor(mostPieces: number) {
    this.#mostPieces = mostPieces;
  }

  /** Bytes read so far. */
  get bytes(): number {
    return this.#blocks * tarBlock;
  }

  /** Takes one block; true when the map is complete. */
  take(block: Buffer): boolean {
    this.#blocks += 1;
    const lines = (this.#line + block.toString("latin1")).split("\n");
    this.#line = lines.pop() ?? "";
    for (const line of lines) {
      if (this.#complete()) break;
      this.#number(line);
    }
    if (this.#complete()) return true;
    if (this.#line.length > 32) throw malformed("a line too long");
    return false;
  }

  /** The pairs, without their count. */
  get numbers(): readonly number[] {
    return this.#numbers.slice(1);
  }

  #complete(): boolean {
    const count = this.#numbers[0];
    return count !== undefined && this.#numbers.length === 1 + 2 * count;
  }

  #number(line: string): void {
    if (!/^\d{1,16}$/.test(line)) throw malformed("not a number");
    this.#numbers.push(Number(line));
    if ((this.#numbers[0] ?? 0) > this.#mostPieces) {
      throw new ImageRefused("LimitExceeded", `tar: sparse file of more than ${this.#mostPieces} pieces`);
    }
  }
}

/** Turns stored pieces back into the file. */
export class SparseBody implements Body {
  readonly #pieces: readonly Piece[];
  readonly #realSize: number;
  readonly #into: Body;
  #index = 0;
  #position = 0;

  constructor(into: Body, pieces: readonly Piece[], realSize: number) {
    this.#into = into;
    this.#pieces = pieces;
    this.#realSize = realSize;
  }

  write(bytes: Buffer): void {
    let rest = bytes;
    while (rest.length > 0) {
      const piece = this.#pieces[this.#index];
      if (piece === undefined) throw malformed("more data than pieces");
      this.#skipTo(piece.offset);
      const part = rest.subarray(0, piece.offset + piece.length - this.#position);
      this.#into.write(part);
      this.#position += part.length;
      rest = rest.subarray(part.length);
      if (this.#position === piece.offset + piece.length) this.#index += 1;
    }
  }

  skip(count: number): void {
    this.write(Buffer.alloc(count));
  }

  end(): void {
    this.#skipTo(this.#realSize);
    this.#into.end();
  }

  // A piece of no length at its own offset would otherwise move backwards.
  #skipTo(offset: number): void {
    if (offset <= this.#position) return;
    this.#into.skip(offset - this.#position);
    this.#position = offset;
  }
}

/**
 * Cuts a zstd stream where its frames end, so that no write to the decoder holds the end of one frame and the start of
 * the next: Node's decoder loses what follows a frame's end within one write. Frames without data (skippable ones, which
 * layers made for lazy pulling carry) are left out. Only lengths are read here; the decoder checks the rest.
 * Source: RFC 8878, section 3.1
 */
import { ImageRefused } from "../errors.ts";

const magic = 0xfd2fb528;
const skippableMagic = 0x184d2a50;
const dictionaryIdBytes = [0, 1, 2, 4];
const contentSizeBytes = [0, 2, 4, 8];

type Field = "magic" | "skipSize" | "descriptor" | "header" | "block";

/** Splits chunks as they come. */
export class FrameSplitter {
  #field: Field = "magic";
  #wanted = 4;
  #held = Buffer.alloc(16);
  #filled = 0;
  /** Bytes until the next field. */
  #run = 0;
  #dropping = false;
  #checksumBytes = 0;
  #ended = true;
  #part: Buffer[] = [];
  #parts: Buffer[] = [];

  /** Whether the stream may end here. */
  get atFrameEnd(): boolean {
    return this.#field === "magic" && this.#filled === 0 && this.#run === 0;
  }

  /** What to feed to the decoder, one write for each. @throws {ImageRefused} Malformed */
  split(chunk: Buffer): Buffer[] {
    this.#parts = [];
    for (let at = 0; at < chunk.length; ) {
      at += this.#run > 0 ? this.#pass(chunk.subarray(at)) : this.#collect(chunk, at);
      if (this.#run === 0 && this.#ended) this.#cut();
    }
    this.#cut();
    return this.#parts;
  }

  #cut(): void {
    if (this.#part.length > 0) this.#parts.push(Buffer.concat(this.#part));
    this.#part = [];
  }

  #pass(rest: Buffer): number {
    const bytes = rest.subarray(0, this.#run);
    this.#run -= bytes.length;
    if (!this.#dropping) this.#part.push(bytes);
    return bytes.length;
  }

  #collect(chunk: Buffer, at: number): number {
    const count = chunk.copy(this.#held, this.#filled, at, at + this.#wanted - this.#filled);
    this.#filled += count;
    if (this.#filled === this.#wanted) {
      const bytes = Buffer.from(this.#held.subarray(0, this.#wanted));
      this.#filled = 0;
      this.#read(bytes);
    }
    return count;
  }

  #read(bytes: Buffer): void {
    if (this.#field === "magic") this.#readMagic(bytes);
    else if (this.#field === "skipSize") this.#next("magic", 4, bytes.readUInt32LE(0));
    else {
      this.#part.push(bytes);
      if (this.#field === "descriptor") this.#readDescriptor(bytes.readUInt8(0));
      else if (this.#field === "header") this.#next("block", 3, 0);
      else this.#readBlock(bytes.readUIntLE(0, 3));
    }
  }

  #next(field: Field, wanted: number, run: number): void {
    this.#field = field;
    this.#wanted = wanted;
    this.#run = run;
  }

  #readMagic(bytes: Buffer): void {
    const number = bytes.readUInt32LE(0);
    this.#dropping = (number & 0xfffffff0) >>> 0 === skippableMagic;
    if (this.#dropping) return this.#next("skipSize", 4, 0);
    if (number !== magic) throw new ImageRefused("Malformed", "zstd: no frame where one should start");
    this.#ended = false;
    this.#part.push(bytes);
    this.#next("descriptor", 1, 0);
  }

  #readDescriptor(byte: number): void {
    const single = (byte & 0x20) !== 0;
    this.#checksumBytes = (byte & 4) === 0 ? 0 : 4;
    const sizeBytes = byte >> 6 === 0 && single ? 1 : (contentSizeBytes[byte >> 6] ?? 0);
    this.#next("header", (single ? 0 : 1) + (dictionaryIdBytes[byte & 3] ?? 0) + sizeBytes, 0);
  }

  #readBlock(header: number): void {
    const type = (header >> 1) & 3;
    if (type === 3) throw new ImageRefused("Malformed", "zstd: block of a reserved type");
    this.#ended = (header & 1) === 1;
    // A run-length block stores one byte, whatever its size.
    const bytes = (type === 1 ? 1 : header >> 3) + (this.#ended ? this.#checksumBytes : 0);
    if (this.#ended) this.#next("magic", 4, bytes);
    else this.#next("block", 3, bytes);
  }
}

/**
 * Sequential writing to a descriptor through one large buffer, at positions of our own, so that jumping over zeros leaves
 * holes in the host's file. Synchronous: used in the conversion worker, which does nothing else meanwhile.
 */
import { readSync, writeSync } from "node:fs";

const bufferBytes = 1 << 20;

/** Writes all of `bytes` at `position`. */
export function writeFully(fd: number, bytes: Uint8Array, position: number): void {
  let done = 0;
  while (done < bytes.length) done += writeSync(fd, bytes, done, bytes.length - done, position + done);
}

/** Fills `into` from `position`. @throws {RangeError} the file ends before */
export function readFully(fd: number, into: Uint8Array, position: number): void {
  let done = 0;
  while (done < into.length) {
    const count = readSync(fd, into, done, into.length - done, position + done);
    if (count === 0) throw new RangeError(`file ends at ${position + done}`);
    done += count;
  }
}

/** A buffered writer that only goes forward. */
export class Outlet {
  readonly #fd: number;
  readonly #buffer = Buffer.allocUnsafeSlow(bufferBytes);
  #filled = 0;
  #flushedTo: number;

  constructor(fd: number, position: number) {
    this.#fd = fd;
    this.#flushedTo = position;
  }

  /** Where the next byte goes. */
  get position(): number {
    return this.#flushedTo + this.#filled;
  }

  append(bytes: Buffer): void {
    let rest = bytes;
    while (rest.length > 0) {
      if (this.#filled === 0 && rest.length >= bufferBytes) {
        writeFully(this.#fd, rest, this.#flushedTo);
        this.#flushedTo += rest.length;
        return;
      }
      const count = Math.min(rest.length, bufferBytes - this.#filled);
      rest.copy(this.#buffer, this.#filled, 0, count);
      this.#filled += count;
      if (this.#filled === bufferBytes) this.flush();
      rest = rest.subarray(count);
    }
  }

  /** Moves on by `count` zero bytes; long runs become a hole. */
  skip(count: number): void {
    if (count <= bufferBytes - this.#filled) {
      this.#buffer.fill(0, this.#filled, this.#filled + count);
      this.#filled += count;
      return;
    }
    this.flush();
    this.#flushedTo += count;
  }

  /** Moves on to `position` with zero bytes. */
  skipTo(position: number): void {
    this.skip(position - this.position);
  }

  flush(): void {
    writeFully(this.#fd, this.#buffer.subarray(0, this.#filled), this.#flushedTo);
    this.#flushedTo += this.#filled;
    this.#filled = 0;
  }
}

/** Reads at arbitrary positions through a window, for readers that mostly go forward. */
export class Window {
  readonly #fd: number;
  readonly #end: number;
  readonly #buffer = Buffer.allocUnsafeSlow(1 << 18);
  #start = 0;
  #filled = 0;

  /** @param end bytes in the file */
  constructor(fd: number, end: number) {
    this.#fd = fd;
    this.#end = end;
  }

  /** `length` bytes, at most 256 KiB, valid until the next call. */
  read(position: number, length: number): Buffer {
    const from = position - this.#start;
    if (from >= 0 && from + length <= this.#filled) return this.#buffer.subarray(from, from + length);
    this.#start = position;
    this.#filled = Math.min(this.#buffer.length, this.#end - position);
    readFully(this.#fd, this.#buffer.subarray(0, this.#filled), position);
    return this.#buffer.subarray(0, length);
  }
}

/**
 * How far a log file is: written after every piece of the log, in one of two places by turns, each with a checksum. A
 * process that is killed in the middle leaves the mark before.
 */
import { type FileHandle, open } from "node:fs/promises";
import { crc32 } from "node:zlib";

/** What is safe. */
export interface Mark {
  /** Offset in the guest's log where the rest begins. */
  readonly offset: bigint;
  /** Bytes of the log file. */
  readonly size: number;
  /** What came of a line that has not ended yet. */
  readonly output: Buffer;
  readonly errors: Buffer;
}

const slotBytes = 64 << 10;
const headBytes = 36;
const nothing: Mark = { offset: 0n, size: 0, output: Buffer.alloc(0), errors: Buffer.alloc(0) };

/** The mark beside a log file. */
export class MarkFile {
  readonly #file: FileHandle;
  #turn: bigint;

  private constructor(file: FileHandle, turn: bigint) {
    this.#file = file;
    this.#turn = turn;
  }

  /** Opens a mark, or makes one of an empty log. */
  static async open(path: string): Promise<{ marks: MarkFile; mark: Mark }> {
    const file = await open(path, "r+", 0o640).catch(async () => await open(path, "w+", 0o640));
    const slots = [await readSlot(file, 0), await readSlot(file, slotBytes)];
    const found = slots.filter((slot) => slot !== undefined).sort((a, b) => Number(b.turn - a.turn));
    const [last = { turn: 0n, mark: nothing }] = found;
    return { marks: new MarkFile(file, last.turn), mark: last.mark };
  }

  /** Sets the mark. */
  async write({ offset, size, output, errors }: Mark): Promise<void> {
    this.#turn += 1n;
    const head = Buffer.alloc(headBytes);
    head.writeBigUInt64LE(this.#turn, 4);
    head.writeBigUInt64LE(offset, 12);
    head.writeBigUInt64LE(BigInt(size), 20);
    head.writeUInt32LE(output.length, 28);
    head.writeUInt32LE(errors.length, 32);
    const slot = Buffer.concat([head, output, errors]);
    slot.writeUInt32LE(crc32(slot.subarray(4)), 0);
    await this.#file.write(slot, 0, slot.length, Number(this.#turn % 2n) * slotBytes);
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}

async function readSlot(file: FileHandle, at: number): Promise<{ turn: bigint; mark: Mark } | undefined> {
  const slot = Buffer.alloc(slotBytes);
  const { bytesRead } = await file.read(slot, 0, slotBytes, at);
  if (bytesRead < headBytes) return undefined;
  const middle = headBytes + slot.readUInt32LE(28);
  const end = middle + slot.readUInt32LE(32);
  if (end > bytesRead || crc32(slot.subarray(4, end)) !== slot.readUInt32LE(0)) return undefined;
  const mark = {
    offset: slot.readBigUInt64LE(12),
    size: Number(slot.readBigUInt64LE(20)),
    output: Buffer.from(slot.subarray(headBytes, middle)),
    errors: Buffer.from(slot.subarray(middle, end)),
  };
  return { turn: slot.readBigUInt64LE(4), mark };
}

/**
 * Rows on their way between threads: one piece of memory that is handed over, not copied.
 *
 * A buffer cannot be handed over itself: many share the memory of a pool, and the current value is kept here.
 */

/** One write as the log keeps it. */
export interface Row {
  readonly revision: number;
  readonly key: string;
  /** Revision of the write that made the key exist; 0 when this write removed it. */
  readonly created: number;
  /** Revision of the value that this write replaced or removed; 0 when there was none. */
  readonly previous: number;
  /** Empty for a removal. */
  readonly value: Uint8Array;
}

/** Packed rows. Both arrays own their memory and can be transferred. */
export interface Frame {
  /** For each row: revision, created, previous, bytes of the key, bytes of the value. */
  readonly numbers: Float64Array<ArrayBuffer>;
  /** For each row: its key in UTF-8, its value. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

const perRow = 5;

/** Packs rows, copying their bytes once. */
export function pack(rows: readonly Row[]): Frame {
  const numbers = new Float64Array(rows.length * perRow);
  let size = 0;
  for (const [i, { revision, created, previous, key, value }] of rows.entries()) {
    const keySize = Buffer.byteLength(key);
    numbers[i * perRow] = revision;
    numbers[i * perRow + 1] = created;
    numbers[i * perRow + 2] = previous;
    numbers[i * perRow + 3] = keySize;
    numbers[i * perRow + 4] = value.length;
    size += keySize + value.length;
  }
  const bytes = new Uint8Array(Buffer.allocUnsafeSlow(size).buffer);
  const writer = Buffer.from(bytes.buffer);
  let at = 0;
  for (const { key, value } of rows) {
    at += writer.write(key, at);
    bytes.set(value, at);
    at += value.length;
  }
  return { numbers, bytes };
}

/** The memory to hand over with a frame. */
export function memoryOf(frames: readonly Frame[]): ArrayBuffer[] {
  return frames.flatMap(({ numbers, bytes }) => [numbers.buffer, bytes.buffer]);
}

/** Unpacks rows. Their values are views of the frame, which stays in memory as long as one of them does. */
export function unpack({ numbers, bytes }: Frame): (Row & { readonly value: Buffer })[] {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const rows: (Row & { readonly value: Buffer })[] = [];
  let at = 0;
  for (let i = 0; i < numbers.length; i += perRow) {
    const [revision = 0, created = 0, previous = 0] = [numbers[i], numbers[i + 1], numbers[i + 2]];
    const keyEnd = at + (numbers[i + 3] ?? 0);
    const end = keyEnd + (numbers[i + 4] ?? 0);
    rows.push({
      revision,
      created,
      previous,
      key: text.toString("utf8", at, keyEnd),
      value: text.subarray(keyEnd, end),
    });
    at = end;
  }
  return rows;
}

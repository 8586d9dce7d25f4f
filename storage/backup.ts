/**
 * Copies of a store in a file, taken while it runs, and back into an empty store of any kind.
 *
 *   "ATOLLBK1"
 *   header    length (4 bytes), JSON: format, revision
 *   entries   by key: bytes of the key, bytes of the value (4 each), createRevision, modRevision (8 each), key, value
 *   trailer   number of entries (8), bytes before the trailer (8), SHA-256 of everything before the digest (32)
 *
 * Integers are big-endian and unsigned, revisions are doubles.
 */
import { createHash, type Hash } from "node:crypto";
import fs from "node:fs/promises";
import path from "node:path";
import { compareKeys } from "./keys.ts";
import { Compacted, type Entry, type Page, type Store, StoreRefused } from "./store.ts";

/** What is in a backup. */
export interface Backup {
  /** The store's revision at the moment that the backup shows. */
  readonly revision: number;
  readonly entries: number;
  /** SHA-256 of the file, in hex: names the backup. */
  readonly digest: string;
  /** SHA-256 of its entries, in hex: a store that gives the same holds the same. */
  readonly content: string;
}

/** What a backup is made of: a store, or a snapshot of one. */
export type BackupSource = Pick<Store, "list">;

/** An empty store that a backup goes into. Calls come in this order; abandon() instead of finish() when one fails. */
export interface RestoreTarget {
  /**
   * Prepares an empty store. What an interrupted restore left is cleared away.
   * @throws {StoreRefused} it is not empty, or in use
   */
  begin(backup: Backup): Promise<void>;
  put(entries: readonly Entry[]): Promise<void>;
  /** Makes the store one that can be opened, at the backup's revision or above it. */
  finish(): Promise<void>;
  /** Lets go. The store stays one that cannot be opened, or empty. */
  abandon(): Promise<void>;
  /** Opens the finished store. */
  open(): Promise<Store>;
}

/** The file is no backup, or not as it was written. */
export class BackupDamaged extends Error {
  override readonly name = "BackupDamaged";
  constructor(file: string, why: string, options?: { cause: unknown }) {
    super(`${file} cannot be restored: ${why}`, options);
  }
}

/** The store does not hold what the backup holds: the restore went wrong. */
export class RestoreUnequal extends Error {
  override readonly name = "RestoreUnequal";
}

const magic = Buffer.from("ATOLLBK1");
// Raised when an older program could no longer read the file.
const format = 1;
const recordBytes = 24;
const digestBytes = 32;
const trailerBytes = 16 + digestBytes;
const pageEntries = 10_000;
const batchBytes = 512 * 1024;

/**
 * Writes every entry as of one moment into a new file, readable by this user only, and reads it back.
 * The file has its name only once it is whole.
 * @throws {Compacted} writes came so fast that history was forgotten three times over meanwhile
 * @throws {StoreUnavailable}
 */
export async function writeBackup(store: BackupSource, file: string): Promise<Backup> {
  const partial = `${file}.partial`;
  for (let attempt = 1; ; attempt++) {
    try {
      await writePartial(store, partial);
      break;
    } catch (error) {
      await fs.rm(partial, { force: true });
      if (!(error instanceof Compacted) || attempt === 3) throw error;
    }
  }
  const backup = await verifyBackup(partial);
  await fs.rename(partial, file);
  await syncFolder(path.dirname(file));
  return backup;
}

/**
 * Reads a whole backup and checks it.
 * @throws {BackupDamaged}
 * @throws {StoreRefused} a newer program has written it
 */
export async function verifyBackup(file: string): Promise<Backup> {
  const { revision, start, end, entries, digest } = await readFrame(file);
  const content = createHash("sha256");
  let count = 0;
  let last: string | undefined;
  for await (const batch of readEntries(file, start, end)) {
    for (const entry of batch) {
      if (last !== undefined && compareKeys(last, entry.key) >= 0)
        throw new BackupDamaged(file, `${last} is out of order`);
      last = entry.key;
      count++;
      hashEntry(content, entry);
    }
  }
  if (count !== entries) throw new BackupDamaged(file, `it has ${count} entries of ${entries}`);
  return { revision, entries, digest, content: content.digest("hex") };
}

/**
 * Fills an empty store from a backup, with the keys, values and revisions it had, and compares the two at the end.
 * A damaged file is refused before the store is touched; after an interruption, call it again.
 * @param told called with the number of entries written so far
 * @throws {BackupDamaged}
 * @throws {StoreRefused} the store is not empty or in use, or a newer program has written the file
 * @throws {RestoreUnequal}
 */
export async function restoreBackup(
  file: string,
  target: RestoreTarget,
  told = (_done: number) => {},
): Promise<Backup> {
  const backup = await verifyBackup(file);
  try {
    await target.begin(backup);
    const { start, end } = await readFrame(file);
    let done = 0;
    for await (const batch of readEntries(file, start, end)) {
      await target.put(batch);
      done += batch.length;
      told(done);
    }
    await target.finish();
  } catch (error) {
    await target.abandon();
    throw error;
  }
  await compare(backup, target);
  return backup;
}

async function compare({ content, revision }: Backup, target: RestoreTarget): Promise<void> {
  const store = await target.open();
  try {
    const found = createHash("sha256");
    for await (const page of pages(store)) for (const entry of page.entries) hashEntry(found, entry);
    if (found.digest("hex") !== content) throw new RestoreUnequal("what was restored is not what the backup holds");
    const at = await store.revision();
    if (at < revision) throw new RestoreUnequal(`the store is at revision ${at}, below the backup's ${revision}`);
  } finally {
    await store.close();
  }
}

async function writePartial(store: BackupSource, file: string): Promise<void> {
  const handle = await fs.open(file, "w", 0o600);
  try {
    await handle.chmod(0o600);
    const hash = createHash("sha256");
    let bytes = 0;
    const write = async (chunk: Buffer): Promise<void> => {
      hash.update(chunk);
      bytes += chunk.length;
      await handle.writeFile(chunk);
    };
    let entries = 0;
    for await (const page of pages(store)) {
      if (bytes === 0) await write(header(page.revision));
      for (const batch of batches(page.entries)) await write(Buffer.concat(batch.flatMap(recordOf)));
      entries += page.entries.length;
    }
    await write(pair(entries, bytes));
    await handle.writeFile(hash.digest());
    await handle.sync();
  } finally {
    await handle.close();
  }
}

// The entries of one moment; at least one page, which may be empty.
async function* pages(store: BackupSource): AsyncGenerator<Page, void> {
  let page = await store.list("", { limit: pageEntries });
  const { revision } = page;
  yield page;
  while (page.more) {
    page = await store.list("", { limit: pageEntries, revision, after: page.entries.at(-1)?.key ?? "" });
    yield page;
  }
}

function* batches(entries: readonly Entry[]): Generator<Entry[], void> {
  let batch: Entry[] = [];
  let bytes = 0;
  for (const entry of entries) {
    batch.push(entry);
    bytes += entry.value.length;
    if (bytes < batchBytes) continue;
    yield batch;
    batch = [];
    bytes = 0;
  }
  yield batch;
}

function header(revision: number): Buffer {
  const json = Buffer.from(JSON.stringify({ format, revision }));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(json.length);
  return Buffer.concat([magic, length, json]);
}

function recordOf({ key, value, createRevision, modRevision }: Entry): Buffer[] {
  const name = Buffer.from(key);
  const numbers = Buffer.alloc(recordBytes);
  numbers.writeUInt32BE(name.length, 0);
  numbers.writeUInt32BE(value.length, 4);
  numbers.writeDoubleBE(createRevision, 8);
  numbers.writeDoubleBE(modRevision, 16);
  return [numbers, name, value];
}

function hashEntry(hash: Hash, entry: Entry): void {
  for (const part of recordOf(entry)) hash.update(part);
}

interface Frame {
  readonly revision: number;
  readonly entries: number;
  readonly digest: string;
  /** Where entries begin and end in the file. */
  readonly start: number;
  readonly end: number;
}

// Everything around the entries, once the digest of the whole file is right.
async function readFrame(file: string): Promise<Frame> {
  const handle = await fs.open(file, "r");
  try {
    const { size } = await handle.stat();
    if (size < magic.length + 4 + trailerBytes) throw new BackupDamaged(file, "it is too short");
    const read = async (position: number, length: number): Promise<Buffer> => {
      const { bytesRead, buffer } = await handle.read(Buffer.alloc(length), 0, length, position);
      if (bytesRead !== length) throw new BackupDamaged(file, "it ends early");
      return buffer;
    };
    const head = await read(0, magic.length + 4);
    if (!head.subarray(0, magic.length).equals(magic)) throw new BackupDamaged(file, "it is no backup of Atoll's");
    const end = size - trailerBytes;
    const trailer = await read(end, trailerBytes);
    if (Number(trailer.readBigUInt64BE(8)) !== end) throw new BackupDamaged(file, "its length is not the one written");
    const hash = createHash("sha256");
    for await (const chunk of handle.createReadStream({ start: 0, end: size - digestBytes - 1, autoClose: false })) {
      hash.update(chunk);
    }
    const digest = hash.digest();
    if (!digest.equals(trailer.subarray(16))) throw new BackupDamaged(file, "its digest is wrong");
    const start = head.length + head.readUInt32BE(magic.length);
    if (start > end) throw new BackupDamaged(file, "its header is cut off");
    const { format: found, revision } = JSON.parse((await read(head.length, start - head.length)).toString());
    if (found !== format)
      throw new StoreRefused("newer format", `${file} has format ${found}; this program knows ${format}`);
    return { revision, entries: Number(trailer.readBigUInt64BE(0)), digest: digest.toString("hex"), start, end };
  } finally {
    await handle.close();
  }
}

async function* readEntries(file: string, start: number, end: number): AsyncGenerator<Entry[], void> {
  if (start === end) return;
  const handle = await fs.open(file, "r");
  try {
    let rest: Buffer = Buffer.alloc(0);
    const options = { start, end: end - 1, highWaterMark: batchBytes, autoClose: false };
    for await (const chunk of handle.createReadStream(options)) {
      const whole = takeEntries(Buffer.concat([rest, chunk]));
      rest = whole.rest;
      if (whole.entries.length > 0) yield whole.entries;
    }
    if (rest.length > 0) throw new BackupDamaged(file, "its last entry is cut off");
  } finally {
    await handle.close();
  }
}

// The entries that are whole, and the bytes after them.
function takeEntries(bytes: Buffer): { entries: Entry[]; rest: Buffer } {
  const entries: Entry[] = [];
  let at = 0;
  while (at + recordBytes <= bytes.length) {
    const keyStart = at + recordBytes;
    const valueStart = keyStart + bytes.readUInt32BE(at);
    const end = valueStart + bytes.readUInt32BE(at + 4);
    if (end > bytes.length) break;
    entries.push({
      key: bytes.toString("utf8", keyStart, valueStart),
      value: bytes.subarray(valueStart, end),
      createRevision: bytes.readDoubleBE(at + 8),
      modRevision: bytes.readDoubleBE(at + 16),
    });
    at = end;
  }
  return { entries, rest: bytes.subarray(at) };
}

function pair(one: number, other: number): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.writeBigUInt64BE(BigInt(one), 0);
  bytes.writeBigUInt64BE(BigInt(other), 8);
  return bytes;
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await fs.open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

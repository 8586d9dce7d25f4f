/**
 * What stands before each value in etcd, and what revisions mean there.
 *
 * etcd gives revisions itself, from 1. A store that was restored goes on from the revisions of another one: its
 * revision is etcd's and an offset, and what was restored carries the revisions it had (docs/rfd/0002-storage.md).
 *
 *   plain     0, nonce (8 bytes), value
 *   restored  1, createRevision, modRevision (8 bytes each), value       written by a restore
 *   heir      2, nonce, createRevision, value                            a later value of a restored key
 *
 * The nonce tells a server that repeats a write it had no answer to whether the first attempt was the one that won.
 */
import type { KeyValue } from "./wire.ts";
import type { Entry } from "../store.ts";

/** What all servers of one store agree on, kept in etcd under a key of its own. */
export interface Epoch {
  /** etcd's revision of this very record, by which a write knows that it still holds. */
  readonly modRevision: number;
  /** Added to etcd's revisions. */
  readonly offset: number;
  /** There is no history before this revision of the store. */
  readonly floor: number;
  /** etcd's revision when a restore had written everything: keys created up to here were restored. 0: none. */
  readonly restored: number;
  /** The restore that is not finished. */
  readonly restoring?: string;
}

// Raised when an older program could no longer use the data.
const format = 1;

/** Writes an epoch down. */
export function encodeEpoch({ modRevision: _, ...epoch }: Epoch): Buffer {
  return Buffer.from(JSON.stringify({ format, ...epoch }));
}

/** Reads an epoch; undefined when it has a format that this program does not know. */
export function decodeEpoch({ value, modRevision }: KeyValue): Epoch | undefined {
  const { format: found, ...epoch } = JSON.parse(value.toString());
  return found === format ? { ...epoch, modRevision } : undefined;
}

const plain = 0;
const restored = 1;
const heir = 2;

/** The header of a new value: plain, or of a key that was restored with this createRevision. */
export function header(nonce: Buffer, restoredCreate: number | undefined): Buffer {
  if (restoredCreate === undefined) return Buffer.concat([Buffer.of(plain), nonce]);
  return Buffer.concat([Buffer.of(heir), nonce, number(restoredCreate)]);
}

/** The header of a value that keeps its revisions. */
export function restoredHeader({ createRevision, modRevision }: Entry): Buffer {
  return Buffer.concat([Buffer.of(restored), number(createRevision), number(modRevision)]);
}

/** Reads a key whose name starts after `prefixBytes` bytes. */
export function decodeEntry(kv: KeyValue, offset: number, prefixBytes: number): Entry {
  const { key, value, createRevision, modRevision } = kv;
  return {
    key: key.toString("utf8", prefixBytes),
    value: value.subarray(wasRestored(kv) ? 17 : 9),
    createRevision: restoredCreate(kv) ?? createRevision + offset,
    modRevision: value[0] === restored ? value.readDoubleBE(9) : modRevision + offset,
  };
}

/** The createRevision that a restore brought with this key, if one did. */
export function restoredCreate({ value }: KeyValue): number | undefined {
  if (value[0] === restored) return value.readDoubleBE(1);
  return value[0] === heir ? value.readDoubleBE(9) : undefined;
}

/** Whether a restore wrote this very value. */
export function isRestored({ value }: KeyValue): boolean {
  return value[0] === restored;
}

/** Whether this value was written with this nonce. */
export function isBy({ value }: KeyValue, nonce: Buffer): boolean {
  return value[0] !== restored && value.subarray(1, 9).equals(nonce);
}

function wasRestored({ value }: KeyValue): boolean {
  return value[0] === restored || value[0] === heir;
}

// 53 bits are enough, and a double holds them.
function number(revision: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(revision);
  return bytes;
}

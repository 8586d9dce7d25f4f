/**
 * Extended headers: the records that pax puts before an entry to say what its header cannot.
 * Source: POSIX.1-2017 pax, "pax Extended Header"; star's SCHILY.xattr; GNU tar manual, "Storing Sparse Files"
 */
import type { Xattr } from "../erofs/tree.ts";
import { ImageRefused } from "../errors.ts";

/** What extended headers say of the next entry. Texts are byte strings. */
export interface Extended {
  path?: string;
  linkTarget?: string;
  size?: number;
  uid?: number;
  gid?: number;
  mtime?: { seconds: number; ns: number };
  xattrs: Map<string, Buffer>;
  sparse?: SparseRecords;
}

/** GNU's sparse records, versions 0.0, 0.1 and 1.0. */
export interface SparseRecords {
  version?: string;
  name?: string;
  realSize?: number;
  /** Offset, length, offset, length … from version 0. */
  map: number[];
}

/** No records. */
export function noRecords(): Extended {
  return { xattrs: new Map() };
}

const xattrPrefix = "SCHILY.xattr.";
const sparsePrefix = "GNU.sparse.";

function malformed(what: string): ImageRefused {
  return new ImageRefused("Malformed", `tar: extended header: ${what}`);
}

function integer(value: string): number {
  if (!/^\d{1,16}$/.test(value) || !Number.isSafeInteger(Number(value))) throw malformed("not a number");
  return Number(value);
}

function time(value: string): { seconds: number; ns: number } {
  const match = /^(-?)(\d{1,15})(?:\.(\d*))?$/.exec(value);
  if (match === null) throw malformed("not a time");
  if (match[1] === "-") return { seconds: 0, ns: 0 };
  return { seconds: Number(match[2]), ns: Number((match[3] ?? "").slice(0, 9).padEnd(9, "0")) };
}

const setters: Record<string, (into: Extended, value: string) => void> = {
  path: (into, value) => void (into.path = value),
  linkpath: (into, value) => void (into.linkTarget = value),
  size: (into, value) => void (into.size = integer(value)),
  uid: (into, value) => void (into.uid = integer(value)),
  gid: (into, value) => void (into.gid = integer(value)),
  mtime: (into, value) => void (into.mtime = time(value)),
};

const sparseSetters: Record<string, (into: SparseRecords, value: string) => void> = {
  major: (into, value) => void (into.version = `${value}.${into.version?.split(".")[1] ?? "0"}`),
  minor: (into, value) => void (into.version = `${into.version?.split(".")[0] ?? "0"}.${value}`),
  name: (into, value) => void (into.name = value),
  size: (into, value) => void (into.realSize = integer(value)),
  realsize: (into, value) => void (into.realSize = integer(value)),
  offset: (into, value) => void into.map.push(integer(value)),
  numbytes: (into, value) => void into.map.push(integer(value)),
  map: (into, value) => {
    for (const number of value.split(",")) into.map.push(integer(number));
  },
};

function apply(into: Extended, key: string, value: Buffer): void {
  if (key.startsWith(xattrPrefix)) {
    into.xattrs.set(key.slice(xattrPrefix.length), Buffer.from(value));
    return;
  }
  const text = value.toString("latin1");
  if (key.startsWith(sparsePrefix)) {
    into.sparse ??= { map: [] };
    sparseSetters[key.slice(sparsePrefix.length)]?.(into.sparse, text);
    return;
  }
  // An empty value takes a record of a global header back; those are not kept here.
  if (text !== "" && Object.hasOwn(setters, key)) setters[key]?.(into, text);
}

/** Adds the records of one extended header's body to `into`. @throws {ImageRefused} Malformed */
export function readRecords(body: Buffer, into: Extended): void {
  let at = 0;
  while (at < body.length) {
    const blank = body.indexOf(0x20, at);
    if (blank === -1 || blank - at > 10) throw malformed("no length");
    const length = integer(body.toString("latin1", at, blank));
    const end = at + length;
    const equals = body.indexOf(0x3d, blank);
    if (end > body.length || body[end - 1] !== 0x0a || equals === -1 || equals >= end) throw malformed("broken record");
    apply(into, body.toString("latin1", blank + 1, equals), body.subarray(equals + 1, end - 1));
    at = end;
  }
}

/** The attributes that records carried, sorted by name, so that their order cannot matter. */
export function sortedXattrs(records: Extended): Xattr[] {
  const list = [...records.xattrs].map(([name, value]) => ({ name, value }));
  return list.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/**
 * The stored bytes of an object, and how they become what is served.
 *
 * Stored is the object's JSON without its resourceVersion, which on etcd is known only after the commit:
 *
 *     {"kind":"Pod","apiVersion":"v1","metadata":{"name":"a",…},"spec":{…}}
 *                                                ^ the revision is spliced in here: `"resourceVersion":"42",`
 *
 * `kind` and `apiVersion` come first, so the position is the length of an opening that is the same for all objects of
 * a version, and serving an object means copying its bytes, never encoding it again.
 */
import type { ApiObject } from "@atoll/machinery/object";
import { parseStoredJson, stringifyJson } from "@atoll/machinery/json/json";
import type { Entry } from "@atoll/storage/store";

/** `{"kind":K,"apiVersion":V,"metadata":{` */
export function openingOf(kind: string, apiVersion: string): string {
  return `{"kind":${JSON.stringify(kind)},"apiVersion":${JSON.stringify(apiVersion)},"metadata":{`;
}

/** The bytes to store. The object's metadata must not be empty: it has at least a name. */
export function encodeStored(object: ApiObject): Buffer {
  const { kind, apiVersion, metadata, ...rest } = object;
  const { resourceVersion: _, ...stored } = metadata;
  return Buffer.from(stringifyJson({ kind, apiVersion, metadata: stored, ...rest }));
}

/** An entry's object, parsed, with its resourceVersion. */
export function decodeStored(entry: Entry): ApiObject {
  const object = parseStoredJson(entry.value) as ApiObject;
  object.metadata.resourceVersion = String(entry.modRevision);
  return object;
}

/** Writes `"resourceVersion":"N",` and the object's bytes around it. */
export class Splicer {
  readonly #at: number;

  constructor(kind: string, apiVersion: string) {
    this.#at = Buffer.byteLength(openingOf(kind, apiVersion));
  }

  /** The served bytes of one entry, between `before` and `after`. */
  splice(entry: Entry, before = "", after = ""): Buffer {
    const revision = `"resourceVersion":"${entry.modRevision}",`;
    const out = Buffer.allocUnsafe(before.length + entry.value.length + revision.length + after.length);
    let at = out.write(before, 0, "latin1");
    at += entry.value.copy(out, at, 0, this.#at);
    at += out.write(revision, at, "latin1");
    at += entry.value.copy(out, at, this.#at);
    out.write(after, at, "latin1");
    return out;
  }

  /**
   * The bytes of a run of entries as items of a list, separated by commas, in pieces of about `pieceBytes`. Items of
   * built-in kinds carry no kind and apiVersion, as upstream's typed lists encode them.
   */
  *items(entries: readonly Entry[], pieceBytes: number): Generator<Buffer> {
    for (let start = 0; start < entries.length; ) {
      let size = 0;
      let end = start;
      for (; end < entries.length && size < pieceBytes; end++) size += (entries[end]?.value.length ?? 0) + revisionRoom;
      yield this.#run(entries, start, { end, size });
      start = end;
    }
  }

  #run(entries: readonly Entry[], start: number, { end, size }: { end: number; size: number }): Buffer {
    const out = Buffer.allocUnsafe(size);
    let at = 0;
    for (let i = start; i < end; i++) {
      const entry = entries[i];
      if (entry === undefined) continue;
      const comma = i > 0 ? "," : "";
      at += out.write(`${comma}{"metadata":{"resourceVersion":"${entry.modRevision}",`, at, "latin1");
      at += entry.value.copy(out, at, this.#at);
    }
    return out.subarray(0, at);
  }
}

// `,{"metadata":{"resourceVersion":"9007199254740992",`, less an opening that is never shorter than the part before.
const revisionRoom = 52;

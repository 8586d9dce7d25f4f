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
function openingOf(kind: string, apiVersion: string): string {
  return `{"kind":${JSON.stringify(kind)},"apiVersion":${JSON.stringify(apiVersion)},"metadata":{`;
}

/** The bytes to store. The object's metadata must not be empty: it has at least a name. */
export function encodeStored(object: ApiObject): Buffer {
  const { kind, apiVersion, metadata, ...rest } = object;
  const { resourceVersion: _, ...stored } = metadata;
  return exactly(stringifyJson({ kind, apiVersion, metadata: stored, ...rest }));
}

/**
 * Text as bytes in memory of their own. What is kept for long must not be cut from Buffer's pool: it would keep the whole
 * of its 8 KiB, and with it what others cut from them and have long forgotten.
 */
function exactly(text: string): Buffer {
  const out = Buffer.allocUnsafeSlow(Buffer.byteLength(text));
  out.write(text);
  return out;
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
    let at = before === "" ? 0 : out.write(before, 0, "latin1");
    at += entry.value.copy(out, at, 0, this.#at);
    at += out.write(revision, at, "latin1");
    at += entry.value.copy(out, at, this.#at);
    if (after !== "") out.write(after, at, "latin1");
    return out;
  }

  /**
   * Entries as items of a list, separated by commas. Items of built-in kinds carry no kind and apiVersion, as upstream's
   * typed lists encode them.
   */
  items(entries: readonly Entry[]): Items {
    return new Items(entries, this.#at);
  }
}

/** A run of entries as items of a list: how long it is, and its bytes in pieces. */
export class Items {
  readonly length: number;
  readonly #entries: readonly Entry[];
  readonly #from: number;

  /** @param from where in an entry's bytes its metadata's fields begin */
  constructor(entries: readonly Entry[], from: number) {
    this.#entries = entries;
    this.#from = from;
    let length = Math.max(0, entries.length - 1);
    for (const entry of entries) length += this.#sizeOf(entry);
    this.length = length;
  }

  #sizeOf({ modRevision, value }: Entry): number {
    return itemOpening.length + String(modRevision).length + 2 + value.length - this.#from;
  }

  /** The bytes in pieces of about `pieceBytes`, each made when it is asked for. */
  *pieces(pieceBytes: number): Generator<Buffer> {
    const entries = this.#entries;
    for (let start = 0; start < entries.length; ) {
      let size = 0;
      let end = start;
      for (; end < entries.length && size < pieceBytes; end++) {
        const entry = entries[end];
        if (entry !== undefined) size += this.#sizeOf(entry) + 1;
      }
      yield this.#run(start, end, size);
      start = end;
    }
  }

  #run(start: number, end: number, size: number): Buffer {
    const out = Buffer.allocUnsafeSlow(size);
    let at = 0;
    for (let i = start; i < end; i++) {
      const entry = this.#entries[i];
      if (entry === undefined) continue;
      at += out.write(`${i > 0 ? "," : ""}${itemOpening}${entry.modRevision}",`, at, "latin1");
      at += entry.value.copy(out, at, this.#from);
    }
    return out.subarray(0, at);
  }
}

const itemOpening = `{"metadata":{"resourceVersion":"`;

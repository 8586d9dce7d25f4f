/** The current entries of a store whose state fits in memory, and what they were at an earlier revision. */
import { compareKeys, SortedKeys } from "./keys.ts";
import type { Change, Entry, Page } from "./store.ts";

/** Which part of a prefix to list. */
export interface Span {
  readonly prefix: string;
  readonly after?: string | undefined;
  readonly limit?: number | undefined;
}

/** Entries by key, in order. Holds the caller's buffers, never copies. */
export class State {
  readonly #entries = new Map<string, Entry>();
  readonly #keys = new SortedKeys();

  /** How many keys there are. */
  get size(): number {
    return this.#entries.size;
  }

  get(key: string): Entry | undefined {
    return this.#entries.get(key);
  }

  /** Fills an empty state. */
  fill(entries: Iterable<Entry>): void {
    for (const entry of entries) this.#entries.set(entry.key, entry);
    this.#keys.fill([...this.#entries.keys()]);
  }

  /** Applies one write: a put when there is an entry, else a removal. */
  apply(key: string, entry: Entry | undefined): void {
    if (entry === undefined) {
      if (this.#entries.delete(key)) this.#keys.remove(key);
      return;
    }
    if (!this.#entries.has(key)) this.#keys.add(key);
    this.#entries.set(key, entry);
  }

  /** Entries of a span, now. */
  page(span: Span, revision: number): Page {
    const limit = span.limit ?? Number.POSITIVE_INFINITY;
    const entries = this.#scan(span, limit + 1);
    const more = entries.length > limit;
    if (more) entries.length = limit;
    return { revision, entries, more, total: this.#keys.count(span.prefix) };
  }

  /**
   * Entries of a span as they were at `revision`.
   * @param since every change under the prefix after that revision up to now, ascending
   */
  pageAt(span: Span, revision: number, since: readonly Change[]): Page {
    const then = new Map<string, Entry | undefined>();
    for (const { key, previous } of since) if (!then.has(key)) then.set(key, previous);
    let total = this.#keys.count(span.prefix);
    const found: Entry[] = [];
    for (const [key, entry] of then) {
      total += Number(entry !== undefined) - Number(this.#entries.has(key));
      if (entry !== undefined && isAfter(key, span.after)) found.push(entry);
    }
    const limit = span.limit ?? Number.POSITIVE_INFINITY;
    for (const entry of this.#scan(span, limit + 1 + then.size)) if (!then.has(entry.key)) found.push(entry);
    found.sort((a, b) => compareKeys(a.key, b.key));
    return { revision, entries: found.slice(0, limit), more: found.length > limit, total };
  }

  #scan({ prefix, after }: Span, limit: number): Entry[] {
    const from = after !== undefined && compareKeys(after, prefix) > 0 ? after : prefix;
    const entries: Entry[] = [];
    for (const key of this.#keys.from(from, prefix)) {
      if (key === after) continue;
      const entry = this.#entries.get(key);
      if (entry !== undefined) entries.push(entry);
      if (entries.length >= limit) break;
    }
    return entries;
  }
}

function isAfter(key: string, after: string | undefined): boolean {
  return after === undefined || compareKeys(key, after) > 0;
}

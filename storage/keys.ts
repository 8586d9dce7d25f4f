/** Keys sort by their UTF-8 bytes, in every kind of store. JavaScript compares UTF-16 units, which differs. */

/**
 * Order of two keys by their UTF-8 bytes: negative, 0 or positive.
 * Units differ from bytes only where a surrogate (a code point above U+FFFF) meets U+E000 to U+FFFF.
 */
export function compareKeys(a: string, b: string): number {
  return compareAt(a, b, sharedFrom(a, b, 0));
}

/** How many units two keys begin with alike, when the first `from` are. */
function sharedFrom(a: string, b: string, from: number): number {
  const most = Math.min(a.length, b.length);
  let i = from;
  while (i < most && a.charCodeAt(i) === b.charCodeAt(i)) i++;
  return i;
}

/** Order of two keys whose first difference is at a place. */
function compareAt(a: string, b: string, at: number): number {
  if (at >= a.length || at >= b.length) return a.length - b.length;
  return rank(a.charCodeAt(at)) - rank(b.charCodeAt(at));
}

// Surrogates belong above every other unit.
function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}

const chunkLimit = 1024;

/** A sorted set of keys. Adding and removing cost a binary search and a short move. */
export class SortedKeys {
  // Each chunk is sorted, none is empty, and every key of a chunk sorts before those of the next.
  readonly #chunks: string[][] = [];

  /** Takes over keys that are not in order yet, each given once. Only for an empty set. */
  fill(keys: string[]): void {
    keys.sort(compareKeys);
    for (let i = 0; i < keys.length; i += chunkLimit / 2) this.#chunks.push(keys.slice(i, i + chunkLimit / 2));
  }

  /** Adds a key that is not in the set. */
  add(key: string): void {
    const at = this.#chunkOf(key);
    const chunk = this.#chunks[at];
    if (chunk === undefined) {
      this.#chunks.push([key]);
      return;
    }
    chunk.splice(lowerBound(chunk, key), 0, key);
    if (chunk.length > chunkLimit) this.#chunks.splice(at + 1, 0, chunk.splice(chunkLimit / 2));
  }

  /** Removes a key that is in the set. */
  remove(key: string): void {
    const at = this.#chunkOf(key);
    const chunk = this.#chunks[at];
    if (chunk === undefined) return;
    chunk.splice(lowerBound(chunk, key), 1);
    if (chunk.length === 0) this.#chunks.splice(at, 1);
  }

  /** Keys from `from` on that start with prefix, ascending. `from` itself starts with prefix or sorts before it. */
  *from(from: string, prefix: string): Generator<string, void> {
    let at = this.#chunkOf(from);
    let i = lowerBound(this.#chunks[at] ?? [], from);
    for (; at < this.#chunks.length; at++, i = 0) {
      const chunk = this.#chunks[at] ?? [];
      for (; i < chunk.length; i++) {
        const key = chunk[i] ?? "";
        if (!key.startsWith(prefix)) return;
        yield key;
      }
    }
  }

  /** How many keys start with prefix. Costs a step per thousand keys. */
  count(prefix: string): number {
    let total = 0;
    const first = this.#chunkOf(prefix);
    for (let at = first; at < this.#chunks.length; at++) {
      const chunk = this.#chunks[at] ?? [];
      const start = at === first ? lowerBound(chunk, prefix) : 0;
      const last = chunk.at(-1);
      if (last?.startsWith(prefix) !== true) return total + prefixBound(chunk, prefix, start) - start;
      total += chunk.length - start;
    }
    return total;
  }

  // The last chunk that starts at or before the key, or the first.
  #chunkOf(key: string): number {
    let low = 0;
    let high = this.#chunks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareKeys(this.#chunks[middle]?.[0] ?? "", key) <= 0) low = middle + 1;
      else high = middle;
    }
    return Math.max(0, low - 1);
  }
}

// First position whose key is at or after `key`. Keys begin alike: what the key shares with those on both sides of it, it
// shares with all between them, and that is not compared again.
function lowerBound(keys: readonly string[], key: string): number {
  let [low, sharedLow] = [0, 0];
  let [high, sharedHigh] = [keys.length, 0];
  while (low < high) {
    const middle = (low + high) >>> 1;
    const other = keys[middle] ?? "";
    const shared = sharedFrom(other, key, Math.min(sharedLow, sharedHigh));
    if (compareAt(other, key, shared) < 0) [low, sharedLow] = [middle + 1, shared];
    else [high, sharedHigh] = [middle, shared];
  }
  return low;
}

// First position at or after `start` whose key does not start with prefix, all keys from start on being at or after it.
function prefixBound(keys: readonly string[], prefix: string, start: number): number {
  let low = start;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (keys[middle]?.startsWith(prefix) === true) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * Values kept by key in byte order of their keys. Additions are sorted in only when somebody reads in order, so a
 * burst of creates costs one merge, not one shift of the whole array each.
 */

/** Anything that knows its key. A removed value is marked, and swept at the next ordered read. */
export interface Keyed {
  readonly key: string;
  removed: boolean;
}

/** A part of a run. */
interface Page<T> {
  readonly values: readonly T[];
  /** How many more there are. */
  readonly remaining: number;
}

export class Ordered<T extends Keyed> {
  readonly #byKey = new Map<string, T>();
  #sorted: T[] = [];
  #added: T[] = [];
  #swept = true;

  get size(): number {
    return this.#byKey.size;
  }

  get(key: string): T | undefined {
    return this.#byKey.get(key);
  }

  /** The key must not be there. */
  add(value: T): void {
    this.#byKey.set(value.key, value);
    this.#added.push(value);
  }

  remove(value: T): void {
    value.removed = true;
    this.#byKey.delete(value.key);
    this.#swept = false;
  }

  /** All values, ascending. The array is the index's own: read it before the next change, don't keep it. */
  ascending(): readonly T[] {
    if (!this.#swept) {
      this.#sorted = this.#sorted.filter((value) => !value.removed);
      this.#added = this.#added.filter((value) => !value.removed);
      this.#swept = true;
    }
    if (this.#added.length > 0) {
      this.#sorted = merge(this.#sorted, this.#added.sort(byKey));
      this.#added = [];
    }
    return this.#sorted;
  }

  /** The run of values whose key starts with prefix and, if given, follows `after`. */
  range(prefix: string, after?: string): readonly T[] {
    const { all, start, end } = this.#span(prefix, after);
    return start === 0 && end === all.length ? all : all.slice(start, end);
  }

  /** The first of such a run, and how many follow them. */
  page(prefix: string, { limit, after }: { limit: number; after?: string | undefined }): Page<T> {
    const { all, start, end } = this.#span(prefix, after);
    const values = all.slice(start, Math.min(start + limit, end));
    return { values, remaining: end - start - values.length };
  }

  #span(prefix: string, after: string | undefined): { all: readonly T[]; start: number; end: number } {
    const all = this.ascending();
    const start = after === undefined ? firstNotBelow(all, prefix) : firstAbove(all, after);
    // Keys are made of characters below U+FFFF, so this is above every key with the prefix.
    const end = prefix === "" ? all.length : firstNotBelow(all, `${prefix}\uffff`);
    return { all, start, end: Math.max(start, end) };
  }
}

function byKey(a: Keyed, b: Keyed): number {
  if (a.key === b.key) return 0;
  return a.key < b.key ? -1 : 1;
}

function merge<T extends Keyed>(left: readonly T[], right: readonly T[]): T[] {
  const last = left.at(-1);
  const first = right[0];
  if (last === undefined || first === undefined || last.key < first.key) return left.concat(right);
  const out: T[] = [];
  let r = 0;
  for (const value of left) {
    for (let next = right[r]; next !== undefined && next.key < value.key; next = right[++r]) out.push(next);
    out.push(value);
  }
  return out.concat(right.slice(r));
}

function firstNotBelow(values: readonly Keyed[], key: string): number {
  return search(values, (value) => value.key >= key);
}

function firstAbove(values: readonly Keyed[], key: string): number {
  return search(values, (value) => value.key > key);
}

/** Index of the first value for which `holds`, which is false up to some point and true from there. */
function search(values: readonly Keyed[], holds: (value: Keyed) => boolean): number {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const value = values[middle];
    if (value !== undefined && holds(value)) high = middle;
    else low = middle + 1;
  }
  return low;
}

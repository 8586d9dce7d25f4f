/**
 * Lists and maps that expressions make.
 * Source: cel-go common/types/list.go, map.go
 */
import { equals, keyOf } from "./equality.ts";
import { CelError, ListValue, MapValue, type Value } from "./values.ts";

/** Equality of lists, element by element. */
export function equalLists(a: ListValue, b: ListValue): boolean | CelError {
  if (a.size !== b.size) return false;
  for (let i = 0; i < a.size; i++) {
    const same = equals(a.at(i), b.at(i));
    if (same !== true) return same;
  }
  return true;
}

/** A list of given values. */
export class ArrayList extends ListValue {
  readonly #items: readonly Value[];

  constructor(items: readonly Value[]) {
    super();
    this.#items = items;
  }

  override get size(): number {
    return this.#items.length;
  }

  override at(index: number): Value {
    return this.#items[index] as Value;
  }

  override equals(other: ListValue): boolean | CelError {
    return equalLists(this, other);
  }

  override concat(other: ListValue): ListValue {
    return joinLists(this, other);
  }
}

/** Two lists seen as one; nothing is copied, so concatenation costs the same for any size. */
class JoinedList extends ListValue {
  override readonly size: number;
  readonly #first: ListValue;
  readonly #second: ListValue;

  constructor(first: ListValue, second: ListValue) {
    super();
    this.#first = first;
    this.#second = second;
    this.size = first.size + second.size;
  }

  override at(index: number): Value {
    return index < this.#first.size ? this.#first.at(index) : this.#second.at(index - this.#first.size);
  }

  override equals(other: ListValue): boolean | CelError {
    return equalLists(this, other);
  }

  override concat(other: ListValue): ListValue {
    return joinLists(this, other);
  }
}

/** One list followed by another. */
export function joinLists(first: ListValue, second: ListValue): ListValue {
  if (first.size === 0) return second;
  return second.size === 0 ? first : new JoinedList(first, second);
}

/** The elements of a list; the first error among them instead. */
export function elementsOf(list: ListValue): Value[] | CelError {
  const items: Value[] = [];
  for (let i = 0; i < list.size; i++) {
    const item = list.at(i);
    if (item instanceof CelError) return item;
    items.push(item);
  }
  return items;
}

/** Equality of maps: the same keys with equal values. */
export function equalMaps(a: MapValue, b: MapValue): boolean | CelError {
  if (a.size !== b.size) return false;
  for (const key of a.keys()) {
    const mine = a.get(key);
    const theirs = b.get(key);
    if (mine === undefined || theirs === undefined) return false;
    const same = equals(mine, theirs);
    if (same !== true) return same;
  }
  return true;
}

/** A map of given entries. It is filled while it is made, and not changed afterwards. */
export class EntryMap extends MapValue {
  readonly #entries = new Map<string, { readonly key: Value; readonly value: Value }>();

  /** Adds an entry; what is wrong with the key, if anything. */
  insert(key: Value, value: Value): CelError | undefined {
    const name = keyOf(key);
    if (name === undefined) return new CelError("unsupported key type");
    if (this.#entries.has(name)) return new CelError(`insert failed: key ${spellKey(key)} already exists`);
    this.#entries.set(name, { key, value });
    return undefined;
  }

  override get size(): number {
    return this.#entries.size;
  }

  override get(key: Value): Value | undefined {
    const name = keyOf(key);
    return name === undefined ? undefined : this.#entries.get(name)?.value;
  }

  override field(name: string): Value | undefined {
    return this.#entries.get(`s${name}`)?.value;
  }

  override keys(): readonly Value[] {
    return [...this.#entries.values()].map((entry) => entry.key);
  }

  override equals(other: MapValue): boolean | CelError {
    return equalMaps(this, other);
  }
}

function spellKey(key: Value): string {
  return typeof key === "string" || typeof key === "bigint" || typeof key === "boolean" ? String(key) : "";
}

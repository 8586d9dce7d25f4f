/**
 * Sets of completion indexes, as a Job's status spells them: `1,3-5,7`.
 * Source: k8s.io/kubernetes/pkg/controller/job/indexed_job_utils.go
 */

/** From first to last, both included. */
interface Interval {
  readonly first: number;
  readonly last: number;
}

/** A set of indexes, kept as intervals: a Job may have a hundred thousand. */
export class Indexes {
  readonly #intervals: readonly Interval[];

  private constructor(intervals: readonly Interval[]) {
    this.#intervals = intervals;
  }

  static readonly none: Indexes = new Indexes([]);

  /** Reads what a status or a policy spells; indexes from `below` on, and what is no index, are left out. */
  static parse(text: string | undefined, below: number): Indexes {
    const intervals = (text ?? "").split(",").flatMap((each) => {
      const [, first, last = first] = /^(\d+)(?:-(\d+))?$/.exec(each) ?? [];
      if (first === undefined || Number(first) >= below) return [];
      return [{ first: Number(first), last: Math.min(Number(last), below - 1) }];
    });
    return new Indexes(merged(intervals));
  }

  /** The set with more indexes. */
  with(more: Iterable<number>): Indexes {
    const added = [...more].map((index) => ({ first: index, last: index }));
    return added.length === 0 ? this : new Indexes(merged([...this.#intervals, ...added]));
  }

  get size(): number {
    return this.#intervals.reduce((sum, { first, last }) => sum + last - first + 1, 0);
  }

  has(index: number): boolean {
    return this.#intervals.some(({ first, last }) => first <= index && index <= last);
  }

  /** How many indexes two sets share. */
  shared(other: Indexes): number {
    let count = 0;
    for (const a of this.#intervals) {
      for (const b of other.#intervals) count += Math.max(0, Math.min(a.last, b.last) - Math.max(a.first, b.first) + 1);
    }
    return count;
  }

  /** The first `count` indexes below `below` that are not in the set. */
  missing(count: number, below: number): number[] {
    const found: number[] = [];
    let next = 0;
    for (const { first, last } of [...this.#intervals, { first: below, last: below }]) {
      for (; next < first && next < below && found.length < count; next++) found.push(next);
      next = Math.max(next, last + 1);
    }
    return found;
  }

  toString(): string {
    return this.#intervals.map(spell).join(",");
  }
}

function spell({ first, last }: Interval): string {
  if (first === last) return String(first);
  return last === first + 1 ? `${first},${last}` : `${first}-${last}`;
}

function merged(intervals: readonly Interval[]): readonly Interval[] {
  const result: { first: number; last: number }[] = [];
  for (const { first, last } of [...intervals].sort((a, b) => a.first - b.first)) {
    const before = result.at(-1);
    if (before !== undefined && first <= before.last + 1) before.last = Math.max(before.last, last);
    else result.push({ first, last });
  }
  return result;
}

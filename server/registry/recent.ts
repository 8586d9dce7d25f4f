/** The last changes of a resource, so that a watch that starts a little behind needs no trip to the store. */
import type { Change } from "@atoll/storage/store";

export class Recent {
  readonly #limit: number;
  #changes: Change[] = [];
  /** Changes after this revision are all here. */
  #since = 0;

  /** @param limit how many changes to keep at least; up to twice as many are held */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Forgets everything; from now on history begins after `revision`. */
  reset(revision: number): void {
    this.#changes = [];
    this.#since = revision;
  }

  add(change: Change): void {
    this.#changes.push(change);
    if (this.#changes.length < this.#limit * 2) return;
    const dropped = this.#changes[this.#limit - 1];
    this.#changes = this.#changes.slice(this.#limit);
    if (dropped !== undefined) this.#since = dropped.revision;
  }

  /** Changes with a revision above `revision`; undefined when memory does not reach back so far. */
  after(revision: number, current: number): readonly Change[] | undefined {
    if (revision < this.#since) return undefined;
    if (revision >= current) return [];
    let low = 0;
    let high = this.#changes.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const change = this.#changes[middle];
      if (change !== undefined && change.revision > revision) high = middle;
      else low = middle + 1;
    }
    return this.#changes.slice(low);
  }
}

/** The roles that one subject has, found by the names that their rules are about. */

/** Names of objects; undefined: any. */
type Names = readonly string[] | undefined;

/** Roles by their key, each with all that grants it. */
export class Held<Grant> {
  readonly #all = new Map<string, Grant[]>();
  /** Those that may be about any object. */
  readonly #wide = new Map<string, Grant[]>();
  readonly #byName = new Map<string, Map<string, Grant[]>>();
  readonly #namesOf = new Map<string, Names>();

  get isEmpty(): boolean {
    return this.#all.size === 0;
  }

  add(role: string, grant: Grant, names: Names): void {
    const grants = this.#all.get(role);
    if (grants !== undefined) {
      grants.push(grant);
      return;
    }
    this.#all.set(role, [grant]);
    this.place(role, names);
  }

  take(role: string, grant: Grant): void {
    const grants = this.#all.get(role);
    if (grants === undefined) return;
    grants.splice(grants.indexOf(grant), 1);
    if (grants.length > 0) return;
    this.#unplace(role);
    this.#all.delete(role);
  }

  /** The role is about these names from now on. Does nothing when it is not held. */
  place(role: string, names: Names): void {
    const grants = this.#all.get(role);
    if (grants === undefined) return;
    this.#unplace(role);
    this.#namesOf.set(role, names);
    if (names === undefined) this.#wide.set(role, grants);
    for (const name of names ?? []) {
      const named = this.#byName.get(name) ?? new Map<string, Grant[]>();
      this.#byName.set(name, named.set(role, grants));
    }
  }

  /** @param name given: without the roles that are only about other names */
  *roles(name: string | undefined): Iterable<readonly [string, readonly Grant[]]> {
    if (name === undefined) return yield* this.#all;
    yield* this.#wide;
    yield* this.#byName.get(name) ?? [];
  }

  #unplace(role: string): void {
    this.#wide.delete(role);
    for (const name of this.#namesOf.get(role) ?? []) {
      const named = this.#byName.get(name);
      named?.delete(role);
      if (named?.size === 0) this.#byName.delete(name);
    }
    this.#namesOf.delete(role);
  }
}

/**
 * Which hooks requests of a sort can match, told from what was found for the last request of that sort.
 */
import type { Catalogue } from "../../registry/catalogue.ts";
import type { Attributes } from "./attributes.ts";
import { type Criteria, mayMatch } from "./criteria.ts";
import type { Equivalents } from "./equivalents.ts";

// Sorts of requests that are remembered.
const remembered = 4096;

/** Policies or webhooks in force, by what requests are about; labels and names aside. */
export class Candidates<H extends { readonly criteria: Criteria }> {
  readonly #catalogue: Catalogue;
  readonly #equivalents: Equivalents;
  readonly #found = new Map<string, readonly H[]>();
  #hooks: readonly H[] = [];
  #generation = 0;

  constructor({ catalogue, equivalents }: { catalogue: Catalogue; equivalents: Equivalents }) {
    this.#catalogue = catalogue;
    this.#equivalents = equivalents;
  }

  /** Whether there are no hooks at all: the usual case, told without looking at the request. */
  get empty(): boolean {
    return this.#hooks.length === 0;
  }

  /** Puts others in force. */
  replace(hooks: readonly H[]): void {
    this.#hooks = hooks;
    this.#found.clear();
  }

  /** In the order in which they are in force. */
  of(attributes: Attributes): readonly H[] {
    if (this.#hooks.length === 0) return this.#hooks;
    const { generation } = this.#catalogue;
    if (generation !== this.#generation || this.#found.size > remembered) this.#found.clear();
    this.#generation = generation;
    const { own, operation, subresource, namespace } = attributes;
    const { group, version, resource } = own.resource;
    const key = `${operation} ${group}/${version}/${resource}/${subresource} ${namespace === "" ? "" : "in"}`;
    const known = this.#found.get(key);
    if (known !== undefined) return known;
    const found = this.#hooks.filter(({ criteria }) => mayMatch(criteria, attributes, this.#equivalents));
    this.#found.set(key, found);
    return found;
  }
}

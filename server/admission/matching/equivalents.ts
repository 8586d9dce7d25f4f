/**
 * The same objects under other names: other versions of a resource, and groups that share one (events).
 * Source: k8s.io/apimachinery/pkg/runtime/mapper.go (EquivalentResourceRegistry)
 */
import type { Kind } from "@atoll/api/kind";
import type { Catalogue } from "../../registry/catalogue.ts";
import { bodyKind, type Matched } from "./attributes.ts";

export class Equivalents {
  readonly #catalogue: Catalogue;
  #generation = -1;
  readonly #known = new Map<Kind, readonly Kind[]>();

  constructor(catalogue: Catalogue) {
    this.#catalogue = catalogue;
  }

  /** Other names of a kind's resource, as a request through `subresource` would have them. */
  of(kind: Kind, subresource: string): readonly Matched[] {
    return this.#others(kind)
      .filter((other) => subresource === "" || other.subresources.some(({ name }) => name === subresource))
      .map((other) => ({
        resource: { group: other.group, version: other.version, resource: other.plural },
        kind: bodyKind(other, subresource),
        other,
      }));
  }

  #others(kind: Kind): readonly Kind[] {
    const catalogue = this.#catalogue;
    if (this.#generation !== catalogue.generation) {
      this.#known.clear();
      this.#generation = catalogue.generation;
    }
    const known = this.#known.get(kind);
    if (known !== undefined) return known;
    const resource = catalogue.find(kind.group, kind.version, kind.plural)?.resource;
    const others =
      resource === undefined
        ? []
        : catalogue
            .kinds()
            .filter((other) => other !== kind)
            .filter(({ group, version, plural }) => catalogue.find(group, version, plural)?.resource === resource);
    this.#known.set(kind, others);
    return others;
  }
}

/**
 * Terms of affinity between Pods: which Pods they are about, and what they count as the same place.
 * Source: k8s.io/kubernetes/pkg/scheduler/framework/types.go (AffinityTerm)
 */
import type { PodAffinityTerm } from "@atoll/api/builtin/core/v1.types";
import type { Pod } from "@atoll/client/builtin";
import type { LabelSelector, LabelSelectorObject, Requirement } from "@atoll/machinery/selectors/labels";
import { matchesLabels, selectorOf } from "@atoll/machinery/selectors/labels";
import type { Place } from "./places.ts";
import type { World } from "./world.ts";

/** A term, made ready to be asked. */
export interface Term {
  readonly topologyKey: string;
  matches(pod: Pod): boolean;
}

/** Pairs of a topology key and a value, with a number each. */
export class Pairs {
  readonly #counts = new Map<string, Map<string, number>>();
  #size = 0;

  get isEmpty(): boolean {
    return this.#size === 0;
  }

  /** Adds to the pair of a place; a place without the key has none. */
  add(key: string, { node }: Place, amount = 1): void {
    const value = node.metadata.labels?.[key];
    if (value === undefined || amount === 0) return;
    const values = this.#counts.get(key) ?? new Map<string, number>();
    this.#counts.set(key, values);
    values.set(value, (values.get(value) ?? 0) + amount);
    this.#size += 1;
  }

  /** @returns 0 too when the place has no such key */
  of(key: string, { node }: Place): number {
    const value = node.metadata.labels?.[key];
    return value === undefined ? 0 : (this.#counts.get(key)?.get(value) ?? 0);
  }

  /** The sum over all keys. */
  sum(place: Place): number {
    let sum = 0;
    for (const key of this.#counts.keys()) sum += this.of(key, place);
    return sum;
  }
}

/** A selector that takes in the values that the Pod has under some keys; undefined selects nothing. */
export function selectorWith(
  selector: LabelSelectorObject | undefined | null,
  pod: Pod,
  { equal = [], different = [] }: { equal?: readonly string[] | null; different?: readonly string[] | null },
): LabelSelector | undefined {
  const base = selectorOf(selector);
  if (base === undefined) return undefined;
  const labels = pod.metadata.labels ?? {};
  const bound = (keys: readonly string[] | null, operator: "In" | "NotIn"): Requirement[] =>
    (keys ?? []).flatMap((key) => {
      const value = labels[key];
      return value === undefined ? [] : [{ key, operator, values: [value] }];
    });
  return [...base, ...bound(equal, "In"), ...bound(different, "NotIn")];
}

/** A term of a Pod. Without namespaces it is about the Pod's own. */
export function termOf(pod: Pod, term: PodAffinityTerm, world: Pick<World, "namespaceLabels">): Term {
  const { topologyKey, labelSelector, namespaceSelector, matchLabelKeys, mismatchLabelKeys } = term;
  const keys = { equal: matchLabelKeys ?? [], different: mismatchLabelKeys ?? [] };
  const selector = selectorWith(labelSelector as LabelSelectorObject | undefined, pod, keys);
  const named = new Set(term.namespaces ?? []);
  const namespaces = selectorOf(namespaceSelector as LabelSelectorObject | undefined);
  if (named.size === 0 && namespaces === undefined) named.add(pod.metadata.namespace ?? "");
  const isIn = (namespace: string) =>
    named.has(namespace) ||
    (namespaces !== undefined && matchesLabels(namespaces, world.namespaceLabels(namespace) ?? {}));
  return {
    topologyKey,
    matches: ({ metadata }) =>
      selector !== undefined && matchesLabels(selector, metadata.labels) && isIn(metadata.namespace ?? ""),
  };
}

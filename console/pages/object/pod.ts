/** What pages read of a Pod. */
import type { AnyObject } from "../../model/object.ts";

interface PodSpec {
  readonly initContainers?: readonly { readonly name: string }[];
  readonly containers?: readonly { readonly name: string }[];
}

/** Names of a Pod's containers, those first that stay. */
export function containersOf({ spec }: AnyObject): readonly string[] {
  const { containers = [], initContainers = [] } = (spec ?? {}) as PodSpec;
  return [...containers, ...initContainers].map(({ name }) => name);
}

/**
 * What to do with one object, once it is known which of its owners are there. Pure.
 * Source: k8s.io/kubernetes/pkg/controller/garbagecollector/garbagecollector.go (attemptToDeleteItem)
 */
import type { ObjectMeta, OwnerReference } from "@atoll/machinery/object";
import { foregroundFinalizer, orphanFinalizer } from "./graph.ts";

/** The owners of an object. */
export interface Owners {
  /** There, and staying for all we know. */
  readonly solid: readonly OwnerReference[];
  /** Not there. */
  readonly dangling: readonly OwnerReference[];
  /** Being deleted, and waiting for dependents such as this. */
  readonly waiting: readonly OwnerReference[];
}

/** The one thing to be done. */
export type Step =
  | { readonly do: "nothing" }
  /** Take these owners off the object. */
  | { readonly do: "unlink"; readonly uids: readonly string[] }
  /** Delete the object; with `unblock` first stop it from holding up its owners, who may be its dependents. */
  | {
      readonly do: "delete";
      readonly propagation: "Background" | "Foreground" | "Orphan";
      readonly unblock: boolean;
    };

function propagationOf(finalizers: readonly string[]): "Background" | "Foreground" | "Orphan" {
  if (finalizers.includes(orphanFinalizer)) return "Orphan";
  return finalizers.includes(foregroundFinalizer) ? "Foreground" : "Background";
}

/**
 * Decides about an object that has owners.
 * @param dependents for each of its own dependents, whether that is waiting for dependents in turn
 */
export function plan(
  latest: { readonly metadata: ObjectMeta },
  { solid, dangling, waiting }: Owners,
  dependents: readonly { readonly deletingDependents: boolean }[],
): Step {
  if (solid.length > 0) {
    // A waiting owner must go from the list, too: it would wait for this object for ever.
    const uids = [...dangling, ...waiting].map(({ uid }) => uid);
    return uids.length === 0 ? { do: "nothing" } : { do: "unlink", uids };
  }
  if (waiting.length > 0 && dependents.length > 0) {
    // A dependent that waits may be one of the owners that wait for this: a circle, which nobody would leave first.
    const unblock = dependents.some(({ deletingDependents }) => deletingDependents);
    return { do: "delete", propagation: "Foreground", unblock };
  }
  return { do: "delete", propagation: propagationOf(latest.metadata.finalizers ?? []), unblock: false };
}

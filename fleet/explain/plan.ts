/** What a change would do to each cluster. Pure: the same compiling, before and after. */
import { deepEqual } from "@atoll/machinery/equal";
import { compile, type Wanted } from "../compile/compile.ts";
import type { Fleet } from "./organization.ts";

/** One object of a cluster that would come, change or go. */
export interface Change {
  readonly cluster: string;
  readonly does: "add" | "change" | "remove";
  /** KIND/NAME on the cluster. */
  readonly object: string;
  /** KIND/NAME of what asks for it, and at which level. */
  readonly source: string;
  readonly level: string;
}

/** All changes, cluster by cluster. */
export function changesBetween(before: Fleet, after: Fleet): readonly Change[] {
  return after.clusters.flatMap((cluster) => {
    const name = cluster.metadata.name ?? "";
    const was = before.clusters.find(({ metadata }) => metadata.name === name);
    const old = byId(was === undefined ? [] : compile(was, before.organization));
    const next = byId(compile(cluster, after.organization));
    const change = (does: Change["does"]) => {
      return ([object, { source, level }]: readonly [string, Wanted]) => ({
        cluster: name,
        does,
        object,
        source,
        level,
      });
    };
    const [come, go] = [[...next].filter(([id]) => !old.has(id)), [...old].filter(([id]) => !next.has(id))];
    const differ = [...next].filter(([id, wanted]) => {
      const prior = old.get(id);
      if (prior === undefined) return false;
      return !deepEqual([prior.manifest, prior.eachNamespace], [wanted.manifest, wanted.eachNamespace]);
    });
    return [...come.map(change("add")), ...differ.map(change("change")), ...go.map(change("remove"))];
  });
}

function byId(wanted: readonly Wanted[]): ReadonlyMap<string, Wanted> {
  return new Map(wanted.map((one) => [`${one.manifest.kind}/${one.manifest.metadata.name ?? ""}`, one]));
}

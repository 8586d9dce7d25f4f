/** What a change would do to each cluster. Pure: the same compiling, before and after. */
import type { FleetCluster } from "@atoll/api/fleet/v1alpha1/fleetcluster";
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

/** A cluster, and what it is to have before and after. */
export interface Difference {
  readonly cluster: FleetCluster;
  readonly was: readonly Wanted[];
  readonly next: readonly Wanted[];
  readonly changes: readonly Change[];
}

/** All changes, cluster by cluster. */
export function changesBetween(before: Fleet, after: Fleet): readonly Change[] {
  return differencesBetween(before, after).flatMap(({ changes }) => changes);
}

/** The clusters for which something changes. */
export function differencesBetween(before: Fleet, after: Fleet): readonly Difference[] {
  return after.clusters
    .map((cluster) => {
      const name = cluster.metadata.name ?? "";
      const known = before.clusters.find(({ metadata }) => metadata.name === name);
      const was = known === undefined ? [] : compile(known, before.organization);
      const next = compile(cluster, after.organization);
      return { cluster, was, next, changes: changesOf(name, was, next) };
    })
    .filter(({ changes }) => changes.length > 0);
}

function changesOf(cluster: string, was: readonly Wanted[], wanted: readonly Wanted[]): readonly Change[] {
  const [old, next] = [byId(was), byId(wanted)];
  const change = (does: Change["does"]) => {
    return ([object, { source, level }]: readonly [string, Wanted]) => ({ cluster, does, object, source, level });
  };
  const [come, go] = [[...next].filter(([id]) => !old.has(id)), [...old].filter(([id]) => !next.has(id))];
  const differ = [...next].filter(([id, one]) => {
    const prior = old.get(id);
    if (prior === undefined) return false;
    return !deepEqual([prior.manifest, prior.eachNamespace], [one.manifest, one.eachNamespace]);
  });
  return [...come.map(change("add")), ...differ.map(change("change")), ...go.map(change("remove"))];
}

function byId(wanted: readonly Wanted[]): ReadonlyMap<string, Wanted> {
  return new Map(wanted.map((one) => [`${one.manifest.kind}/${one.manifest.metadata.name ?? ""}`, one]));
}

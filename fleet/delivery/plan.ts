/** Which Works carry what a cluster is to have. Pure. */
import type { Work } from "@atoll/api/fleet/v1alpha1/work";
import { deepEqual } from "@atoll/machinery/equal";
import type { Wanted } from "../compile/compile.ts";

/** One thing to do. */
export type Step =
  | { readonly do: "create"; readonly name: string; readonly spec: Work["spec"] }
  | { readonly do: "update"; readonly work: Work; readonly spec: Work["spec"] }
  | { readonly do: "delete"; readonly work: Work };

/** A Work's objects together, in bytes of JSON: far from etcd's 1.5 MiB for an object with its managed fields. */
const largestBytes = 500_000;

/**
 * What a cluster is to have. There is one Work though nothing is wanted, so that the agent knows so, and can say that it has removed
 * everything. Whatever is wanted before and after is in some Work after each step: else the agent would take it away for a moment.
 */
export function plan(wanted: readonly Wanted[], have: readonly Work[]): readonly Step[] {
  const shares = share(
    wanted.map(({ level: _, ...object }) => object as Objects[number]),
    have,
  );
  const byName = new Map(have.map((work) => [work.metadata.name ?? "", work]));
  const order = 1 + Math.max(0, ...have.map(({ spec }) => spec.order));
  const filled = shares.filter(({ objects }) => objects.length > 0);
  const kept = filled.length > 0 ? filled : shares.slice(0, 1);
  const steps = kept
    .toSorted((a, b) => Number(a.isFull) - Number(b.isFull))
    .flatMap(({ name, objects }): Step[] => {
      const work = byName.get(name);
      if (work === undefined) return [{ do: "create", name, spec: { order, objects } }];
      return deepEqual(work.spec.objects, objects) ? [] : [{ do: "update", work, spec: { order, objects } }];
    });
  for (const { name } of kept) byName.delete(name);
  for (const work of byName.values()) steps.push({ do: "delete", work });
  return steps;
}

/** The last word to a cluster that is detached: what its agent applied goes, or stays as it is. */
export function farewell(leaving: "Remove" | "Keep", have: readonly Work[]): readonly Step[] {
  const [first, ...others] = have;
  if (first === undefined) return [{ do: "create", name: "policies-0", spec: { order: 1, objects: [], leaving } }];
  const said = ({ spec }: Work) => spec.leaving === leaving;
  const saying = (work: Work, spec: Work["spec"]): Step[] =>
    said(work) ? [] : [{ do: "update", work, spec: { ...spec, leaving } }];
  if (leaving === "Keep") return have.flatMap((work) => saying(work, work.spec));
  const order = 1 + Math.max(...have.map(({ spec }) => spec.order));
  return [...saying(first, { order, objects: [] }), ...others.map((work): Step => ({ do: "delete", work }))];
}

type Objects = Work["spec"]["objects"];

/** What one Work is to carry. */
interface Share {
  readonly name: string;
  readonly objects: Objects;
  bytes: number;
  /** It is too small for what it carried: what is over goes to another, and is there first. */
  isFull: boolean;
}

const nameAt = (at: number) => `policies-${at}`;

/** Each object stays in the Work that it is in; where that is full, and what is new, goes where there is room. */
function share(wanted: Objects, have: readonly Work[]): readonly Share[] {
  const shares = have
    .map(({ metadata }) => shareOf(metadata.name ?? ""))
    .toSorted((a, b) => Number(a.name > b.name) - Number(a.name < b.name));
  const byName = new Map(shares.map((each) => [each.name, each]));
  const homes = new Map(
    have.flatMap(({ metadata, spec }) => spec.objects.map((object) => [idOf(object), metadata.name ?? ""])),
  );
  const left: Objects = [];
  for (const object of wanted) {
    const home = byName.get(homes.get(idOf(object)) ?? "");
    if (home === undefined) left.push(object);
    else if (!put(object, home)) {
      home.isFull = true;
      left.push(object);
    }
  }
  for (const object of left) {
    if (shares.some((each) => !each.isFull && put(object, each))) continue;
    const fresh = shareOf(freeName(byName));
    byName.set(fresh.name, fresh);
    shares.push(fresh);
    put(object, fresh);
  }
  if (shares.length === 0) shares.push(shareOf(nameAt(0)));
  const rank = new Map(wanted.map((object, at) => [object, at]));
  for (const { objects } of shares) objects.sort((a, b) => (rank.get(a) ?? 0) - (rank.get(b) ?? 0));
  return shares;
}

const shareOf = (name: string): Share => ({ name, objects: [], bytes: 0, isFull: false });

function freeName(taken: ReadonlyMap<string, unknown>): string {
  let at = 0;
  while (taken.has(nameAt(at))) at++;
  return nameAt(at);
}

/** @returns whether there was room; for one there always is */
function put(object: Objects[number], into: Share): boolean {
  const size = JSON.stringify(object).length;
  if (into.objects.length > 0 && into.bytes + size > largestBytes) return false;
  into.objects.push(object);
  into.bytes += size;
  return true;
}

function idOf({ manifest: { apiVersion, kind, metadata } }: Objects[number]): string {
  return JSON.stringify([apiVersion, kind, metadata.namespace, metadata.name]);
}

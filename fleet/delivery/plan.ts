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
 * everything.
 */
export function plan(wanted: readonly Wanted[], have: readonly Work[]): readonly Step[] {
  const byName = new Map(have.map((work) => [work.metadata.name ?? "", work]));
  const chunks = split(wanted.map(({ level: _, ...object }) => object as Objects[number]));
  if (chunks.length === 0) chunks.push([]);
  const order = 1 + Math.max(0, ...have.map(({ spec }) => spec.order));
  const steps: Step[] = chunks.flatMap((objects, at): Step[] => {
    const name = `policies-${at}`;
    const work = byName.get(name);
    byName.delete(name);
    if (work === undefined) return [{ do: "create", name, spec: { order, objects } }];
    return deepEqual(work.spec.objects, objects) ? [] : [{ do: "update", work, spec: { order, objects } }];
  });
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

function split(objects: Objects): Objects[] {
  const chunks: Objects[] = [];
  let bytes = largestBytes;
  for (const object of objects) {
    const size = JSON.stringify(object).length;
    if (bytes + size > largestBytes) {
      chunks.push([]);
      bytes = 0;
    }
    chunks.at(-1)?.push(object);
    bytes += size;
  }
  return chunks;
}

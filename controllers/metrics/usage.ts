/** What nodes and pods use, from two looks at their counters. Pure. */
import { formatTime } from "@atoll/machinery/clock";

/** The part of a kubelet's /stats/summary that is read. Source: k8s.io/kubelet/pkg/apis/stats/v1alpha1 */
export interface Summary {
  readonly node: Counters & { readonly nodeName: string };
  readonly pods?: readonly {
    readonly podRef: { readonly name: string; readonly namespace: string };
    readonly containers?: readonly (Counters & { readonly name: string; readonly startTime?: string })[];
  }[];
}

interface Counters {
  readonly cpu?: { readonly time: string; readonly usageCoreNanoSeconds?: number };
  readonly memory?: { readonly workingSetBytes?: number };
}

/** One node at one moment. */
export interface Look {
  readonly atMs: number;
  readonly summary: Summary;
}

/** Quantities, as metrics.k8s.io gives them. */
export interface Usage {
  readonly cpu: string;
  readonly memory: string;
}

/** A node or pod, over a window. */
export interface Measured {
  readonly name: string;
  readonly namespace: string;
  readonly timestamp: string;
  /** As 15s. */
  readonly window: string;
  readonly usage: Usage;
  readonly containers: readonly { readonly name: string; readonly usage: Usage }[];
}

/** Use of one node and its pods between two looks. What was not there in the first one has no rate yet, and is left out. */
export function measure(
  before: Look,
  now: Look,
): { readonly node: Measured | undefined; readonly pods: readonly Measured[] } {
  const elapsedNs = (now.atMs - before.atMs) * 1e6;
  if (elapsedNs <= 0) return { node: undefined, pods: [] };
  const about = { timestamp: formatTime(now.atMs), window: `${Math.round(elapsedNs / 1e9)}s` };
  const rate = (then: Counters | undefined, counters: Counters) => usageOf(then, counters, elapsedNs);
  const known = new Map(
    (before.summary.pods ?? []).flatMap(({ podRef, containers = [] }) =>
      containers.map((container) => [`${podRef.namespace}/${podRef.name}/${container.name}`, container] as const),
    ),
  );
  const pods = (now.summary.pods ?? []).flatMap(({ podRef, containers = [] }): Measured[] => {
    const each = containers.map((container) => {
      const then = known.get(`${podRef.namespace}/${podRef.name}/${container.name}`);
      // One that was started anew counts from the start.
      return {
        name: container.name,
        usage: rate(then?.startTime === container.startTime ? then : undefined, container),
      };
    });
    const found = each.flatMap(({ name, usage }) => (usage === undefined ? [] : [{ name, usage }]));
    if (found.length === 0 || found.length < each.length) return [];
    return [{ ...podRef, ...about, usage: { cpu: "0", memory: "0" }, containers: found }];
  });
  const usage = rate(before.summary.node, now.summary.node);
  const name = now.summary.node.nodeName;
  return { node: usage === undefined ? undefined : { name, namespace: "", ...about, usage, containers: [] }, pods };
}

function usageOf(then: Counters | undefined, { cpu, memory }: Counters, elapsedNs: number): Usage | undefined {
  const used = cpu?.usageCoreNanoSeconds;
  const earlier = then?.cpu?.usageCoreNanoSeconds;
  if (used === undefined || earlier === undefined || used < earlier) return undefined;
  const nanocores = Math.round(((used - earlier) / elapsedNs) * 1e9);
  return { cpu: `${nanocores}n`, memory: `${Math.ceil((memory?.workingSetBytes ?? 0) / 1024)}Ki` };
}

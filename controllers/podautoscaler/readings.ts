/**
 * What Pods use of a resource, and how many of them that calls for.
 * Source: k8s.io/kubernetes/pkg/controller/podautoscaler/replica_calculator.go, metrics/utilization.go
 */
import type { Pod } from "@atoll/client/builtin";
import { parseTime } from "@atoll/machinery/clock";
import { parseQuantity, scaledValue } from "@atoll/machinery/quantity";

/** One Pod's use, as metrics.k8s.io tells it. */
export interface PodMetrics {
  readonly metadata: { readonly name: string };
  readonly timestamp: string;
  readonly window: string;
  readonly containers: readonly { readonly name: string; readonly usage: Readonly<Record<string, string>> }[];
}

/** What a count is asked for. */
export interface Demand {
  readonly resource: string;
  /** Of one container alone. */
  readonly container: string | undefined;
  readonly target: { readonly utilization: number } | { readonly averageMilli: number };
  readonly current: number;
  readonly tolerance: { readonly up: number; readonly down: number };
}

/** How many Pods there should be, and what they use. */
export interface Count {
  readonly replicas: number;
  /** Percent of what is requested; only where that is asked for. */
  readonly utilization: number | undefined;
  /** A Pod's, in thousandths. */
  readonly averageMilli: number;
}

/** What Pods use could not be found out, or says nothing. The message is upstream's. */
export class Uncountable extends Error {
  override readonly name = "Uncountable";
}

/** Source: HorizontalPodAutoscalerCPUInitializationPeriod, HorizontalPodAutoscalerInitialReadinessDelay */
const grace = { cpuMs: 300_000, readinessMs: 30_000 };

const milli = (text: string): number => Number(scaledValue(parseQuantity(text), -3));

interface Used {
  readonly milli: number;
  readonly atMs: number;
  readonly windowMs: number;
}

/** Seconds and minutes, as Go writes durations. */
function durationMs(text: string): number {
  let ms = 0;
  for (const [, number = "0", unit] of text.matchAll(/([\d.]+)(h|ms|m|s|us|µs|ns)/g))
    ms += Number(number) * ({ h: 3_600_000, m: 60_000, s: 1_000, ms: 1 }[unit ?? ""] ?? 0);
  return ms;
}

function usesOf(metrics: readonly PodMetrics[], { resource, container }: Demand): Map<string, Used> {
  const uses = new Map<string, Used>();
  for (const { metadata, timestamp, window, containers } of metrics) {
    const counted = containers.filter(({ name }) => container === undefined || name === container);
    const amounts = counted.map(({ usage }) => usage[resource]);
    // A Pod of which a part is unknown is unknown.
    if (amounts.length === 0 || amounts.includes(undefined)) continue;
    const sum = amounts.reduce((total, text) => total + milli(text ?? "0"), 0);
    uses.set(metadata.name, { milli: sum, atMs: parseTime(timestamp), windowMs: durationMs(window) });
  }
  return uses;
}

interface Groups {
  ready: number;
  readonly unready: Set<string>;
  readonly missing: Set<string>;
  readonly ignored: Set<string>;
}

function groupsOf(pods: readonly Pod[], uses: ReadonlyMap<string, Used>, { demand, nowMs }: Moment): Groups {
  const groups: Groups = { ready: 0, unready: new Set(), missing: new Set(), ignored: new Set() };
  for (const pod of pods) {
    const { name = "" } = pod.metadata;
    const used = uses.get(name);
    if (pod.metadata.deletionTimestamp !== undefined || pod.status?.phase === "Failed") groups.ignored.add(name);
    else if (pod.status?.phase === "Pending") groups.unready.add(name);
    else if (used === undefined) groups.missing.add(name);
    else if (demand.resource === "cpu" && isStarting(pod, used, nowMs)) groups.unready.add(name);
    else groups.ready += 1;
  }
  return groups;
}

/** Whether what a Pod uses of the processor says nothing yet of what it will use. */
function isStarting({ status }: Pod, used: Used, nowMs: number): boolean {
  const ready = status?.conditions?.find(({ type }) => type === "Ready");
  if (ready === undefined || status?.startTime === undefined) return true;
  const startMs = parseTime(status.startTime);
  const sinceMs = parseTime(ready.lastTransitionTime ?? status.startTime);
  if (startMs + grace.cpuMs > nowMs) return ready.status === "False" || used.atMs < sinceMs + used.windowMs;
  // One that has never been ready since its start.
  return ready.status === "False" && startMs + grace.readinessMs > sinceMs;
}

function requestsOf(pods: readonly Pod[], { resource, container }: Demand): Map<string, number> {
  const requests = new Map<string, number>();
  for (const { metadata, spec } of pods) {
    const sidecars = (spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === "Always");
    const counted = [...(spec.containers ?? []), ...sidecars].filter(
      ({ name }) => container === undefined || name === container,
    );
    const whole = container === undefined ? spec.resources?.requests?.[resource] : undefined;
    let sum = whole === undefined ? 0 : milli(String(whole));
    for (const { name, resources } of whole === undefined ? counted : []) {
      const request = resources?.requests?.[resource];
      if (request === undefined)
        throw new Uncountable(`missing request for ${resource} in container ${name} of Pod ${metadata.name}`);
      sum += milli(String(request));
    }
    requests.set(metadata.name ?? "", sum);
  }
  return requests;
}

interface Moment {
  readonly demand: Demand;
  readonly nowMs: number;
}

/** Use as a multiple of the target, over the Pods that are counted. */
function measure(uses: ReadonlyMap<string, number>, requests: ReadonlyMap<string, number>, { target }: Demand) {
  let [used, requested] = [0, 0];
  for (const [name, amount] of uses) {
    used += amount;
    requested += requests.get(name) ?? 0;
  }
  const averageMilli = Math.trunc(used / uses.size);
  if ("averageMilli" in target)
    return { ratio: averageMilli / target.averageMilli, utilization: undefined, averageMilli };
  if (requested === 0) throw new Uncountable("no metrics returned matched known pods");
  const utilization = Math.trunc((used * 100) / requested);
  return { ratio: utilization / target.utilization, utilization, averageMilli };
}

/** How many Pods there should be. @throws {Uncountable} */
export function countFor(pods: readonly Pod[], metrics: readonly PodMetrics[], moment: Moment): Count {
  const { demand } = moment;
  const { resource, target, current } = demand;
  if (metrics.length === 0) {
    const none = "no metrics returned from resource metrics API";
    throw new Uncountable(`unable to get metrics for resource ${resource}: ${none}`);
  }
  if (pods.length === 0) throw new Uncountable("no pods returned by selector while calculating replica count");
  const all = usesOf(metrics, demand);
  const groups = groupsOf(pods, all, moment);
  const uses = new Map<string, number>();
  for (const name of pods.map(({ metadata }) => metadata.name ?? "")) {
    const used = all.get(name);
    if (used !== undefined && isCounted(groups, name)) uses.set(name, used.milli);
  }
  if (uses.size === 0) throw new Uncountable("did not receive metrics for targeted pods (pods might be unready)");
  const requests = "utilization" in target ? requestsOf(pods, demand) : new Map<string, number>();
  const { ratio, utilization, averageMilli } = measure(uses, requests, demand);
  const said = { utilization, averageMilli };
  const unreadyCounts = groups.unready.size > 0 && ratio > 1;
  if (unreadyCounts || groups.missing.size > 0)
    return { replicas: withUnknown({ uses, requests, groups, ratio }, demand), ...said };
  return { replicas: isNear(ratio, demand) ? current : Math.ceil(ratio * groups.ready), ...said };
}

const isCounted = ({ unready, ignored }: Groups, name: string): boolean => !unready.has(name) && !ignored.has(name);
const isNear = (ratio: number, { tolerance }: Demand): boolean =>
  ratio >= 1 - tolerance.down && ratio <= 1 + tolerance.up;

interface Known {
  readonly uses: ReadonlyMap<string, number>;
  readonly requests: ReadonlyMap<string, number>;
  readonly groups: Groups;
  readonly ratio: number;
}

/** The count when Pods of which nothing is known are supposed to use what would keep things as they are. */
function withUnknown({ uses, requests, groups, ratio }: Known, demand: Demand): number {
  const { current, target } = demand;
  const supposedUses = new Map(uses);
  if (ratio !== 1)
    for (const name of groups.missing) supposedUses.set(name, supposed(ratio, requests.get(name), target));
  if (ratio > 1) for (const name of groups.unready) supposedUses.set(name, 0);
  const { ratio: next } = measure(supposedUses, requests, demand);
  const replicas = Math.ceil(next * supposedUses.size);
  const isOpposite = (ratio < 1 && next > 1) || (ratio > 1 && next < 1);
  const isWrongWay = (next < 1 && replicas > current) || (next > 1 && replicas < current);
  return isNear(next, demand) || isOpposite || isWrongWay ? current : replicas;
}

function supposed(ratio: number, request: number | undefined, target: Demand["target"]): number {
  if (ratio > 1) return 0;
  if ("averageMilli" in target) return target.averageMilli;
  return ((request ?? 0) * Math.max(100, target.utilization)) / 100;
}

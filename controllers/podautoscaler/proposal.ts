/**
 * How many Pods each metric calls for; the highest is heard.
 * Source: k8s.io/kubernetes/pkg/controller/podautoscaler/horizontal.go (computeReplicasForMetrics)
 */
import type { HorizontalPodAutoscaler, Pod } from "@atoll/client/builtin";
import { formatQuantity, parseQuantity, scaledValue } from "@atoll/machinery/quantity";
import type { Reconcile } from "@atoll/runtime/controller";
import { type Count, countFor, type Demand, type PodMetrics, Uncountable } from "./readings.ts";

type Spec = NonNullable<HorizontalPodAutoscaler["spec"]["metrics"]>[number];
type MetricStatus = NonNullable<HorizontalPodAutoscaler["status"]["currentMetrics"]>[number];

/** What is called for. */
export interface Proposal {
  readonly replicas: number;
  /** By which metric, in words. */
  readonly of: string;
  readonly metrics: readonly MetricStatus[];
}

/** A metric that could not be had. */
export interface Failure {
  readonly reason: string;
  readonly note: string;
}

/** Whose Pods. */
export interface Asked {
  readonly hpa: HorizontalPodAutoscaler;
  readonly pods: readonly Pod[];
  readonly selector: string;
  readonly current: number;
}

/** What came of all metrics. */
export interface Outcome {
  readonly proposal: Proposal | undefined;
  readonly failures: readonly Failure[];
  /** All failures in one sentence. */
  readonly invalid: string;
}

/** Asks every metric. */
export async function highest(asked: Asked, tools: Reconcile): Promise<Outcome> {
  const specs = asked.hpa.spec.metrics ?? [];
  const failures: (Failure & { readonly kind: string })[] = [];
  const statuses: MetricStatus[] = [];
  let [replicas, of]: [number | undefined, string] = [undefined, ""];
  for (const spec of specs) {
    try {
      const answer = await ask(spec, asked, tools);
      statuses.push(answer.status);
      if (replicas === undefined || answer.replicas > replicas) [replicas, of] = [answer.replicas, answer.of];
    } catch (error) {
      failures.push(failureOf(spec, error));
    }
  }
  const first = failures[0];
  const invalid = `invalid metrics (${failures.length} invalid out of ${specs.length}), first error is: ${first?.kind}: ${first?.note}`;
  return { proposal: replicas === undefined ? undefined : { replicas, of, metrics: statuses }, failures, invalid };
}

interface Answer {
  readonly replicas: number;
  readonly of: string;
  readonly status: MetricStatus;
}

async function ask(spec: Spec, asked: Asked, tools: Reconcile): Promise<Answer> {
  const source = spec.resource ?? spec.containerResource;
  if (source === undefined) throw new Uncountable("unable to fetch metrics: no custom metrics API is served");
  const demand = demandOf(spec, asked);
  const metrics = await metricsOf(asked, tools);
  const count = countFor(asked.pods, metrics, { demand, nowMs: tools.clock.nowMs() });
  const { name } = source;
  const relative = count.utilization === undefined ? "" : " utilization (percentage of request)";
  const current = currentOf(count);
  if (spec.containerResource !== undefined) {
    const { container } = spec.containerResource;
    const status = { type: "ContainerResource", containerResource: { name, container, current } };
    return { replicas: count.replicas, of: `${name} container resource${relative}`, status };
  }
  return {
    replicas: count.replicas,
    of: `${name} resource${relative}`,
    status: { type: "Resource", resource: { name, current } },
  };
}

function currentOf({ utilization, averageMilli }: Count) {
  const average = formatQuantity({ value: BigInt(averageMilli), scale: -3, format: "DecimalSI" });
  return { averageValue: average, ...(utilization === undefined ? {} : { averageUtilization: utilization }) };
}

/** Source: HorizontalPodAutoscalerTolerance */
const usualTolerance = 0.1;

function demandOf(spec: Spec, { hpa, current }: Asked): Demand {
  const source = spec.resource ?? spec.containerResource;
  const { averageValue, averageUtilization } = source?.target ?? {};
  const target =
    averageValue === undefined
      ? { utilization: averageUtilization ?? 0 }
      : { averageMilli: Number(scaledValue(parseQuantity(String(averageValue)), -3)) };
  if (averageValue === undefined && averageUtilization === undefined)
    throw new Uncountable(
      "invalid resource metric source: neither an average utilization target nor an average value (usage) target was set",
    );
  const { scaleUp, scaleDown } = hpa.spec.behavior ?? {};
  const toleranceOf = (text: string | undefined) =>
    text === undefined ? usualTolerance : Number(scaledValue(parseQuantity(String(text)), -3)) / 1000;
  const tolerance = { up: toleranceOf(scaleUp?.tolerance), down: toleranceOf(scaleDown?.tolerance) };
  return { resource: source?.name ?? "", container: spec.containerResource?.container, target, current, tolerance };
}

async function metricsOf({ hpa, selector }: Asked, { client }: Reconcile): Promise<readonly PodMetrics[]> {
  const path = `/apis/metrics.k8s.io/v1beta1/namespaces/${hpa.metadata.namespace}/pods`;
  try {
    const list = (await client.raw({ method: "GET", path, query: { labelSelector: selector } })) as {
      items?: readonly PodMetrics[] | null;
    };
    return list.items ?? [];
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Uncountable(`unable to fetch metrics from resource metrics API: ${why}`, { cause: error });
  }
}

function failureOf(spec: Spec, error: unknown): Failure & { readonly kind: string } {
  if (!(error instanceof Uncountable)) throw error;
  const what = spec.resource?.name ?? spec.containerResource?.name;
  const note = what === undefined ? error.message : `failed to get ${what} utilization: ${error.message}`;
  const kind = `failed to get ${what ?? spec.type} ${what === undefined ? "metric" : "resource metric"} value`;
  return { reason: `FailedGet${spec.type}Metric`, note, kind };
}

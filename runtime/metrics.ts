/**
 * Figures about controllers, as plain data: whoever serves /metrics spells them out.
 * Names of client-go's work queues (k8s.io/component-base/metrics/prometheus/workqueue) and of controller-runtime
 * (pkg/internal/controller/metrics), so that dashboards for those show ours.
 */

/** A number that only rises. */
export class Counter {
  value = 0;
  add(by: number): void {
    this.value += by;
  }
}

/** Observations in buckets of rising bounds. */
export class Histogram {
  readonly bounds: readonly number[];
  /** Observations at most bounds[i] and above bounds[i-1]; the last is for those above every bound. */
  readonly counts: number[];
  sum = 0;
  count = 0;

  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.counts = Array.from({ length: bounds.length + 1 }, () => 0);
  }

  observe(value: number): void {
    const i = this.bounds.findIndex((bound) => value <= bound);
    const at = i < 0 ? this.bounds.length : i;
    this.counts[at] = (this.counts[at] ?? 0) + 1;
    this.sum += value;
    this.count++;
  }
}

const queueBounds = [1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1, 10, 1000];
const reconcileBounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** What a queue counts. */
export interface QueueMetrics {
  readonly adds: Counter;
  readonly retries: Counter;
  readonly waitSeconds: Histogram;
  readonly workSeconds: Histogram;
}

/** Fresh figures for a queue. */
export function queueMetrics(): QueueMetrics {
  return {
    adds: new Counter(),
    retries: new Counter(),
    waitSeconds: new Histogram(queueBounds),
    workSeconds: new Histogram(queueBounds),
  };
}

/** How a reconcile ended. */
export type Outcome = "success" | "error" | "requeue_after" | "terminal";

/** What a controller counts. */
export interface ControllerMetrics {
  readonly queue: QueueMetrics;
  readonly outcomes: Readonly<Record<Outcome, Counter>>;
  readonly reconcileSeconds: Histogram;
}

/** Fresh figures for a controller. */
export function controllerMetrics(): ControllerMetrics {
  const outcomes = {
    success: new Counter(),
    error: new Counter(),
    requeue_after: new Counter(),
    terminal: new Counter(),
  };
  return { queue: queueMetrics(), outcomes, reconcileSeconds: new Histogram(reconcileBounds) };
}

/** One figure with its labels, ready to be spelled out. */
export interface Sample {
  readonly name: string;
  readonly type: "counter" | "gauge" | "histogram";
  readonly help: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number | Histogram;
}

/** Figures of a queue as of now. */
export interface QueueState {
  readonly depth: number;
  unfinishedMs(): { longest: number; sum: number };
}

const queueHelp = {
  depth: "Keys that wait.",
  adds: "Keys added.",
  wait: "How long keys waited before work on them began.",
  work: "How long work on a key took.",
  retries: "Keys added again after a failure.",
  unfinished: "How long all work under way has been going on, summed.",
  longest: "How long the work that began first has been going on.",
};

/** The figures of one queue. */
export function queueSamples(name: string, metrics: QueueMetrics, state: QueueState): readonly Sample[] {
  const labels = { name, controller: name };
  const { longest, sum } = state.unfinishedMs();
  const sample = (suffix: string, type: Sample["type"], help: string, value: Sample["value"]): Sample => {
    return { name: `workqueue_${suffix}`, type, help, labels, value };
  };
  return [
    sample("depth", "gauge", queueHelp.depth, state.depth),
    sample("adds_total", "counter", queueHelp.adds, metrics.adds.value),
    sample("queue_duration_seconds", "histogram", queueHelp.wait, metrics.waitSeconds),
    sample("work_duration_seconds", "histogram", queueHelp.work, metrics.workSeconds),
    sample("retries_total", "counter", queueHelp.retries, metrics.retries.value),
    sample("unfinished_work_seconds", "gauge", queueHelp.unfinished, sum / 1000),
    sample("longest_running_processor_seconds", "gauge", queueHelp.longest, longest / 1000),
  ];
}

/** The figures of one controller, but for its queue's. */
export function controllerSamples(controller: string, metrics: ControllerMetrics): readonly Sample[] {
  const ended = Object.entries(metrics.outcomes).map(([result, counter]): Sample => {
    const help = "Reconciles by how they ended.";
    return {
      name: "controller_runtime_reconcile_total",
      type: "counter",
      help,
      labels: { controller, result },
      value: counter.value,
    };
  });
  const errors: Sample = {
    name: "controller_runtime_reconcile_errors_total",
    type: "counter",
    help: "Reconciles that failed.",
    labels: { controller },
    value: metrics.outcomes.error.value + metrics.outcomes.terminal.value,
  };
  const seconds: Sample = {
    name: "controller_runtime_reconcile_time_seconds",
    type: "histogram",
    help: "How long reconciles took.",
    labels: { controller },
    value: metrics.reconcileSeconds,
  };
  return [...ended, errors, seconds];
}

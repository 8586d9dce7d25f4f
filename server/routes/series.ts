/**
 * Counters and durations by label, for what is counted at every request: a series is found by one string and counted
 * in place, where prom-client makes and sorts an object of labels each time. They are registered with prom-client's
 * registry and told by it.
 */
import type { MetricObjectWithValues, MetricValue, Registry } from "prom-client";

/** Labels of a series, in the order in which they are told. */
export type Labels = Readonly<Record<string, string>>;

/** More series than this are told as one, so that made-up paths cannot fill the memory. */
const seriesMax = 10_000;
const others = "(others)";

interface Series {
  readonly labels: Labels;
  value: number;
}

interface Named {
  readonly name: string;
  readonly help: string;
}

type Told = Omit<MetricObjectWithValues<MetricValue<string>>, "collect">;

/** What prom-client's registry asks of a metric. */
interface Registered {
  readonly name: string;
  get(): Told;
}

function register(registry: Registry, metric: Registered): void {
  // The registry calls get() alone; its types ask for one of prom-client's own classes.
  registry.registerMetric(metric as unknown as Parameters<Registry["registerMetric"]>[0]);
}

/** A number for each combination of labels: a counter, or a gauge when it goes down, too. */
export class Numbers {
  readonly #series = new Map<string, Series>();

  constructor(registry: Registry, { name, help, type }: Named & { readonly type: "counter" | "gauge" }) {
    const get = () => ({
      name,
      help,
      type: type as unknown as Told["type"],
      aggregator: "sum" as const,
      values: [...this.#series.values()].map(({ labels, value }) => ({ labels, value })),
    });
    register(registry, { name, get });
  }

  /**
   * Adds to a series.
   * @param key names the series; the same key has the same labels
   * @param labels asked for once
   */
  add(key: string, amount: number, labels: () => Labels): void {
    this.#of(key, labels).value += amount;
  }

  /** Makes a series a value. */
  set(key: string, value: number, labels: () => Labels): void {
    this.#of(key, labels).value = value;
  }

  #of(key: string, labels: () => Labels): Series {
    const known = this.#series.get(key);
    if (known !== undefined) return known;
    if (this.#series.size >= seriesMax && key !== others) return this.#of(others, () => allOther(labels()));
    const series = { labels: labels(), value: 0 };
    this.#series.set(key, series);
    return series;
  }
}

function allOther(labels: Labels): Labels {
  return Object.fromEntries(Object.keys(labels).map((name) => [name, "other"]));
}

interface Distribution {
  readonly labels: Labels;
  /** How many fell into each bucket, the last being what is above all bounds. */
  readonly counts: Uint32Array;
  sum: number;
}

/** Durations for each combination of labels, as a histogram. */
export class Durations {
  readonly #bounds: Float64Array;
  readonly #series = new Map<string, Distribution>();

  /** @param bounds upper bounds of the buckets in seconds, ascending */
  constructor(registry: Registry, { name, help, bounds }: Named & { readonly bounds: readonly number[] }) {
    this.#bounds = Float64Array.from(bounds);
    const get = () => ({
      name,
      help,
      type: "histogram" as unknown as Told["type"],
      aggregator: "sum" as const,
      values: [...this.#series.values()].flatMap((series) => this.#told(name, series)),
    });
    register(registry, { name, get });
  }

  /** @param key names the series; the same key has the same labels */
  observe(key: string, seconds: number, labels: () => Labels): void {
    let series = this.#series.get(key);
    if (series === undefined) {
      if (this.#series.size >= seriesMax && key !== others)
        return this.observe(others, seconds, () => allOther(labels()));
      series = { labels: labels(), counts: new Uint32Array(this.#bounds.length + 1), sum: 0 };
      this.#series.set(key, series);
    }
    let bucket = 0;
    for (const bound of this.#bounds) {
      if (seconds <= bound) break;
      bucket++;
    }
    series.counts[bucket] = (series.counts[bucket] ?? 0) + 1;
    series.sum += seconds;
  }

  #told(name: string, { labels, counts, sum }: Distribution): (MetricValue<string> & { metricName: string })[] {
    let total = 0;
    const buckets = Array.from(counts, (count, i) => {
      total += count;
      const bound = this.#bounds[i];
      const le = bound === undefined ? "+Inf" : bound;
      return { labels: { le, ...labels }, value: total, metricName: `${name}_bucket` };
    });
    return [
      ...buckets,
      { labels, value: sum, metricName: `${name}_sum` },
      { labels, value: total, metricName: `${name}_count` },
    ];
  }
}

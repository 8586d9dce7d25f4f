/**
 * What the metrics tell of flows. Requests only count; names and labels are put together when somebody asks.
 * Source: k8s.io/apiserver/pkg/util/flowcontrol/metrics
 */
import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import type { Schema } from "./classify.ts";
import type { Level } from "./level.ts";

const seconds = [0, 0.005, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30];

/** Where the numbers are. */
export interface FlowSources {
  readonly levels: () => ReadonlyMap<string, Level>;
  readonly schemas: () => Iterable<Schema>;
}

/** The `apiserver_flowcontrol_` metrics. */
export class FlowMetrics {
  readonly #waits: Histogram<"priority_level">;

  constructor(registry: Registry, { levels, schemas }: FlowSources) {
    const registers = [registry];
    this.#waits = new Histogram({
      name: "apiserver_flowcontrol_request_wait_duration_seconds",
      help: "Time that requests waited for their seats; those that did not wait are not counted here",
      labelNames: ["priority_level"],
      buckets: seconds,
      registers,
    });
    countsOf(registers, schemas);
    const gauge = (name: string, help: string, read: (level: Level) => number) =>
      new Gauge({
        name: `apiserver_flowcontrol_${name}`,
        help,
        labelNames: ["priority_level"],
        registers,
        collect() {
          this.reset();
          for (const [level, state] of levels()) this.set({ priority_level: level }, read(state));
        },
      });
    gauge("current_inqueue_requests", "Requests that wait for a seat", ({ waiting }) => waiting);
    gauge("current_executing_seats", "Seats in use", ({ used }) => used);
    gauge("nominal_limit_seats", "Seats that are a level's part of the whole", ({ limits }) => limits.nominal);
    gauge("lower_limit_seats", "Seats that a level does not lend", ({ limits }) => limits.nominal - limits.lendable);
    gauge("upper_limit_seats", "Seats that a level may use with what it borrows", ({ limits }) => limits.most);
  }

  /** A request that had to wait has its seats. */
  waited({ limits: { name } }: Level, ms: number): void {
    this.#waits.observe({ priority_level: name }, ms / 1000);
  }
}

function countsOf(registers: Registry[], schemas: FlowSources["schemas"]): void {
  const labelNames = ["priority_level", "flow_schema"] as const;
  new Counter({
    name: "apiserver_flowcontrol_dispatched_requests_total",
    help: "Requests let in",
    labelNames,
    registers,
    collect() {
      this.reset();
      for (const { name, level, dispatched } of schemas()) {
        this.inc({ priority_level: level, flow_schema: name }, dispatched);
      }
    },
  });
  new Counter({
    name: "apiserver_flowcontrol_rejected_requests_total",
    help: "Requests refused, by reason",
    labelNames: [...labelNames, "reason"],
    registers,
    collect() {
      this.reset();
      for (const { name, level, rejected } of schemas()) {
        for (const [reason, count] of rejected) {
          this.inc({ priority_level: level, flow_schema: name, reason }, count);
        }
      }
    },
  });
}

/**
 * Metrics under the names that Kubernetes dashboards use, and the stage that counts requests.
 * Source: k8s.io/apiserver/pkg/endpoints/metrics; kubernetes.io/docs/reference/instrumentation/metrics
 */
import type { Clock } from "@atoll/machinery/clock";
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { Exchange, Stage } from "../exchange.ts";
import { textReply } from "../reply.ts";

const seconds = [0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60];

const requestLabels = ["verb", "dry_run", "group", "version", "resource", "subresource", "scope"] as const;

/** A server's metrics. */
export class Metrics {
  readonly registry = new Registry();
  readonly #clock: Clock;
  readonly #requests: Counter<string>;
  readonly #durations: Histogram<string>;
  readonly #inflight: Gauge<string>;
  readonly #longRunning: Gauge<string>;

  constructor(clock: Clock) {
    this.#clock = clock;
    const registers = [this.registry];
    collectDefaultMetrics({ register: this.registry });
    this.#requests = new Counter({
      name: "apiserver_request_total",
      help: "Requests by verb, resource and HTTP code",
      labelNames: [...requestLabels, "component", "code"],
      registers,
    });
    this.#durations = new Histogram({
      name: "apiserver_request_duration_seconds",
      help: "Time from a request's first byte to its answer, by verb and resource; watches and proxies left out",
      labelNames: [...requestLabels, "component"],
      buckets: seconds,
      registers,
    });
    this.#inflight = new Gauge({
      name: "apiserver_current_inflight_requests",
      help: "Requests under way, long-running ones left out",
      labelNames: ["request_kind"],
      registers,
    });
    this.#longRunning = new Gauge({
      name: "apiserver_longrunning_requests",
      help: "Watches and streams under way",
      labelNames: ["verb", "group", "version", "resource", "subresource", "scope", "component"],
      registers,
    });
  }

  /** Counts a request from here to its answer. */
  count: Stage = (exchange) => {
    const labels = labelsOf(exchange);
    const long = isLongRunning(exchange);
    const { dry_run: _, ...longLabels } = labels;
    const kind = { request_kind: readVerbs.has(exchange.info.verb) ? "readOnly" : "mutating" };
    if (long) this.#longRunning.inc({ ...longLabels, component: "apiserver" });
    else this.#inflight.inc(kind);
    exchange.onDone((code) => {
      this.#requests.inc({ ...labels, component: "apiserver", code: String(code) });
      if (long) {
        this.#longRunning.dec({ ...longLabels, component: "apiserver" });
        return;
      }
      this.#inflight.dec(kind);
      const elapsed = (this.#clock.monotonicMs() - exchange.startedMs) / 1000;
      this.#durations.observe({ ...labels, component: "apiserver" }, elapsed);
    });
    return undefined;
  };

  /** GET /metrics */
  serve: Stage = async ({ info }) => {
    if (info.path !== "/metrics") return undefined;
    const text = await this.registry.metrics();
    return { ...textReply(200, text), contentType: this.registry.contentType };
  };
}

const readVerbs: ReadonlySet<string> = new Set(["get", "list", "watch"]);
const streams: ReadonlySet<string> = new Set(["exec", "attach", "portforward", "proxy", "log"]);

/** Requests that last as long as the client wishes. */
export function isLongRunning({ info }: Exchange): boolean {
  return info.verb === "watch" || streams.has(info.subresource);
}

function labelsOf({ info }: Exchange) {
  return {
    verb: info.verb === "head" ? "GET" : metricVerb(info.verb),
    dry_run: info.query.has("dryRun") ? "All" : "",
    group: info.group,
    version: info.version,
    resource: info.resource,
    subresource: info.subresource,
    scope: scopeOf(info),
  };
}

function metricVerb(verb: string): string {
  const named: Readonly<Record<string, string>> = {
    create: "POST",
    update: "PUT",
    deletecollection: "DELETECOLLECTION",
  };
  return named[verb] ?? verb.toUpperCase();
}

function scopeOf({ resource, name, namespace }: Exchange["info"]): string {
  if (resource === "") return "";
  if (name !== "") return "resource";
  return namespace === "" ? "cluster" : "namespace";
}

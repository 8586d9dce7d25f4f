/**
 * Metrics under the names that Kubernetes dashboards use, and the stage that counts requests.
 * Source: k8s.io/apiserver/pkg/endpoints/metrics; kubernetes.io/docs/reference/instrumentation/metrics
 */
import type { Clock } from "@atoll/machinery/clock";
import { collectDefaultMetrics, Gauge, Registry } from "prom-client";
import type { Exchange, Stage } from "../exchange.ts";
import type { Catalogue } from "../registry/catalogue.ts";
import { textReply } from "../reply.ts";
import type { RequestInfo } from "../request.ts";
import { Durations, type Labels, Numbers } from "./series.ts";

const seconds = [0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60];

/** A server's metrics. */
export class Metrics {
  readonly registry = new Registry();
  readonly #clock: Clock;
  readonly #requests: Numbers;
  readonly #durations: Durations;
  readonly #inflight: Numbers;
  readonly #longRunning: Numbers;
  readonly #deprecated: Numbers;

  constructor(clock: Clock, catalogue: Catalogue) {
    this.#clock = clock;
    collectDefaultMetrics({ register: this.registry });
    countObjects(this.registry, catalogue);
    this.#requests = new Numbers(this.registry, {
      name: "apiserver_request_total",
      help: "Requests by verb, resource and HTTP code",
      type: "counter",
    });
    this.#durations = new Durations(this.registry, {
      name: "apiserver_request_duration_seconds",
      help: "Time from a request's first byte to its answer, by verb and resource; watches and proxies left out",
      bounds: seconds,
    });
    this.#inflight = new Numbers(this.registry, {
      name: "apiserver_current_inflight_requests",
      help: "Requests under way, long-running ones left out",
      type: "gauge",
    });
    this.#longRunning = new Numbers(this.registry, {
      name: "apiserver_longrunning_requests",
      help: "Watches and streams under way",
      type: "gauge",
    });
    this.#deprecated = new Numbers(this.registry, {
      name: "apiserver_requested_deprecated_apis",
      help: "Deprecated versions of resources that were asked for since the server started, by the release they go in",
      type: "gauge",
    });
  }

  /** Counts a request from here to its answer. */
  count: Stage = (exchange) => {
    const { info } = exchange;
    const scope = scopeOf(info);
    const dry = info.query.has("dryRun") ? "All" : "";
    const key = `${info.verb} ${info.group}/${info.version}/${info.resource}/${info.subresource} ${scope}${dry}`;
    const underWay = isLongRunning(exchange) ? this.#streaming(info, key) : this.#answering(info);
    underWay(1);
    exchange.onDone((code) => {
      underWay(-1);
      if (exchange.deprecated) this.#sawDeprecated(info);
      this.#requests.add(`${key} ${code}`, 1, () => ({ ...labelsOf(info), code: String(code) }));
      if (isLongRunning(exchange)) return;
      const elapsed = (this.#clock.monotonicMs() - exchange.startedMs) / 1000;
      this.#durations.observe(key, elapsed, () => labelsOf(info));
    });
    return undefined;
  };

  /** The series is 1, however often it was asked for. */
  #sawDeprecated({ group, version, resource, subresource }: RequestInfo): void {
    const key = `${group}/${version}/${resource}/${subresource}`;
    this.#deprecated.set(key, 1, () => ({ group, version, resource, subresource, removed_release: "" }));
  }

  #answering(info: RequestInfo): (change: number) => void {
    const kind = readVerbs.has(info.verb) ? "readOnly" : "mutating";
    return (change) => this.#inflight.add(kind, change, () => ({ request_kind: kind }));
  }

  #streaming(info: RequestInfo, key: string): (change: number) => void {
    return (change) =>
      this.#longRunning.add(key, change, () => {
        const { dry_run: _, ...labels } = labelsOf(info);
        return labels;
      });
  }

  /** GET /metrics */
  serve: Stage = async ({ info }) => {
    if (info.path !== "/metrics") return undefined;
    const text = await this.registry.metrics();
    return { ...textReply(200, text), contentType: this.registry.contentType };
  };
}

/** Of resources that nobody has read yet, nobody knows how many there are. */
function countObjects(registry: Registry, catalogue: Catalogue): void {
  new Gauge({
    name: "apiserver_storage_objects",
    help: "Objects of each resource that has been read",
    labelNames: ["resource"],
    registers: [registry],
    collect() {
      this.reset();
      for (const { stored, cache } of catalogue.resources()) {
        const resource = stored.group === "" ? stored.plural : `${stored.plural}.${stored.group}`;
        if (cache.revision > 0) this.set({ resource }, cache.size);
      }
    },
  });
}

const readVerbs: ReadonlySet<string> = new Set(["get", "list", "watch"]);
const streams: ReadonlySet<string> = new Set(["exec", "attach", "portforward", "proxy", "log"]);

/** Requests that last as long as the client wishes. */
export function isLongRunning({ info }: Exchange): boolean {
  return info.verb === "watch" || streams.has(info.subresource);
}

function labelsOf(info: RequestInfo): Labels {
  return {
    verb: info.verb === "head" ? "GET" : metricVerb(info.verb),
    dry_run: info.query.has("dryRun") ? "All" : "",
    group: info.group,
    version: info.version,
    resource: info.resource,
    subresource: info.subresource,
    scope: scopeOf(info),
    component: "apiserver",
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

function scopeOf({ resource, name, namespace }: RequestInfo): string {
  if (resource === "") return "";
  if (name !== "") return "resource";
  return namespace === "" ? "cluster" : "namespace";
}

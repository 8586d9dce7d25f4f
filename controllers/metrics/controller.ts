/**
 * Resource metrics (`kubectl top`, HorizontalPodAutoscalers): reads every node's counters, and serves metrics.k8s.io to
 * the API server as an aggregated API. Whichever process leads announces its own address.
 *
 *   kubelets ◀─ every 15 s, through nodes/proxy ─ Scraper ─▶ readings ─▶ server ◀─ API server ◀─ kubectl top
 *
 * Source: github.com/kubernetes-sigs/metrics-server (behaviour); k8s.io/metrics
 */
import { networkInterfaces } from "node:os";
import { APIService, ConfigMap, EndpointSlice, Node, Pod, Service } from "@atoll/client/builtin";
import type { Client } from "@atoll/client/client";
import { isNotFound } from "@atoll/client/errors";
import type { Informer } from "@atoll/client/informer/informer";
import { metadataOf, type PartialObject, toKey } from "@atoll/client/resource";
import { selfSigned } from "@atoll/runtime/certificates/selfsigned";
import { named } from "@atoll/runtime/claims";
import type { Controller, RunningController, Surroundings } from "@atoll/runtime/controller";
import { type MetricsServer, startMetricsServer } from "./server.ts";
import { type Look, type Measured, measure, type Summary } from "./usage.ts";

const name = "metrics-server";
const namespace = "kube-system";
const apiServiceName = "v1beta1.metrics.k8s.io";
const everyMs = 15_000;
/** The second look of a node comes soon, so that there is something to show. */
const soonMs = 3_000;
const patienceMs = 10_000;
const fieldManager = "atoll-metrics-server";

/** Serves resource metrics. */
export const metricsController: Controller = {
  name,
  reads: [Node, Pod],
  writes: [named(APIService, apiServiceName), named(Service, name), named(EndpointSlice, name)],
  start: (surroundings) => new Metrics(surroundings),
};

class Metrics implements RunningController {
  readonly ended: Promise<void>;
  readonly #around: Surroundings;
  readonly #nodes: Informer<PartialObject>;
  readonly #pods: Informer<PartialObject>;
  readonly #looks = new Map<string, Look>();
  readonly #measured = new Map<string, ReturnType<typeof measure>>();
  #server: MetricsServer | undefined;

  constructor(around: Surroundings) {
    this.#around = around;
    this.#nodes = around.cache.informer(metadataOf(Node));
    this.#pods = around.cache.informer(metadataOf(Pod));
    this.ended = this.#run();
  }

  get synced(): boolean {
    return this.#nodes.synced && this.#pods.synced;
  }

  get idle(): boolean {
    return this.synced;
  }

  async #run(): Promise<void> {
    const { clock, log, stopping } = this.#around;
    while (!stopping.aborted) {
      let waitMs = everyMs;
      try {
        // Without a node there is nothing to measure, and nothing to announce.
        if (this.#nodes.size > 0) this.#server ??= await this.#serve();
        waitMs = (await this.#look()) ? everyMs : soonMs;
      } catch (error) {
        log.warn("resource metrics are not served yet", { error });
      }
      await clock.sleep(waitMs, stopping).catch(() => undefined);
    }
    this.#server?.close();
  }

  /** Reads all nodes. @returns whether each had been read before */
  async #look(): Promise<boolean> {
    const names = [...this.#nodes.values()].map(({ metadata }) => metadata.name ?? "");
    for (const known of this.#looks.keys()) if (!names.includes(known)) this.#forget(known);
    const settled = await Promise.all(names.map((node) => this.#lookAt(node)));
    return settled.every(Boolean);
  }

  async #lookAt(node: string): Promise<boolean> {
    const { client, clock, log } = this.#around;
    const signal = AbortSignal.any([this.#around.stopping, AbortSignal.timeout(patienceMs)]);
    try {
      const path = `/api/v1/nodes/${encodeURIComponent(node)}/proxy/stats/summary`;
      const summary = (await client.raw({ method: "GET", path, signal })) as Summary;
      const now = { atMs: clock.nowMs(), summary };
      const before = this.#looks.get(node);
      this.#looks.set(node, now);
      if (before !== undefined) this.#measured.set(node, measure(before, now));
      return before !== undefined;
    } catch (error) {
      // What is not known any more is not shown as if it were.
      this.#forget(node);
      log.debug("a node could not be read", { node, error });
      return false;
    }
  }

  #forget(node: string): void {
    this.#looks.delete(node);
    this.#measured.delete(node);
  }

  async #serve(): Promise<MetricsServer> {
    const { client, clock } = this.#around;
    const pair = await selfSigned(name, [`${name}.${namespace}.svc`], clock.nowMs());
    const server = await startMetricsServer({
      pair,
      frontProxy: await frontProxy(client),
      readings: () => this.#readings(),
    });
    try {
      await announce(client, { port: server.port, ca: pair.cert });
    } catch (error) {
      server.close();
      throw error;
    }
    return server;
  }

  #readings() {
    const all = [...this.#measured.values()];
    return {
      nodes: all.flatMap(({ node }) => (node === undefined ? [] : [node])),
      pods: all.flatMap(({ pods }): readonly Measured[] => pods),
      labelsOf: (kind: "nodes" | "pods", at: string, of: string) =>
        (kind === "nodes" ? this.#nodes : this.#pods).get(toKey(at, of))?.metadata.labels,
    };
  }
}

/** Whom to believe. Source: k8s.io/apiserver/pkg/server/options/authentication.go */
async function frontProxy(client: Client): Promise<{ ca: string; names: readonly string[] }> {
  const { data = {} } = await client.get(ConfigMap, toKey(namespace, "extension-apiserver-authentication"));
  const names = JSON.parse(data["requestheader-allowed-names"] ?? "[]") as string[];
  return { ca: data["requestheader-client-ca-file"] ?? "", names };
}

/** Tells the API server where the metrics are. A registration of somebody else's is left alone. */
async function announce(client: Client, { port, ca }: { readonly port: number; readonly ca: string }): Promise<void> {
  const existing = await client.get(APIService, toKey("", apiServiceName)).catch((error: unknown) => {
    if (isNotFound(error)) return undefined;
    throw error;
  });
  if (existing?.spec.service !== undefined && existing.spec.service !== null && existing.spec.service.name !== name)
    return;
  const apply = { fieldManager };
  const metadata = { name, namespace, labels: { "kubernetes.io/service-name": name } };
  const ports = [{ name: "https", port: 443, targetPort: port }];
  await client.apply(Service, { object: { metadata: { name, namespace }, spec: { ports } }, force: true }, apply);
  const endpoints = [{ addresses: [ownAddress()], conditions: { ready: true } }];
  const slice = { metadata, addressType: "IPv4", endpoints, ports: [{ name: "https", port }] };
  await client.apply(EndpointSlice, { object: slice, force: true }, apply);
  const spec = {
    group: "metrics.k8s.io",
    version: "v1beta1",
    service: { name, namespace },
    caBundle: Buffer.from(ca).toString("base64"),
    groupPriorityMinimum: 100,
    versionPriority: 100,
  };
  await client.apply(APIService, { object: { metadata: { name: apiServiceName }, spec }, force: true }, apply);
}

/** An address at which other hosts reach this one. */
function ownAddress(): string {
  const all = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  return all.find(({ family, internal }) => family === "IPv4" && !internal)?.address ?? "127.0.0.1";
}

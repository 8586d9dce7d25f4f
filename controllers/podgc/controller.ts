/**
 * Clears away Pods that nobody else will: of nodes that are gone, of nodes declared out of service, those that went before they were
 * scheduled, and ended ones when they become too many.
 *
 * It sweeps every 20 seconds instead of reconciling keys: what it looks for is what does *not* happen.
 * Source: k8s.io/kubernetes/pkg/controller/podgc
 */
import { Node, Pod } from "@atoll/client/builtin";
import { isConflict, isNotFound } from "@atoll/client/errors";
import type { Informer } from "@atoll/client/informer/informer";
import { keyOf, toKey } from "@atoll/client/resource";
import { formatTime } from "@atoll/machinery/clock";
import { deletionOf, partOf } from "@atoll/runtime/claims";
import type { Controller, RunningController, Surroundings } from "@atoll/runtime/controller";
import { allOf } from "../pods/batch.ts";
import type { Step } from "./plan.ts";
import { missingNodes, plan } from "./plan.ts";

const name = "pod-garbage-collector-controller";
const usualSweepEveryMs = 20_000;
/** How long a node must be missing, so that one that is just being registered keeps its Pods. */
const quarantineMs = 40_000;
/** Source: --terminated-pod-gc-threshold */
const endedLimit = 12_500;
const atOnce = 100;

/** Clears Pods away. @param sweepEveryMs how often it is looked for what does not happen */
export const podGcController = (sweepEveryMs = usualSweepEveryMs): Controller => ({
  name,
  reads: [Pod, Node],
  writes: [
    deletionOf(Pod, "nobody else will end it"),
    partOf(Pod, "phase Failed of those that can never end", ({ subresource }) => subresource === "status"),
  ],
  start: (surroundings) => new Sweeper(surroundings, sweepEveryMs),
});

class Sweeper implements RunningController {
  readonly ended: Promise<void>;
  readonly #around: Surroundings;
  readonly #sweepEveryMs: number;
  readonly #pods: Informer<Pod>;
  readonly #nodes: Informer<Node>;
  /** Since when nodes that Pods are bound to have been missing, monotonic ms. */
  readonly #missing = new Map<string, number>();
  #sweeping = false;

  constructor(around: Surroundings, sweepEveryMs: number) {
    this.#around = around;
    this.#sweepEveryMs = sweepEveryMs;
    this.#pods = around.cache.informer(Pod);
    this.#nodes = around.cache.informer(Node);
    this.ended = this.#run();
  }

  get synced(): boolean {
    return this.#pods.synced && this.#nodes.synced;
  }

  get idle(): boolean {
    return this.synced && !this.#sweeping;
  }

  async #run(): Promise<void> {
    const { clock, stopping } = this.#around;
    while (!stopping.aborted) {
      await clock.sleep(this.#sweepEveryMs, stopping).catch(() => undefined);
      if (stopping.aborted || !this.synced) continue;
      this.#sweeping = true;
      await this.#sweep();
      this.#sweeping = false;
    }
  }

  async #sweep(): Promise<void> {
    const { log } = this.#around;
    const pods = [...this.#pods.values()];
    const nodes = new Map([...this.#nodes.values()].map((node) => [node.metadata.name ?? "", node]));
    const goneNodes = await this.#goneNodes(missingNodes(pods, nodes));
    const steps = plan({ pods, nodes, goneNodes, endedLimit });
    for (let i = 0; i < steps.length; i += atOnce) {
      const { failures } = await allOf(steps.slice(i, i + atOnce), (step) => this.#take(step));
      for (const error of failures) log.warn("a pod was not cleared away", { controller: name, error });
    }
  }

  /** Missing nodes that have been so for the whole quarantine, and that the API does not know either. */
  async #goneNodes(missing: ReadonlySet<string>): Promise<ReadonlySet<string>> {
    const { client, clock, dead } = this.#around;
    for (const known of this.#missing.keys()) if (!missing.has(known)) this.#missing.delete(known);
    const gone = new Set<string>();
    for (const node of missing) {
      const sinceMs = this.#missing.get(node) ?? clock.monotonicMs();
      this.#missing.set(node, sinceMs);
      if (clock.monotonicMs() - sinceMs < quarantineMs) continue;
      const isGone = await client.get(Node, toKey(undefined, node), { signal: dead }).then(
        () => false,
        (error: unknown) => isNotFound(error),
      );
      if (isGone) gone.add(node);
    }
    return gone;
  }

  async #take(step: Step): Promise<void> {
    const { client, log, dead } = this.#around;
    try {
      if (step.fail !== undefined) await this.#fail(step.pod, step.fail);
      await client.delete(Pod, keyOf(step.pod), { uid: step.pod.metadata.uid, graceSeconds: 0, signal: dead });
      log.info("cleared a pod away", { controller: name, pod: keyOf(step.pod), why: step.fail ?? "it has ended" });
    } catch (error) {
      // It is gone, or has changed since: the next sweep will see.
      if (!isNotFound(error) && !isConflict(error)) throw error;
    }
  }

  /** Says what became of a Pod before it goes, so that its owner can count it. */
  async #fail(pod: Pod, message: string): Promise<void> {
    const { client, clock, dead } = this.#around;
    const now = formatTime(clock.nowMs());
    const about = { reason: "DeletionByPodGC", message, lastProbeTime: null, lastTransitionTime: now };
    const others = (pod.status?.conditions ?? []).filter(({ type }) => type !== "DisruptionTarget");
    const conditions = [...others, { type: "DisruptionTarget", status: "True", ...about }];
    await client.setStatus(
      Pod,
      { object: pod, status: { ...pod.status, phase: "Failed", conditions } },
      { signal: dead },
    );
  }
}

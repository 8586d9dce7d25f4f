/**
 * The scheduler: finds a node for each Pod that has none.
 *
 *   Pods, Nodes ──▶ places ──▶ waiting, by priority ──▶ filter, score, book ──▶ bind
 *                                    ▲                        └─ fits nowhere ─▶ parked, until a Pod or a Node changes
 *                                    └── back-off ◀── the binding failed
 *
 * It has a loop of its own because every decision needs all that was decided before: one Pod at a time is judged, while
 * the bindings of earlier ones are still under way. Source: k8s.io/kubernetes/pkg/scheduler/schedule_one.go
 */
import { Node, Pod } from "@atoll/client/builtin";
import { isNotFound } from "@atoll/client/errors";
import { keyOf } from "@atoll/client/resource";
import { formatTime } from "@atoll/machinery/clock";
import { partOf, subresourceOf } from "@atoll/runtime/claims";
import type { Controller, RunningController, Surroundings } from "@atoll/runtime/controller";
import type { Sample } from "@atoll/runtime/metrics";
import { refusals } from "./filter.ts";
import { Places } from "./places.ts";
import { podRequests } from "./requests.ts";
import { best } from "./score.ts";
import { explain } from "./verdict.ts";

const name = "default-scheduler";
const bindersAtOnce = 32;
/** Source: DefaultPodInitialBackoffSeconds, DefaultPodMaxBackoffSeconds */
const backoffMs = { first: 1_000, longest: 10_000 };

/** The scheduler of Pods that name none or `default-scheduler`. */
export const scheduler: Controller = {
  name,
  reads: [Pod, Node],
  writes: [
    subresourceOf(Pod, "binding"),
    partOf(Pod, "condition PodScheduled", ({ verb, subresource }) => verb === "patch" && subresource === "status"),
  ],
  start: (surroundings) => new Scheduler(surroundings),
};

function isWaiting({ metadata, spec }: Pod): boolean {
  const isGated = (spec.schedulingGates ?? []).length > 0;
  const isOurs = (spec.schedulerName ?? name) === name;
  return (spec.nodeName ?? "") === "" && metadata.deletionTimestamp === undefined && isOurs && !isGated;
}

const hasEnded = ({ status }: Pod): boolean => status?.phase === "Succeeded" || status?.phase === "Failed";

/** What of a node decides whether Pods fit; heartbeats are not in it. */
const fitOf = ({ metadata, spec, status }: Node): string =>
  JSON.stringify([metadata.labels, spec, status?.allocatable]);

class Scheduler implements RunningController {
  readonly ended: Promise<void>;
  readonly #around: Surroundings;
  readonly #places = new Places();
  /** Pods to be judged, by uid. */
  readonly #active = new Map<string, Pod>();
  /** Pods that fit nowhere, by uid. */
  readonly #parked = new Map<string, Pod>();
  readonly #failures = new Map<string, number>();
  /** Pods that are bound as far as we know, though the cache may not show it yet. */
  readonly #assumed = new Set<string>();
  #binding = 0;
  #wake = () => {};
  #synced = () => false;
  #parkings = 0;

  constructor(around: Surroundings) {
    this.#around = around;
    this.ended = this.#run();
  }

  get synced(): boolean {
    return this.#synced();
  }

  get idle(): boolean {
    return this.synced && this.#active.size === 0 && this.#binding + this.#parkings === 0 && this.#failures.size === 0;
  }

  samples(): readonly Sample[] {
    return [];
  }

  async #run(): Promise<void> {
    const { cache, stopping } = this.#around;
    const [pods, nodes] = [cache.informer(Pod), cache.informer(Node)];
    this.#synced = () => pods.synced && nodes.synced;
    const aborted = new Promise<void>((resolve) => {
      if (stopping.aborted) resolve();
      stopping.addEventListener("abort", () => resolve(), { once: true });
    });
    // All that runs must be known before anything is put beside it.
    await Promise.race([aborted, Promise.all([pods.whenSynced(), nodes.whenSynced()])]);
    const ends = [
      nodes.onChange(({ before, after }) => this.#node(before, after)),
      pods.onChange(({ before, after }) => this.#pod(before, after)),
    ];
    stopping.addEventListener("abort", () => this.#wake(), { once: true });
    while (!stopping.aborted) await this.#step();
    for (const end of ends) end();
  }

  async #step(): Promise<void> {
    const pod = this.#binding < bindersAtOnce ? this.#next() : undefined;
    if (pod !== undefined) return this.#schedule(pod);
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      if (this.#around.stopping.aborted) resolve();
    });
  }

  /** The most important; among equals, who came first. */
  #next(): Pod | undefined {
    let next: Pod | undefined;
    for (const pod of this.#active.values())
      if (next === undefined || (pod.spec.priority ?? 0) > (next.spec.priority ?? 0)) next = pod;
    this.#active.delete(next?.metadata.uid ?? "");
    return next;
  }

  #node(before: Node | undefined, after: Node | undefined): void {
    if (after === undefined) return this.#places.remove(before?.metadata.name ?? "");
    this.#places.put(after);
    if (before === undefined || fitOf(before) !== fitOf(after)) this.#unpark();
  }

  #pod(before: Pod | undefined, after: Pod | undefined): void {
    if (before !== undefined && before.metadata.uid !== after?.metadata.uid) this.#forget(before);
    if (after === undefined) return;
    const { uid = "" } = after.metadata;
    const { nodeName = "" } = after.spec;
    if (hasEnded(after)) return this.#forget(after);
    if (nodeName !== "") {
      this.#drop(uid);
      return this.#places.book(after, nodeName);
    }
    if (!isWaiting(after)) return this.#drop(uid);
    if (this.#assumed.has(uid)) return;
    if (this.#parked.has(uid) && JSON.stringify(before?.spec) === JSON.stringify(after.spec)) return;
    this.#parked.delete(uid);
    this.#active.set(uid, after);
    this.#wake();
  }

  /** Nothing more is to be done for it. */
  #drop(uid: string): void {
    this.#active.delete(uid);
    this.#parked.delete(uid);
    this.#failures.delete(uid);
    this.#assumed.delete(uid);
  }

  #forget({ metadata: { uid = "" } }: Pod): void {
    this.#drop(uid);
    if (this.#places.release(uid)) this.#unpark();
  }

  /** The world changed: who fitted nowhere may fit now. */
  #unpark(): void {
    for (const [uid, pod] of this.#parked) this.#active.set(uid, pod);
    this.#parked.clear();
    this.#wake();
  }

  #schedule(pod: Pod): void {
    const { uid = "" } = pod.metadata;
    const places = this.#places.list();
    const verdicts = places.map((place) => refusals(pod, place));
    const fitting = places.filter((_, index) => verdicts[index]?.length === 0);
    const chosen = best(podRequests(pod.spec), fitting);
    if (chosen === undefined) {
      this.#parked.set(uid, pod);
      return this.#refuse(pod, explain(verdicts));
    }
    const target = chosen.node.metadata.name ?? "";
    this.#places.book(pod, target);
    this.#assumed.add(uid);
    this.#binding += 1;
    void this.#bind(pod, target);
  }

  async #bind(pod: Pod, target: string): Promise<void> {
    const { client, events, dead } = this.#around;
    const { name: podName, namespace, uid = "" } = pod.metadata;
    const metadata = { name: podName, namespace, uid };
    const body = {
      apiVersion: "v1",
      kind: "Binding",
      metadata,
      target: { apiVersion: "v1", kind: "Node", name: target },
    };
    try {
      await client.createSubresource(Pod, { key: keyOf(pod), subresource: "binding", body }, { signal: dead });
      this.#failures.delete(uid);
      const note = `Successfully assigned ${namespace}/${podName} to ${target}`;
      events.record(pod, { type: "Normal", reason: "Scheduled", action: "Binding", note });
    } catch (error) {
      this.#failed(pod, error);
    } finally {
      this.#binding -= 1;
      this.#wake();
    }
  }

  /** Whether it is bound after all, the cache will tell; until then, it is tried again. */
  #failed(pod: Pod, error: unknown): void {
    const { cache, clock, log, dead, stopping } = this.#around;
    const { uid = "" } = pod.metadata;
    const latest = cache.informer(Pod).get(keyOf(pod));
    this.#assumed.delete(uid);
    if (latest?.metadata.uid !== uid || isNotFound(error)) return this.#forget(pod);
    if ((latest.spec.nodeName ?? "") !== "") return;
    this.#places.release(uid);
    const failures = (this.#failures.get(uid) ?? 0) + 1;
    this.#failures.set(uid, failures);
    const afterMs = Math.min(backoffMs.first * 2 ** (failures - 1), backoffMs.longest);
    if (!dead.aborted) log.debug("could not bind, will try again", { key: keyOf(pod), afterMs, error });
    clock.after(afterMs, () => this.#retry(pod), { unref: true });
    if (stopping.aborted) this.#failures.delete(uid);
  }

  #retry(pod: Pod): void {
    const latest = this.#around.cache.informer(Pod).get(keyOf(pod));
    if (latest === undefined || latest.metadata.uid !== pod.metadata.uid || !isWaiting(latest)) return;
    this.#pod(undefined, latest);
  }

  #refuse(pod: Pod, message: string): void {
    const { client, clock, events, log, dead } = this.#around;
    events.record(pod, { type: "Warning", reason: "FailedScheduling", action: "Scheduling", note: message });
    const known = pod.status?.conditions?.find(({ type }) => type === "PodScheduled");
    if (known?.status === "False" && known.message === message) return;
    const lastTransitionTime = known?.status === "False" ? known.lastTransitionTime : formatTime(clock.nowMs());
    const condition = { type: "PodScheduled", status: "False", reason: "Unschedulable", message, lastTransitionTime };
    const patch = {
      type: "strategic",
      body: { metadata: { uid: pod.metadata.uid }, status: { conditions: [condition] } },
    } as const;
    this.#parkings += 1;
    client
      .patch(Pod, { key: keyOf(pod), patch, subresource: "status" }, { signal: dead })
      .catch((error: unknown) => {
        if (!dead.aborted && !isNotFound(error))
          log.warn("cannot tell that a Pod fits nowhere", { controller: name, error });
      })
      .finally(() => {
        this.#parkings -= 1;
      });
  }
}

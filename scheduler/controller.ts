/**
 * The scheduler: finds a node for each Pod that has none.
 *
 *   Pods, Nodes, … ──▶ sight ──▶ queue ──▶ judge ─┬─ fits ──▶ best, book ──▶ bind volumes, bind
 *                                  ▲              └─ fits nowhere ──▶ preempt? ──▶ told why, and parked
 *                                  └── what changed may help it ◀──────────────────────────────┘
 *
 * It has a loop of its own because every decision needs all that was decided before: one Pod at a time is judged, while
 * the bindings of earlier ones are still under way. Source: k8s.io/kubernetes/pkg/scheduler/schedule_one.go
 */
import { selectedNode } from "@atoll/api/volumes/matching";
import { Namespace, Node, PersistentVolume, PersistentVolumeClaim, Pod, StorageClass } from "@atoll/client/builtin";
import { isNotFound } from "@atoll/client/errors";
import { keyOf } from "@atoll/client/resource";
import { deletionOf, partOf, subresourceOf } from "@atoll/runtime/claims";
import type { Controller, RunningController, Surroundings } from "@atoll/runtime/controller";
import { bindPod, bindVolumes } from "./binding.ts";
import { judge, type Judgement } from "./judge.ts";
import { Places } from "./places.ts";
import { preempt, type Room } from "./preemption.ts";
import { SchedulingQueue } from "./queue.ts";
import { best } from "./score.ts";
import { Sight, seen } from "./sight.ts";
import { evict, tellWaiting, unnominate } from "./telling.ts";
import { explain } from "./verdict.ts";
import { volumePlan, type VolumePlan } from "./volumes.ts";
import { priorityOf, type World } from "./world.ts";

const name = "default-scheduler";
/** Bindings, and what is told of Pods that wait, under way at the same time. */
const writesAtOnce = 32;
const flushEveryMs = 30_000;
/** How long Pods are judged before others get their turn. */
const turnMs = 10;

const touches =
  (part: string) =>
  ({ verb, patch }: { verb: string; patch?: unknown }) =>
    verb === "patch" && JSON.stringify(patch ?? {}).includes(part);

/** The scheduler of Pods that name none or `default-scheduler`. */
export const scheduler: Controller = {
  name,
  reads: seen,
  writes: [
    subresourceOf(Pod, "binding"),
    partOf(Pod, "condition PodScheduled", ({ verb, subresource }) => verb === "patch" && subresource === "status"),
    deletionOf(Pod, "preempted"),
    partOf(PersistentVolumeClaim, `annotation ${selectedNode}`, touches(selectedNode)),
    partOf(PersistentVolume, "claimRef of what was chosen for a Pod", touches("claimRef")),
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

/** What of a waiting Pod decides where it may go. */
const wishOf = ({ metadata, spec }: Pod): string => JSON.stringify([metadata.labels, spec]);

class Scheduler implements RunningController {
  readonly ended: Promise<void>;
  readonly #around: Surroundings;
  readonly #places = new Places();
  readonly #queue = new SchedulingQueue();
  readonly #sight: Sight;
  /** Pods that are bound as far as we know, though the cache may not show it yet. */
  readonly #assumed = new Set<string>();
  #writing = 0;
  /** Pods that wait for their volumes. */
  #awaiting = 0;
  #lastFlushMs = 0;
  #wake = () => {};
  #synced = () => false;

  constructor(around: Surroundings) {
    this.#around = around;
    this.#sight = new Sight(around.cache);
    this.ended = this.#run();
  }

  get synced(): boolean {
    return this.#synced();
  }

  get idle(): boolean {
    return this.synced && this.#queue.isIdle && this.#writing + this.#awaiting === 0;
  }

  async #run(): Promise<void> {
    const { cache, stopping } = this.#around;
    const informers = seen.map((resource) => cache.informer(resource as typeof Pod));
    this.#synced = () => informers.every(({ synced }) => synced);
    const aborted = new Promise<void>((resolve) => {
      if (stopping.aborted) resolve();
      stopping.addEventListener("abort", () => resolve(), { once: true });
    });
    // All that runs must be known before anything is put beside it.
    await Promise.race([aborted, Promise.all(informers.map((informer) => informer.whenSynced()))]);
    const ends = this.#listen();
    stopping.addEventListener("abort", () => this.#wake(), { once: true });
    while (!stopping.aborted) {
      this.#turn();
      await this.#rest();
    }
    for (const end of ends) end();
  }

  #listen(): readonly (() => void)[] {
    const { cache } = this.#around;
    const volume = () => this.#stir("volume");
    return [
      cache.informer(Node).onChange(({ before, after }) => this.#node(before, after)),
      cache.informer(Pod).onChange(({ before, after }) => this.#pod(before, after)),
      cache.informer(PersistentVolumeClaim).onChange(volume),
      cache.informer(PersistentVolume).onChange(({ after }) => {
        if (after?.spec?.claimRef !== undefined) this.#sight.promise(after.metadata.name ?? "", undefined);
        volume();
      }),
      cache.informer(StorageClass).onChange(volume),
      cache.informer(Namespace).onChange(({ before, after }) => {
        if (JSON.stringify(before?.metadata.labels) !== JSON.stringify(after?.metadata.labels)) this.#stir("pod");
      }),
    ];
  }

  #now(): number {
    return this.#around.clock.monotonicMs();
  }

  /** Judges Pods until there is none, or others should have their turn. */
  #turn(): void {
    const startMs = this.#now();
    if (startMs - this.#lastFlushMs >= flushEveryMs) {
      this.#lastFlushMs = startMs;
      this.#queue.flush(startMs);
    }
    while (this.#writing < writesAtOnce && this.#now() - startMs < turnMs) {
      const pod = this.#queue.next(this.#now());
      if (pod === undefined) return;
      this.#schedule(pod);
    }
    this.#wake();
  }

  /** Until something happens; after a full turn, until others had theirs. */
  async #rest(): Promise<void> {
    const { clock, stopping } = this.#around;
    const isFree = this.#writing < writesAtOnce;
    if (isFree && this.#queue.hasNext(this.#now())) return await new Promise((resolve) => setImmediate(resolve));
    await new Promise<void>((resolve) => {
      const dueMs = (this.#queue.readyMs ?? Number.POSITIVE_INFINITY) - this.#now();
      const timer = clock.after(Math.max(Math.min(dueMs, flushEveryMs), 0), resolve, { unref: true });
      this.#wake = () => {
        timer.cancel();
        resolve();
      };
      if (stopping.aborted) this.#wake();
    });
  }

  #stir(what: Parameters<SchedulingQueue["wake"]>[0]): void {
    this.#queue.wake(what, this.#now());
    this.#wake();
  }

  #node(before: Node | undefined, after: Node | undefined): void {
    if (after === undefined) {
      this.#places.remove(before?.metadata.name ?? "");
      return this.#stir("pod gone");
    }
    this.#places.put(after);
    if (before === undefined || fitOf(before) !== fitOf(after)) this.#stir("node");
  }

  #pod(before: Pod | undefined, after: Pod | undefined): void {
    if (before !== undefined && before.metadata.uid !== after?.metadata.uid) this.#forget(before);
    if (after === undefined) return;
    const { uid = "" } = after.metadata;
    if (hasEnded(after)) return this.#forget(after);
    if ((after.spec.nodeName ?? "") !== "") return this.#placed(before, after);
    if (!isWaiting(after)) return this.#drop(after);
    if (this.#assumed.has(uid)) return;
    this.#sight.nominate(after, after.status?.nominatedNodeName ?? "");
    const known = this.#queue.get(uid);
    const matters = known !== undefined && wishOf(known) !== wishOf(after);
    this.#queue.put(after, { matters, nowMs: this.#now() });
    this.#wake();
  }

  /** A Pod is on a node: news to others if it was not, or is not what it was. */
  #placed(before: Pod | undefined, after: Pod): void {
    const was = this.#places.booked(after.metadata.uid ?? "");
    this.#drop(after);
    this.#places.book(after, after.spec.nodeName ?? "");
    const isSame =
      was !== undefined &&
      JSON.stringify(was.metadata.labels) === JSON.stringify(after.metadata.labels) &&
      was.metadata.deletionTimestamp === after.metadata.deletionTimestamp;
    if (!isSame) this.#stir("pod");
    if (before !== undefined && before.metadata.generation !== after.metadata.generation) this.#stir("pod gone");
  }

  /** Nothing more is to be done for it. */
  #drop(pod: Pod): void {
    const { uid = "" } = pod.metadata;
    this.#queue.drop(uid);
    this.#assumed.delete(uid);
    this.#sight.nominate(pod, "");
  }

  #forget(pod: Pod): void {
    this.#drop(pod);
    if (this.#places.release(pod.metadata.uid ?? "")) this.#stir("pod gone");
  }

  #schedule(pod: Pod): void {
    const { uid = "" } = pod.metadata;
    const world = this.#sight.worldOf(this.#places.list());
    const judgement = judge(pod, world);
    const nominated = judgement.fitting.find((place) => place.name === pod.status?.nominatedNodeName);
    const chosen = nominated ?? best(pod, judgement.fitting, world);
    if (chosen === undefined) return this.#refuse(pod, world, judgement);
    const plan = volumePlan(pod, chosen, world);
    for (const { claim, volume } of plan?.bind ?? []) this.#sight.promise(volume.metadata.name ?? "", keyOf(claim));
    this.#places.book(pod, chosen.name);
    this.#assumed.add(uid);
    this.#sight.nominate(pod, "");
    this.#stir("pod");
    void this.#bind(pod, { target: chosen.name, plan });
  }

  async #bind(pod: Pod, { target, plan }: { target: string; plan: VolumePlan | undefined }): Promise<void> {
    const { events } = this.#around;
    const count = (by: 1 | -1) => {
      // Who waits for volumes takes no other's turn.
      if (plan === undefined) this.#writing += by;
      else this.#awaiting += by;
    };
    count(1);
    try {
      if (plan !== undefined) await bindVolumes(plan, target, this.#around);
      await bindPod(pod, target, this.#around);
      const note = `Successfully assigned ${keyOf(pod)} to ${target}`;
      events.record(pod, { type: "Normal", reason: "Scheduled", action: "Binding", note });
    } catch (error) {
      for (const { volume } of plan?.bind ?? []) this.#sight.promise(volume.metadata.name ?? "", undefined);
      this.#failed(pod, error);
    } finally {
      count(-1);
      this.#wake();
    }
  }

  /** Whether it is bound after all, the cache will tell; until then, it is tried again. */
  #failed(pod: Pod, error: unknown): void {
    const { cache, log, dead } = this.#around;
    const { uid = "" } = pod.metadata;
    const latest = cache.informer(Pod).get(keyOf(pod));
    this.#assumed.delete(uid);
    if (latest?.metadata.uid !== uid || isNotFound(error)) return this.#forget(pod);
    if ((latest.spec.nodeName ?? "") !== "") return;
    this.#places.release(uid);
    this.#sight.nominate(latest, latest.status?.nominatedNodeName ?? "");
    this.#stir("pod gone");
    const afterMs = this.#queue.retry(uid, this.#now());
    this.#queue.put(latest, { matters: false, nowMs: this.#now() });
    if (!dead.aborted) log.debug("could not bind, will try again", { key: keyOf(pod), afterMs, error });
  }

  #refuse(pod: Pod, world: World, judgement: Judgement): void {
    const { uid = "" } = pod.metadata;
    const nodes = world.places.length;
    const room = nodes === 0 ? "" : preempt(pod, { world, judgement, budgets: this.#sight.budgets });
    const refusals = [...judgement.refused.values()].map((all) => all.map(({ reason }) => reason));
    const preemption = typeof room === "string" ? room : "";
    const message = explain({ nodes, refusals, nowhere: judgement.nowhere, preemption });
    const before = pod.status?.nominatedNodeName ?? "";
    const kept = preemption.startsWith("not eligible") ? before : "";
    const nominated = typeof room === "string" ? kept : room.place.name;
    this.#sight.nominate(pod, nominated);
    this.#queue.park(uid, judgement.wakes, this.#now());
    if (typeof room !== "string") this.#makeRoom(pod, room);
    this.#write(tellWaiting(pod, { message, nominated }, this.#around), () => this.#rejudge(uid));
  }

  #makeRoom(pod: Pod, room: Room): void {
    const outdone = this.#sight.nominees(room.place.name).filter((other) => priorityOf(other) < priorityOf(pod));
    for (const other of outdone) {
      this.#sight.nominate(other, "");
      this.#write(unnominate(other, this.#around));
    }
    this.#write(evict(pod, room, this.#around), () => this.#rejudge(pod.metadata.uid ?? ""));
  }

  #rejudge(uid: string): void {
    const pod = this.#queue.get(uid);
    if (pod !== undefined) this.#queue.put(pod, { matters: true, nowMs: this.#now() });
  }

  #write(deed: Promise<void>, onFailure = () => {}): void {
    const { log, dead } = this.#around;
    this.#writing += 1;
    deed
      .catch((error: unknown) => {
        onFailure();
        if (!dead.aborted) log.warn("cannot tell how a Pod that waits is doing", { controller: name, error });
      })
      .finally(() => {
        this.#writing -= 1;
        this.#wake();
      });
  }
}

/**
 * Garbage collection: deletes objects whose owners are gone, and carries out how the deletion of an owner treats its
 * dependents (background, foreground, orphan).
 *
 *   discovery ──▶ one metadata informer for each deletable resource ──▶ graph ──▶ queue "look" ──▶ live look, plan, act
 *                                                                           └──▶ queue "orphan" ─▶ free dependents, let go
 *
 * It has a loop of its own because it is for every kind, those of tomorrow's CRDs included.
 * Source: k8s.io/kubernetes/pkg/controller/garbagecollector
 */
import { APIService, CustomResourceDefinition } from "@atoll/client/builtin";
import type { Discovery, DiscoveredResource } from "@atoll/client/discovery";
import { discover } from "@atoll/client/discovery";
import { isConflict } from "@atoll/client/errors";
import type { Informer } from "@atoll/client/informer/informer";
import type { PartialObject } from "@atoll/client/resource";
import { groupResource, metadataOf } from "@atoll/client/resource";
import type { ApiObject, OwnerReference } from "@atoll/machinery/object";
import { deletionOf, partOf } from "@atoll/runtime/claims";
import type { Controller, RunningController, Surroundings } from "@atoll/runtime/controller";
import { Queue } from "@atoll/runtime/queue";
import { AbsentOwners, Dealings, OwnerOutOfReach } from "./act.ts";
import type { Identity, Node } from "./graph.ts";
import { foregroundFinalizer, Graph, orphanFinalizer, spellIdentity } from "./graph.ts";
import { plan } from "./plan.ts";

const name = "garbage-collector-controller";

/** The garbage collector. */
export const garbageCollector: Controller = {
  name,
  reads: ["any"],
  writes: [
    deletionOf("any", "its owners are gone"),
    partOf("any", "ownerReferences to owners that are gone or leave their dependents", ({ verb }) => verb === "patch"),
    partOf("any", "finalizers foregroundDeletion and orphan", ({ verb }) => verb === "patch"),
  ],
  start: (surroundings) => new Collector(surroundings),
};

const lookers = 10;
const orphaners = 5;
const discoverEveryMs = 30_000;
/** After a change of CRDs or API services, for the server to serve what it announced. */
const discoverSoonMs = 500;
/** How long work waits for a resource that cannot be read. Source: initialSyncTimeout */
const syncTimeoutMs = 30_000;

/** Deleting an event's object does not matter, and they are many. */
const ignored = new Set(["events", "events.events.k8s.io"]);

/** Resources whose objects can be owned and collected. */
function deletable({ resources }: Discovery): readonly DiscoveredResource[] {
  return resources.filter((resource) => {
    const { preferred, verbs } = resource;
    return (
      preferred &&
      !ignored.has(groupResource(resource)) &&
      ["delete", "list", "watch"].every((verb) => verbs.includes(verb))
    );
  });
}

/** The metadata that the graph needs; labels and annotations would be most of the memory. */
function trim({ apiVersion, kind, metadata }: PartialObject): PartialObject {
  const { name, namespace, uid, resourceVersion, ownerReferences, finalizers, deletionTimestamp } = metadata;
  const known = { name, namespace, uid, resourceVersion, ownerReferences, finalizers, deletionTimestamp };
  return { apiVersion, kind, metadata: JSON.parse(JSON.stringify(known)) as PartialObject["metadata"] };
}

interface Monitor {
  readonly resource: DiscoveredResource;
  readonly informer: Informer<PartialObject & ApiObject>;
  readonly end: () => void;
}

class Collector implements RunningController {
  readonly ended: Promise<void>;
  readonly #around: Surroundings;
  readonly #graph: Graph;
  readonly #absent = new AbsentOwners();
  readonly #dealings: Dealings;
  readonly #looks: Queue;
  readonly #orphans: Queue;
  readonly #monitors = new Map<string, Monitor>();
  #discovery: Discovery = { resources: [], failed: [] };
  #discovered = false;

  constructor(around: Surroundings) {
    const { clock, client, dead } = around;
    this.#around = around;
    this.#looks = new Queue({ clock });
    this.#orphans = new Queue({ clock });
    this.#graph = new Graph({
      look: (uid) => this.#looks.add(uid),
      lookLater: (uid) => this.#looks.retry(uid),
      orphan: (uid) => this.#orphans.add(uid),
      absent: (identity) => this.#absent.add(identity),
      invalidNamespace: (node, reference) => this.#report(node, reference),
    });
    this.#dealings = new Dealings({ client, signal: dead, absent: this.#absent, discovery: () => this.#discovery });
    this.ended = this.#run();
  }

  get synced(): boolean {
    return this.#discovered && [...this.#monitors.values()].every(({ informer }) => informer.synced);
  }

  get idle(): boolean {
    return this.synced && this.#looks.idle && this.#orphans.idle;
  }

  async #run(): Promise<void> {
    const { stopping } = this.#around;
    const close = () => {
      this.#looks.close();
      this.#orphans.close();
    };
    stopping.addEventListener("abort", close, { once: true });
    if (stopping.aborted) close();
    const discovering = this.#keepDiscovering();
    await this.#whenSynced();
    const workers = [
      ...Array.from({ length: lookers }, () => this.#work(this.#looks, (uid) => this.#look(uid))),
      ...Array.from({ length: orphaners }, () => this.#work(this.#orphans, (uid) => this.#orphan(uid))),
    ];
    await Promise.all([discovering, ...workers]);
    for (const { end } of this.#monitors.values()) end();
  }

  /** Foreground deletion is only right when all dependents are known; but one broken resource must not stop it all. */
  async #whenSynced(): Promise<void> {
    const { clock, log, stopping } = this.#around;
    const endMs = clock.monotonicMs() + syncTimeoutMs;
    while (!this.synced && !stopping.aborted) {
      if (clock.monotonicMs() >= endMs) return log.warn("collecting garbage though not all resources could be read");
      await clock.sleep(50, stopping).catch(() => undefined);
    }
  }

  async #keepDiscovering(): Promise<void> {
    const { cache, clock, stopping } = this.#around;
    let wake = () => {};
    const soon = () => clock.after(discoverSoonMs, () => wake(), { unref: true });
    const ends = [CustomResourceDefinition, APIService].map((resource) =>
      cache.informer(metadataOf(resource) as never, {}, trim as never).onChange(soon),
    );
    while (!stopping.aborted) {
      await this.#discover();
      const woken = new AbortController();
      wake = () => woken.abort();
      await clock.sleep(discoverEveryMs, AbortSignal.any([stopping, woken.signal])).catch(() => undefined);
    }
    for (const end of ends) end();
  }

  async #discover(): Promise<void> {
    const { client, log, dead } = this.#around;
    try {
      const found = await discover(client, dead);
      if (found.resources.length === 0) return;
      this.#discovery = found;
      this.#follow(found);
      this.#discovered = true;
    } catch (error) {
      if (!dead.aborted) log.warn("cannot discover resources", { controller: name, error });
    }
  }

  /** Follows what is there and no longer what is not; a group that could not be asked stays as it was. */
  #follow(found: Discovery): void {
    const wanted = new Map(deletable(found).map((resource) => [groupResource(resource), resource]));
    const unasked = new Set(found.failed.map(({ group }) => group));
    for (const [id, { resource, end }] of this.#monitors) {
      const now = wanted.get(id);
      const kept = now === undefined ? unasked.has(resource.group) : now.version === resource.version;
      if (kept) continue;
      end();
      this.#monitors.delete(id);
      this.#around.cache.drop(metadataOf(resource));
    }
    for (const [id, resource] of wanted) if (!this.#monitors.has(id)) this.#monitors.set(id, this.#monitor(resource));
  }

  #monitor(resource: DiscoveredResource): Monitor {
    const served = metadataOf(resource) as never;
    const informer = this.#around.cache.informer<PartialObject & ApiObject>(served, {}, trim as never);
    const end = informer.onChange(({ before, after }) => {
      if (after !== undefined) this.#graph.observe(after);
      else if (before !== undefined) this.#graph.remove(before);
    });
    return { resource, informer, end };
  }

  async #work(queue: Queue, work: (uid: string) => Promise<boolean>): Promise<void> {
    for (;;) {
      const uid = await queue.take();
      if (uid === undefined) return;
      try {
        if (await work(uid)) queue.forget(uid);
        else queue.retry(uid);
      } catch (error) {
        this.#failed(queue, uid, error);
      } finally {
        queue.done(uid);
      }
    }
  }

  #failed(queue: Queue, uid: string, error: unknown): void {
    const { log, dead } = this.#around;
    if (dead.aborted) return;
    const object = this.#graph.get(uid)?.identity;
    if (error instanceof OwnerOutOfReach) {
      queue.forget(uid);
      return log.warn("an owner reference cannot be followed", { controller: name, object, error });
    }
    const afterMs = queue.retry(uid);
    log[isConflict(error) ? "debug" : "warn"]("failed, will try again", { controller: name, object, afterMs, error });
  }

  /** @returns whether nothing more is to be done until something changes */
  async #look(uid: string): Promise<boolean> {
    const node = this.#graph.get(uid);
    if (node === undefined || (node.beingDeleted && !node.deletingDependents)) return true;
    const { identity } = node;
    const latest = await this.#dealings.look(identity);
    if (latest === undefined) {
      this.#graph.absent(identity);
      return true;
    }
    if (node.deletingDependents) await this.#deleteDependents(node);
    else await this.#judge(node, latest);
    // One that exists but has not been seen: keep asking, or its end could be missed.
    return !node.virtual;
  }

  async #deleteDependents(node: Node): Promise<void> {
    const blocking = this.#graph.blocking(node);
    if (blocking.length === 0) return this.#dealings.removeFinalizer(node.identity, foregroundFinalizer);
    for (const dependent of blocking) if (!dependent.deletingDependents) this.#looks.add(dependent.identity.uid);
  }

  async #judge(node: Node, latest: PartialObject): Promise<void> {
    const { ownerReferences = [] } = latest.metadata;
    if (ownerReferences.length === 0) return;
    const { identity } = node;
    const owners = await this.#dealings.ownersOf(identity, ownerReferences);
    const step = plan(latest, owners, [...node.dependents]);
    if (step.do === "unlink") await this.#dealings.unlink(identity, step.uids);
    if (step.do !== "delete") return;
    if (step.unblock) await this.#dealings.unblock(identity);
    // Unblocking made a new revision; the owners were judged by the old one, and a change since must be judged anew.
    const seen = step.unblock ? await this.#dealings.look(identity) : latest;
    if (seen === undefined) return this.#graph.absent(identity);
    await this.#dealings.delete(identity, seen.metadata, step.propagation);
    this.#around.log.info("collected", {
      controller: name,
      object: spellIdentity(identity),
      propagation: step.propagation,
    });
  }

  async #orphan(uid: string): Promise<boolean> {
    const node = this.#graph.get(uid);
    if (node === undefined || !node.orphaning) return true;
    const freed = await Promise.allSettled(
      [...node.dependents].map(({ identity }) => this.#dealings.unlink(identity, [uid])),
    );
    const failures = freed.flatMap((result) => (result.status === "rejected" ? [result.reason as unknown] : []));
    if (failures.length > 0) throw new AggregateError(failures, `${failures.length} dependents could not be freed`);
    await this.#dealings.removeFinalizer(node.identity, orphanFinalizer);
    return true;
  }

  #report({ identity }: Node, reference: OwnerReference): void {
    const { apiVersion, kind, namespace, name: named, uid } = identity;
    const regarding = { apiVersion, kind, metadata: { name: named, namespace, uid } };
    const owner = spellReference(reference, namespace);
    const note = `ownerRef ${owner} does not exist in namespace ${JSON.stringify(namespace)}`;
    this.#around.events.record(regarding, {
      type: "Warning",
      reason: "OwnerRefInvalidNamespace",
      action: "GarbageCollect",
      note,
    });
  }
}

function spellReference(
  { apiVersion, kind, name: named, uid }: OwnerReference,
  namespace: Identity["namespace"],
): string {
  return `[${apiVersion}/${kind}, namespace: ${namespace}, name: ${named}, uid: ${uid}]`;
}

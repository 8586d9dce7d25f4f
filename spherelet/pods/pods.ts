/**
 * The Pods of a node: each that is bound to it gets a driver, until nothing is left of it. What an earlier spherelet ran
 * is taken up at once, before the API has said a word: machines do not wait for it.
 */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Pod } from "@atoll/client/builtin";
import type { Informer } from "@atoll/client/informer/informer";
import { keyOf } from "@atoll/client/resource";
import type { Machine } from "@atoll/crx/machine";
import { isOver } from "../lifecycle/plan.ts";
import { refusedStatus } from "../lifecycle/status.ts";
import { refusalsOf } from "@atoll/api/supervisor/micropods";
import { podRequests } from "../translate/resources.ts";
import type { PodContext } from "./context.ts";
import { type Earlier, PodDriver } from "./driver.ts";
import type { PodHost } from "./host.ts";
import { readRecords } from "./record.ts";
import { StatusReporter } from "./reporter.ts";
import type { RunHooks } from "./runs.ts";

/** What the Pods of a node are run with. */
export interface PodsOptions {
  readonly host: PodHost;
  readonly informer: Informer<Pod>;
  /** What of the node Pods may have. */
  readonly room: { readonly cpuMillis: number; readonly memoryBytes: number; readonly pods: number };
  readonly hooks: (context: PodContext) => RunHooks;
}

/** All Pods of a node. */
export class Pods {
  readonly #options: PodsOptions;
  /** By uid. */
  readonly #drivers = new Map<string, PodDriver>();
  /** Pods that are told that they cannot run here, by uid. */
  readonly #refused = new Map<string, StatusReporter>();
  #unsubscribe: (() => void) | undefined;

  constructor(options: PodsOptions) {
    this.#options = options;
  }

  /** Takes up what an earlier spherelet left, then follows the API. */
  async start(): Promise<void> {
    const { host, informer } = this.#options;
    const adopted = await host.machines.adopt();
    const records = await readRecords(host.folder);
    const machines = newestByPod(adopted);
    for (const [uid, record] of records) this.#run(record.pod, { record, machine: machines.get(uid) });
    await this.#sweep(adopted, machines, new Set(records.keys()));
    this.#unsubscribe = informer.onChange(({ before, after }) => {
      const pod = after ?? before;
      if (pod === undefined) return;
      if (after === undefined) this.#removed(pod);
      else this.#seen(after);
    });
    void informer.whenSynced().then(() => this.#removeUnknown());
  }

  /** Lets go of all Pods; their machines run on. */
  async stop(): Promise<void> {
    this.#unsubscribe?.();
    for (const reporter of this.#refused.values()) reporter.close();
    await Promise.all([...this.#drivers.values()].map((driver) => driver.release()));
  }

  /** Drivers of all Pods that something is left of. */
  list(): readonly PodDriver[] {
    return [...this.#drivers.values()];
  }

  /** The driver of a Pod, by name. */
  find(namespace: string, name: string): PodDriver | undefined {
    return this.list().find(({ pod }) => pod.metadata.namespace === namespace && pod.metadata.name === name);
  }

  #seen(pod: Pod): void {
    const { uid = "" } = pod.metadata;
    const driver = this.#drivers.get(uid);
    if (driver !== undefined) return driver.update(pod, this.#lackOf(pod)?.message);
    if (this.#refused.has(uid)) return;
    // Let go already, it only waits for somebody's finalizer.
    if (pod.metadata.deletionGracePeriodSeconds === 0) return;
    const hasEnded = pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed";
    // One that has ended and is not known here has left nothing; deleted, it only has to be let go.
    if (hasEnded && pod.metadata.deletionTimestamp === undefined) return;
    const refusal = hasEnded || pod.metadata.deletionTimestamp !== undefined ? undefined : this.#refusalOf(pod);
    if (refusal === undefined) this.#run(pod);
    else this.#refuse(pod, refusal);
  }

  #removed(pod: Pod): void {
    const { uid = "" } = pod.metadata;
    this.#drivers.get(uid)?.remove();
    this.#refused.get(uid)?.close();
    this.#refused.delete(uid);
  }

  /** What the API no longer has, and an earlier spherelet still ran, goes. */
  #removeUnknown(): void {
    for (const [uid, driver] of this.#drivers) {
      const known = this.#options.informer.get(keyOf(driver.pod));
      if (known?.metadata.uid !== uid) driver.remove();
    }
    const { network, log } = this.#options.host;
    for (const uid of network?.attached().keys() ?? []) {
      if (this.#drivers.has(uid)) continue;
      network
        ?.detach(uid)
        .catch((error: unknown) => log.warn("a place in the network was not given back", { uid, error }));
    }
  }

  #run(pod: Pod, earlier?: Earlier): void {
    const { host, hooks } = this.#options;
    const { uid = "" } = pod.metadata;
    const driver = new PodDriver(host, pod, hooks, earlier);
    this.#drivers.set(uid, driver);
    void driver.done.then(() => {
      this.#drivers.delete(uid);
      // There may be room now for who waits to be resized.
      for (const other of this.#drivers.values())
        if (other.world.resize?.reason === "Deferred") other.update(other.pod, this.#lackOf(other.pod)?.message);
    });
  }

  #refuse(pod: Pod, refusal: { reason: string; message: string }): void {
    const { host } = this.#options;
    const reporter = new StatusReporter(host, pod);
    this.#refused.set(pod.metadata.uid ?? "", reporter);
    host.recorder.record(pod, { type: "Warning", reason: refusal.reason, action: "Admitting", note: refusal.message });
    reporter.offer(refusedStatus(pod, refusal, host.clock.nowMs()));
  }

  #refusalOf(pod: Pod): { reason: string; message: string } | undefined {
    const [first] = refusalsOf(pod.spec);
    if (first !== undefined) {
      return { reason: "UnsupportedPodSpec", message: `Pod was rejected: ${first.path}: ${first.why}` };
    }
    return this.#lackOf(pod);
  }

  /** What there is no room for beside the other Pods. */
  #lackOf(pod: Pod): { reason: string; message: string } | undefined {
    const { room } = this.#options;
    const others = this.list().filter(({ pod: other, world, isAtRest, isRemoved }) => {
      // The room of a Pod that is gone from the API is given out again, as the scheduler does, before its machine has ended.
      if (other.metadata.uid === pod.metadata.uid || isAtRest || isRemoved) return false;
      return world.machine !== "none" || !isOver(other, world);
    });
    if (others.length >= room.pods) return outOf("pods", 1, others.length, room.pods);
    const used = others.map((driver) => podRequests(driver.pod.spec));
    const wanted = podRequests(pod.spec);
    const usedCpu = used.reduce((sum, { cpuMillis }) => sum + cpuMillis, 0);
    if (wanted.cpuMillis > 0 && usedCpu + wanted.cpuMillis > room.cpuMillis) {
      return outOf("cpu", wanted.cpuMillis, usedCpu, room.cpuMillis);
    }
    const usedMemory = used.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0);
    if (wanted.memoryBytes > 0 && usedMemory + wanted.memoryBytes > room.memoryBytes) {
      return outOf("memory", wanted.memoryBytes, usedMemory, room.memoryBytes);
    }
    return undefined;
  }

  /** Machines of no Pod, and older ones of a Pod that has a newer one, end; folders that tell nothing go. */
  async #sweep(all: readonly Machine[], kept: ReadonlyMap<string, Machine>, known: ReadonlySet<string>): Promise<void> {
    const { host } = this.#options;
    const wanted = new Set([...kept].filter(([uid]) => known.has(uid)).map(([, machine]) => machine));
    for (const machine of all) {
      if (wanted.has(machine)) continue;
      await machine.kill();
      await host.machines.remove(machine);
    }
    for (const uid of kept.keys())
      if (!known.has(uid)) await rm(join(host.folder, uid), { recursive: true, force: true });
  }
}

/** Source: k8s.io/kubernetes/pkg/kubelet/lifecycle (InsufficientResourceError) */
function outOf(
  resource: string,
  requested: number,
  used: number,
  capacity: number,
): { reason: string; message: string } {
  const figures = `requested: ${requested}, used: ${used}, capacity: ${capacity}`;
  return {
    reason: `OutOf${resource}`,
    message: `Pod was rejected: Node didn't have enough resource: ${resource}, ${figures}`,
  };
}

const uidOf = ({ intent }: Machine): string => intent.spec.id.replace(/-\d+$/, "");
const numberOf = ({ intent }: Machine): number => Number(/\d+$/.exec(intent.spec.id)?.[0]);

function newestByPod(machines: readonly Machine[]): Map<string, Machine> {
  const newest = new Map<string, Machine>();
  for (const machine of machines) {
    const known = newest.get(uidOf(machine));
    if (known === undefined || numberOf(known) < numberOf(machine)) newest.set(uidOf(machine), machine);
  }
  return newest;
}

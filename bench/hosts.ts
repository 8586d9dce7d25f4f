/**
 * Hosts that are none: Nodes that say that they are well, and whose Pods run as soon as they are bound and go as soon as
 * they are told to.
 */
import { Lease, Node, Pod } from "@atoll/client/builtin";
import type { Client } from "@atoll/client/client";
import { Cache } from "@atoll/client/informer/cache";
import { keyOf } from "@atoll/client/resource";
import { formatMicroTime, formatTime, systemClock } from "@atoll/machinery/clock";

/** Hosts at work. */
export interface Hosts {
  /** Names of Pods, in the order in which they were bound, with the time. */
  readonly bound: ReadonlyMap<string, number>;
  stop(): Promise<void>;
}

const clock = systemClock;
const lanes = 16;

/** Makes hosts, and plays their node agents. */
export async function startHosts(client: Client, count: number): Promise<Hosts> {
  const names = Array.from({ length: count }, (_, i) => `host-${i}`);
  for (const name of names) await makeNode(client, name);
  const bound = new Map<string, number>();
  const cache = new Cache({ client, clock, onError: () => {} });
  const pods = cache.informer(Pod);
  await pods.whenSynced();
  const waiting: Pod[] = [];
  let [active, isStopping] = [0, false];
  const work = async () => {
    active += 1;
    for (let pod = waiting.shift(); pod !== undefined && !isStopping; pod = waiting.shift()) await play(client, pod);
    active -= 1;
  };
  pods.onChange(({ before, after }) => {
    if (after === undefined || (after.spec.nodeName ?? "") === "") return;
    const isNew = (before?.spec.nodeName ?? "") === "";
    if (isNew) bound.set(after.metadata.name ?? "", performance.now());
    if (!isNew && after.metadata.deletionTimestamp === before?.metadata.deletionTimestamp) return;
    waiting.push(after);
    if (active < lanes) void work();
  });
  const renewing = setInterval(() => void Promise.all(names.map((name) => renew(client, name))), 10_000);
  await Promise.all(names.map((name) => renew(client, name)));
  return {
    bound,
    async stop() {
      isStopping = true;
      clearInterval(renewing);
      await cache.stop();
    },
  };
}

async function makeNode(client: Client, name: string): Promise<void> {
  const labels = { "kubernetes.io/hostname": name, "kubernetes.io/os": "linux" };
  const made = await client.create(Node, { metadata: { name, labels } });
  const now = formatTime(clock.nowMs());
  const ready = { type: "Ready", status: "True", reason: "KubeletReady", message: "", lastHeartbeatTime: now };
  const conditions = [{ ...ready, lastTransitionTime: now }];
  const amounts = { cpu: "64", memory: "256Gi", pods: "250" };
  const body = { status: { capacity: amounts, allocatable: amounts, conditions } };
  await client.patch(Node, { key: keyOf(made), patch: { type: "strategic", body }, subresource: "status" });
}

async function renew(client: Client, name: string): Promise<void> {
  const key = keyOf({ metadata: { namespace: "kube-node-lease", name } });
  const renewTime = formatMicroTime(clock.nowMs());
  const patch = { type: "merge", body: { spec: { renewTime } } } as const;
  await client.patch(Lease, { key, patch }).catch(async () => {
    const spec = { holderIdentity: name, leaseDurationSeconds: 40, renewTime };
    await client.create(Lease, { metadata: { name, namespace: "kube-node-lease" }, spec }).catch(() => undefined);
  });
}

async function play(client: Client, pod: Pod): Promise<void> {
  const key = keyOf(pod);
  if (pod.metadata.deletionTimestamp !== undefined) {
    await client.delete(Pod, key, { graceSeconds: 0 }).catch(() => undefined);
    return;
  }
  const now = formatTime(clock.nowMs());
  const conditions = ["Ready", "ContainersReady", "Initialized"].map((type) => {
    return { type, status: "True", lastTransitionTime: now, lastProbeTime: null };
  });
  const body = { status: { phase: "Running", startTime: now, podIP: "10.0.0.1", conditions } };
  const patch = { type: "strategic", body } as const;
  await client.patch(Pod, { key, patch, subresource: "status" }).catch(() => undefined);
}

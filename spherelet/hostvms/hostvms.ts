/**
 * The machines of this host, told to the API as HostVM objects: those that run have one, others have none. Level by level:
 * whatever changed, here or there, what is and what is told are compared anew.
 */
import { HostVM } from "@atoll/api/supervisor/v1alpha1/hostvm";
import { Node } from "@atoll/client/builtin";
import type { Client } from "@atoll/client/client";
import { isAlreadyExists, isConflict, isNotFound } from "@atoll/client/errors";
import { Informer } from "@atoll/client/informer/informer";
import { toKey } from "@atoll/client/resource";
import type { Machine } from "@atoll/crx/machine";
import type { Machines } from "@atoll/crx/machines";
import { readProcesses } from "@atoll/crx/records";
import type { Clock } from "@atoll/machinery/clock";
import { deepEqual } from "@atoll/machinery/equal";
import type { Log } from "@atoll/runtime/log";

/** What they are told with. */
export interface HostVMsOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  /** Name of the Node. */
  readonly node: string;
  readonly machines: Machines;
}

/** By which a node's are found. */
const nodeLabel = "supervisor.atoll.dev/node";
/** Pods are started first; who looks at machines can wait a moment. */
const restMs = 1_000;
const retryMs = 5_000;

/** Tells of the machines until the signal aborts. Never rejects. */
export async function tellHostVMs(options: HostVMsOptions, signal: AbortSignal): Promise<void> {
  const { client, clock, random, log, node, machines } = options;
  let wake = Promise.withResolvers<void>();
  const stir = () => wake.resolve();
  const told = new Informer<HostVM>({
    client,
    clock,
    random,
    resource: HostVM,
    selection: { labelSelector: `${nodeLabel}=${node}` },
    onError: (error) => log.debug("the machines of this host cannot be followed", { error }),
  });
  const ends = [machines.follow(stir), told.onChange(stir)];
  signal.addEventListener("abort", stir, { once: true });
  void told.start();
  void told.whenSynced().then(stir);
  while (!signal.aborted) {
    await wake.promise;
    await clock.sleep(restMs, signal).catch(() => undefined);
    wake = Promise.withResolvers();
    if (signal.aborted || !told.synced) continue;
    await settle(options, told, signal).catch((error: unknown) => {
      if (signal.aborted) return;
      log.debug("the machines of this host were not told", { error });
      clock.after(retryMs, stir, { unref: true });
    });
  }
  for (const end of ends) end();
  told.stop();
}

/** Makes what is told what is. */
async function settle({ client, node, machines }: HostVMsOptions, told: Informer<HostVM>, signal: AbortSignal) {
  const wanted = new Map<string, HostVM["spec"]>();
  for (const machine of machines.list()) {
    const spec = await specOf(machine, node);
    if (spec !== undefined) wanted.set(machine.intent.spec.id, spec);
  }
  const known = new Map([...told.values()].map((each) => [each.metadata.name ?? "", each]));
  for (const name of known.keys())
    if (!wanted.has(name)) await client.delete(HostVM, toKey(undefined, name), { signal }).catch(unless(isNotFound));
  const missing = [...wanted].filter(([name]) => !known.has(name));
  const owner = missing.length === 0 ? undefined : await client.get(Node, toKey(undefined, node), { signal });
  for (const [name, spec] of missing) {
    const ownerReferences = [{ apiVersion: "v1", kind: "Node", name: node, uid: owner?.metadata.uid ?? "" }];
    const metadata = { name, labels: { [nodeLabel]: node }, ownerReferences };
    await client.create(HostVM, { metadata, spec }, { signal }).catch(unless(isAlreadyExists));
  }
  for (const [name, spec] of wanted) {
    const before = known.get(name);
    if (before === undefined || deepEqual(before.spec, spec)) continue;
    await client.update(HostVM, { ...before, spec }, { signal }).catch(unless(isConflict));
  }
}

/** Somebody else was faster: the informer will tell. */
const unless = (expected: (error: unknown) => boolean) => (error: unknown) => {
  if (!expected(error)) throw error;
};

async function specOf(machine: Machine, node: string): Promise<HostVM["spec"] | undefined> {
  const { state, intent, folder } = machine;
  if (state.phase !== "running") return undefined;
  const { spec, accelerator, kernelDigest } = intent;
  const [namespace = "", name = ""] = spec.owner.split("/");
  return {
    kind: "CRX",
    node,
    owner: { kind: "Pod", namespace, name, uid: spec.id.replace(/-\d+$/, "") },
    hostPid: (await readProcesses(folder))?.qemu ?? 0,
    memoryMiB: spec.memoryMiB,
    vcpus: spec.vcpus,
    accelerator,
    kernelDigest,
    startedAs: state.startedAs,
    startMs: state.startMs,
    ...(state.why === "" ? {} : { bootReason: state.why.slice(0, 4096) }),
  };
}

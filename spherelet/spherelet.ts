/**
 * The node agent: a host as a Node, and the Pods bound to it as machines.
 *
 *   API ──watch──▶ Pods ──▶ PodDriver ──plan──▶ Runs ──▶ Sandbox ──▶ machine
 *    ▲                          │
 *    └──────── StatusReporter ◀─┘          Registration: Node, lease
 */
import { mkdir, readFile, statfs } from "node:fs/promises";
import { join } from "node:path";
import { Pod, Service } from "@atoll/client/builtin";
import type { Client } from "@atoll/client/client";
import { Informer } from "@atoll/client/informer/informer";
import type { Machines } from "@atoll/crx/machines";
import { assemble } from "@atoll/crx/seccomp/assemble";
import { defaultProfile } from "@atoll/crx/seccomp/profile";
import { ImagePuller } from "@atoll/images/pull";
import type { RegistrySettings } from "@atoll/images/registry/transport";
import { ImageStore } from "@atoll/images/store/store";
import type { Clock } from "@atoll/machinery/clock";
import type { PodNetwork } from "@atoll/net/network";
import { Events } from "@atoll/runtime/events";
import type { Log } from "@atoll/runtime/log";
import { tellHostVMs } from "./hostvms/hostvms.ts";
import type { KubeletRuntime } from "./kubelet/runtime.ts";
import { serveKubelet } from "./kubelet/serving.ts";
import { defaultLogLimits } from "./logs/keeper.ts";
import { availableMemory, hostFacts, processIds } from "./node/host.ts";
import { tellTakenPorts } from "./node/takenports.ts";
import { LeaseTerm } from "./node/leaseterm.ts";
import { keepUp } from "./node/upkeep.ts";
import { Registration } from "./node/registration.ts";
import { allocatableOf, type HostFacts, labelsOf, nodeStatus, roomOf } from "./node/status.ts";
import type { PodHost } from "./pods/host.ts";
import { podHooks } from "./pods/hooks.ts";
import type { OwnImages } from "./pods/imagery.ts";
import { Pods } from "./pods/pods.ts";
import { PodsRuntime } from "./pods/runtime.ts";
import type { ServiceFacts } from "./translate/environment.ts";
import { type MachineSize, machineSize } from "./translate/resources.ts";
import { Datastore } from "./volumes/datastore.ts";
import { NamedObjects } from "./volumes/objects.ts";
import { tellSeenDatastores } from "./volumes/seen.ts";

/** What a spherelet is made of. */
export interface SphereletOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  /** Name of the Node. */
  readonly name: string;
  /** Where everything is kept; machines and images share its file system. */
  readonly data: string;
  readonly machines: Machines;
  readonly registries?: RegistrySettings;
  readonly ownImages?: OwnImages;
  readonly network?: PodNetwork;
  /** For whoever has something of which the cluster has but one. */
  readonly term?: LeaseTerm;
  /** The range of this host's pods, told with the Node when it is made; absent: whoever gives ranges says it. */
  readonly podRange?: string;
  /** Address of the host that others reach it at. */
  readonly address: string;
  /** Port of the kubelet's API; 0 while there is none. */
  readonly port: number;
  readonly version: string;
  readonly clusterDomain?: string;
  /** PEM of the cluster's authority, for the kubelet's API. */
  readonly ca: string;
}

/** Kubernetes' release whose kubelet this behaves as. */
const kubeletVersion = "v1.36.0";
const mebi = 1024 * 1024;

/** The size of a machine for a Pod of one container that says nothing about resources. */
export async function usualSize(): Promise<MachineSize> {
  return machineSize({ containers: [{ name: "", resources: {} }] }, largestOf(await hostFacts("")));
}

function largestOf({ memoryBytes, cpus }: Pick<HostFacts, "memoryBytes" | "cpus">): MachineSize {
  return { memoryMiB: Math.floor(memoryBytes / mebi), vcpus: cpus };
}

/** A running node agent. */
export class Spherelet {
  readonly pods: Pods;
  /** What the kubelet's API serves. */
  readonly runtime: KubeletRuntime;
  readonly #parts: Parts;
  readonly #stop = new AbortController();
  readonly #serving: Promise<void>;
  readonly #telling: Promise<void>;
  readonly #upkeep: Promise<unknown>;

  private constructor(parts: Parts, options: SphereletOptions) {
    this.#parts = parts;
    this.pods = parts.pods;
    this.runtime = new PodsRuntime(parts.pods, parts.host.clock);
    const { clock, log, data } = options;
    const upkeep = { clock, log, data, store: parts.host.imagery.store, drivers: () => parts.pods.list() };
    const { signal } = this.#stop;
    const taken = tellTakenPorts({ ...options, node: options.name }, signal);
    const seen = tellSeenDatastores({ ...options, node: options.name }, signal);
    this.#upkeep = Promise.all([keepUp(upkeep, signal), taken, seen, parts.host.datastore.run(signal)]);
    this.#telling = tellHostVMs({ ...options, node: options.name }, this.#stop.signal);
    this.#serving = options.port === 0 ? Promise.resolve() : serve(options, this.runtime, this.#stop.signal);
  }

  /** Takes up what an earlier one left, registers the Node and runs its Pods. */
  static async start(options: SphereletOptions): Promise<Spherelet> {
    const parts = await assembleParts(options);
    const { registration, pods, informers, host } = parts;
    for (const informer of informers) void informer.start();
    await pods.start();
    // The usual size is made before the first Pod wants it.
    host.machines.templates
      .ensure(await usualSize())
      .catch((error: unknown) => options.log.warn("no template of the usual size could be made", { error }));
    await registration.start();
    return new Spherelet(parts, options);
  }

  /** Lets go of everything; machines run on. */
  async stop(): Promise<void> {
    const { pods, registration, informers, host, events, puller } = this.#parts;
    this.#stop.abort(new Error("the spherelet stops"));
    for (const informer of informers) informer.stop();
    await Promise.all([this.#serving, this.#telling, this.#upkeep]);
    await pods.stop();
    host.objects.close();
    await registration.stop();
    await events.close();
    puller.close();
    host.machines.release();
  }
}

/** The kubelet's API, for as long as the spherelet runs. */
function serve(options: SphereletOptions, runtime: KubeletRuntime, signal: AbortSignal): Promise<void> {
  const { client, clock, log, name, data, address, ca, port } = options;
  return serveKubelet(
    { client, clock, log, node: name, folder: data, address, ca, runtime, bind: "0.0.0.0", port },
    signal,
  );
}

interface Parts {
  readonly host: PodHost;
  readonly pods: Pods;
  readonly registration: Registration;
  readonly informers: readonly { start(): Promise<void>; stop(): void }[];
  readonly events: Events;
  readonly puller: ImagePuller;
}

async function assembleParts(options: SphereletOptions): Promise<Parts> {
  const { client, clock, random, log, name, data, address, network } = options;
  await mkdir(join(data, "pods"), { recursive: true, mode: 0o700 });
  const facts = await hostFacts(address);
  const disk = await statfs(data);
  const store = await ImageStore.open({ dir: join(data, "images"), clock });
  const puller = new ImagePuller({ store, clock, settings: options.registries ?? {} });
  const events = new Events({ client, clock, log, instance: name });
  const onError = (error: unknown) => log.warn("a watch failed", { error });
  const following = { client, clock, random, onError };
  const services = new Informer<Service>({ ...following, resource: Service, trim: trimService });
  const informer = new Informer<Pod>({
    ...following,
    resource: Pod,
    selection: { fieldSelector: `spec.nodeName=${name}` },
  });
  const programs = new Map<bigint, Uint8Array>();
  const host: PodHost = {
    client,
    clock,
    random,
    log,
    recorder: events.recorder("spherelet"),
    machines: options.machines,
    imagery: { store, puller, clock, ...(options.ownImages === undefined ? {} : { ownImages: options.ownImages }) },
    network,
    objects: new NamedObjects({ client, clock, random }),
    datastore: new Datastore({ client, clock, log, node: name, folder: join(data, "disks"), pods: join(data, "pods") }),
    folder: join(data, "pods"),
    hostIP: address,
    clusterDomain: options.clusterDomain ?? "cluster.local",
    hostResolv: await readFile("/etc/resolv.conf", "utf8").catch(() => ""),
    largest: largestOf(facts),
    allocatable: allocatableOf(facts, disk.blocks * disk.bsize),
    logLimits: defaultLogLimits,
    services: (namespace) => servicesFor(services, namespace),
    seccomp: (capabilities) => {
      const known = programs.get(capabilities) ?? assemble(defaultProfile(capabilities));
      programs.set(capabilities, known);
      return known;
    },
  };
  const pods = new Pods({ host, informer, room: roomOf(facts), hooks: podHooks });
  const registration = registrationOf(options, { facts, store });
  return { host, pods, registration, informers: [services, informer], events, puller };
}

function registrationOf(
  options: SphereletOptions,
  { facts, store }: { facts: Awaited<ReturnType<typeof hostFacts>>; store: ImageStore },
): Registration {
  const { client, clock, log, name, data, port, version, podRange, term = new LeaseTerm(clock) } = options;
  const { host } = options.machines;
  return new Registration({
    client,
    clock,
    log,
    name,
    labels: labelsOf(name, facts),
    podRange,
    term,
    status: async (before) => {
      const [disk, images, pids, availableMemoryBytes] = await Promise.all([
        statfs(data),
        store.list(),
        processIds(),
        availableMemory(),
      ]);
      const { blocks, bavail, bsize } = disk;
      const use = {
        nowMs: clock.nowMs(),
        availableMemoryBytes,
        diskBytes: blocks * bsize,
        diskFreeBytes: bavail * bsize,
        pids,
        images,
      };
      const accelerator = { name: host.verdict.accelerator, reason: host.verdict.reason };
      const runtimeVersion = `crx://${version}`;
      return nodeStatus({
        name,
        host: facts,
        use,
        accelerator,
        runtimeVersion,
        kubeletVersion,
        port,
        trouble: undefined,
        before,
      });
    },
  });
}

/** Only what variables are made of. */
function trimService({ apiVersion, kind, metadata, spec, status: _ }: Service): Service {
  const { name = "", namespace = "", uid = "", resourceVersion = "" } = metadata;
  const { clusterIP = "", ports } = spec;
  return {
    apiVersion,
    kind,
    metadata: { name, namespace, uid, resourceVersion },
    spec: { clusterIP, ...(ports === undefined ? {} : { ports }) } as Service["spec"],
    status: {} as Service["status"],
  };
}

/** Those of the namespace, and the API itself. */
function servicesFor(services: Informer<Service>, namespace: string): readonly ServiceFacts[] {
  const own = [...services.by("namespace", namespace)];
  if (namespace === "default") return own;
  const api = [...services.by("namespace", "default")].filter(({ metadata }) => metadata.name === "kubernetes");
  return [...api, ...own];
}

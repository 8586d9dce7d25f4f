/**
 * Amounts of processor and memory: of a container, of a Pod, of its machine.
 * Sources: k8s.io/component-helpers/resource (PodRequests); KEP-753 for sidecars; KEP-2837 for a Pod's own resources
 */
import type { Container, PodSpec, ResourceRequirements } from "@atoll/api/builtin/core/v1.types";
import { parseQuantity, scaledValue } from "@atoll/machinery/quantity";

/** Processor in thousandths of one, memory in bytes. */
export interface Amounts {
  readonly cpuMillis: number;
  readonly memoryBytes: number;
}

/** Size of a machine. */
export interface MachineSize {
  readonly memoryMiB: number;
  readonly vcpus: number;
}

const mebi = 1024 * 1024;
/** What kernel and process 1 of a machine need beside its containers. */
const overheadMiB = 64;
/** For a container that has no limit, at least. */
const unlimitedMiB = 384;
const smallestMiB = 256;

/** Thousandths of a processor. */
export const cpuMillisOf = (text: string | undefined): number =>
  text === undefined ? 0 : Number(scaledValue(parseQuantity(text), -3));

/** Bytes. */
export const bytesOf = (text: string | undefined): number =>
  text === undefined ? 0 : Number(scaledValue(parseQuantity(text), 0));

/** What a container asks for at least. A limit alone is a request, too. */
export function requestsOf({ requests = {}, limits = {} }: Partial<ResourceRequirements>): Amounts {
  return {
    cpuMillis: cpuMillisOf(requests["cpu"] ?? limits["cpu"]),
    memoryBytes: bytesOf(requests["memory"] ?? limits["memory"]),
  };
}

/** What a container may use at most; 0 for no limit. */
export function limitsOf({ limits = {} }: Partial<ResourceRequirements>): Amounts {
  return { cpuMillis: cpuMillisOf(limits["cpu"]), memoryBytes: bytesOf(limits["memory"]) };
}

/** Sum over what runs at the same time: main containers and sidecars, or an init container and the sidecars before it. */
function peakOf(spec: PodSpec, of: (container: Container) => Amounts): Amounts {
  let sidecars: Amounts = { cpuMillis: 0, memoryBytes: 0 };
  let peak = sidecars;
  for (const container of spec.initContainers ?? []) {
    const mine = add(sidecars, of(container));
    peak = most(peak, mine);
    if (container.restartPolicy === "Always") sidecars = mine;
  }
  const mains = (spec.containers ?? []).reduce((sum, container) => add(sum, of(container)), sidecars);
  return most(peak, mains);
}

/** What a Pod takes of its node. */
export function podRequests(spec: PodSpec): Amounts {
  const own = spec.resources === undefined ? undefined : requestsOf(spec.resources);
  const summed = peakOf(spec, ({ resources }) => requestsOf(resources ?? {}));
  const wanted = own === undefined ? summed : most(own, summed);
  return add(wanted, {
    cpuMillis: cpuMillisOf(spec.overhead?.["cpu"]),
    memoryBytes: bytesOf(spec.overhead?.["memory"]),
  });
}

/**
 * The size of a Pod's machine. Memory of a machine is only taken when it is used, so what has no limit gets room; sizes
 * are few, because each has a template.
 * @param most what the host has
 */
export function machineSize(spec: PodSpec, host: MachineSize): MachineSize {
  const wanted = peakOf(spec, ({ resources }) => roomFor(resources ?? {}));
  const own = spec.resources === undefined ? undefined : limitsOf(spec.resources);
  const memoryBytes = (own?.memoryBytes ?? 0) > 0 ? (own?.memoryBytes ?? 0) : wanted.memoryBytes;
  const cpuMillis = (own?.cpuMillis ?? 0) > 0 ? (own?.cpuMillis ?? 0) : wanted.cpuMillis;
  const memoryMiB = Math.min(sizeClass(memoryBytes / mebi + overheadMiB), Math.max(host.memoryMiB, smallestMiB));
  return { memoryMiB, vcpus: Math.max(1, Math.min(Math.ceil(cpuMillis / 1000), host.vcpus)) };
}

const leastScratchBytes = 256 * mebi;
const usualScratchBytes = 10 * 1024 * mebi;

/** The size of a Pod's disk for what it writes: what it may use, if it says so, else more than is usually used. */
export function scratchBytes({ containers, initContainers }: PodSpec): number {
  const limits = [...(containers ?? []), ...(initContainers ?? [])].map(({ resources }) =>
    bytesOf(resources?.limits?.["ephemeral-storage"]),
  );
  if (limits.includes(0)) return usualScratchBytes;
  const wanted = limits.reduce((sum, bytes) => sum + bytes, 0);
  return Math.max(Math.ceil(wanted / mebi) * mebi, leastScratchBytes);
}

function roomFor(resources: Partial<ResourceRequirements>): Amounts {
  const requests = requestsOf(resources);
  const limits = limitsOf(resources);
  return {
    cpuMillis: limits.cpuMillis > 0 ? limits.cpuMillis : requests.cpuMillis,
    memoryBytes: limits.memoryBytes > 0 ? limits.memoryBytes : Math.max(2 * requests.memoryBytes, unlimitedMiB * mebi),
  };
}

/** The next power of two, or half way to it. */
function sizeClass(memoryMiB: number): number {
  let size = smallestMiB;
  while (size < memoryMiB) size *= 2;
  const between = (size / 4) * 3;
  return between >= memoryMiB && between > smallestMiB ? between : size;
}

function add(a: Amounts, b: Amounts): Amounts {
  return { cpuMillis: a.cpuMillis + b.cpuMillis, memoryBytes: a.memoryBytes + b.memoryBytes };
}

function most(a: Amounts, b: Amounts): Amounts {
  return { cpuMillis: Math.max(a.cpuMillis, b.cpuMillis), memoryBytes: Math.max(a.memoryBytes, b.memoryBytes) };
}

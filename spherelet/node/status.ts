/**
 * A Node as the API shows it. Pure.
 * Sources: k8s.io/kubernetes/pkg/kubelet/nodestatus (setters), kubelet_node_status.go
 */
import type { ContainerImage, NodeCondition, NodeStatus } from "@atoll/api/builtin/core/v1.types";
import { formatTime } from "@atoll/machinery/clock";
import { thresholds } from "./eviction.ts";

/** What a host has and is. */
export interface HostFacts {
  readonly address: string;
  readonly cpus: number;
  readonly memoryBytes: number;
  /** As Go names it: amd64. */
  readonly architecture: string;
  readonly kernel: string;
  readonly osImage: string;
  readonly machineId: string;
  readonly systemUuid: string;
  readonly bootId: string;
}

/** How a host is now. */
export interface HostUse {
  readonly nowMs: number;
  readonly availableMemoryBytes: number;
  readonly diskBytes: number;
  readonly diskFreeBytes: number;
  readonly pids: { readonly used: number; readonly most: number };
  readonly images: readonly { readonly names: readonly string[]; readonly bytes: number }[];
}

/** What a Node tells of itself. */
export interface NodeSight {
  readonly name: string;
  readonly host: HostFacts;
  readonly use: HostUse;
  readonly accelerator: { readonly name: string; readonly reason: string };
  readonly runtimeVersion: string;
  readonly kubeletVersion: string;
  readonly port: number;
  /** Why Pods cannot be run; undefined when they can. */
  readonly trouble: string | undefined;
  readonly before: NodeStatus | undefined;
}

/** Most Pods of a node. Source: the kubelet's maxPods */
const mostPods = 110;
const mostImages = 50;
const mebi = 1024 * 1024;
/** What the host keeps for itself. */
const reservedMemoryBytes = 512 * mebi;
/** With more process ids in use than this share, the node is under pressure. */
const mostPids = 0.9;

/** What Pods may have of a host. */
export function roomOf({ cpus, memoryBytes }: Pick<HostFacts, "cpus" | "memoryBytes">): {
  readonly cpuMillis: number;
  readonly memoryBytes: number;
  readonly pods: number;
} {
  return { cpuMillis: cpus * 1000, memoryBytes: Math.max(memoryBytes - reservedMemoryBytes, 0), pods: mostPods };
}

/** The same as a Node's `allocatable`. */
export function allocatableOf(
  host: Pick<HostFacts, "cpus" | "memoryBytes">,
  diskBytes: number,
): Record<string, string> {
  const { memoryBytes } = roomOf(host);
  return {
    cpu: String(host.cpus),
    memory: `${Math.floor(memoryBytes / 1024)}Ki`,
    pods: String(mostPods),
    "ephemeral-storage": String(Math.floor(diskBytes * (1 - thresholds.diskShare))),
    "hugepages-2Mi": "0",
  };
}

/** Labels that every Node has. Source: k8s.io/api/core/v1 (well_known_labels.go) */
export function labelsOf(name: string, { architecture }: HostFacts): Record<string, string> {
  return {
    "kubernetes.io/hostname": name,
    "kubernetes.io/os": "linux",
    "kubernetes.io/arch": architecture,
    "beta.kubernetes.io/os": "linux",
    "beta.kubernetes.io/arch": architecture,
  };
}

/** The status of a Node. */
export function nodeStatus(sight: NodeSight): NodeStatus {
  const { name, host, use, port, runtimeVersion, kubeletVersion } = sight;
  return {
    capacity: {
      cpu: String(host.cpus),
      memory: `${Math.floor(host.memoryBytes / 1024)}Ki`,
      pods: String(mostPods),
      "ephemeral-storage": `${Math.floor(use.diskBytes / 1024)}Ki`,
      "hugepages-2Mi": "0",
    },
    allocatable: allocatableOf(host, use.diskBytes),
    conditions: conditionsOf(sight),
    addresses: [
      { type: "InternalIP", address: host.address },
      { type: "Hostname", address: name },
    ],
    daemonEndpoints: { kubeletEndpoint: { Port: port } },
    nodeInfo: {
      machineID: host.machineId,
      systemUUID: host.systemUuid === "" ? host.machineId : host.systemUuid,
      bootID: host.bootId,
      kernelVersion: host.kernel,
      osImage: host.osImage,
      containerRuntimeVersion: runtimeVersion,
      kubeletVersion,
      kubeProxyVersion: "",
      operatingSystem: "linux",
      architecture: host.architecture,
    },
    images: imagesOf(use),
  };
}

function imagesOf({ images }: HostUse): ContainerImage[] {
  return [...images]
    .sort((a, b) => b.bytes - a.bytes)
    .slice(0, mostImages)
    .map(({ names, bytes }) => ({
      names: [...names].sort((a, b) => Number(b.includes("@")) - Number(a.includes("@"))),
      sizeBytes: bytes,
    }));
}

interface Verdict {
  readonly status: "True" | "False";
  readonly reason: string;
  readonly message: string;
}

function conditionsOf({ use, accelerator, trouble, before }: NodeSight): NodeCondition[] {
  const { availableMemoryBytes, diskBytes, diskFreeBytes, pids } = use;
  const verdict = (bad: boolean, [good, ill]: readonly [Omit<Verdict, "status">, Omit<Verdict, "status">]): Verdict =>
    bad ? { status: "True", ...ill } : { status: "False", ...good };
  const verdicts: Readonly<Record<string, Verdict>> = {
    MemoryPressure: verdict(availableMemoryBytes < thresholds.memoryBytes, [
      { reason: "KubeletHasSufficientMemory", message: "kubelet has sufficient memory available" },
      { reason: "KubeletHasInsufficientMemory", message: "kubelet has insufficient memory available" },
    ]),
    DiskPressure: verdict(diskFreeBytes < diskBytes * thresholds.diskShare, [
      { reason: "KubeletHasNoDiskPressure", message: "kubelet has no disk pressure" },
      { reason: "KubeletHasDiskPressure", message: "kubelet has disk pressure" },
    ]),
    PIDPressure: verdict(pids.used > pids.most * mostPids, [
      { reason: "KubeletHasSufficientPID", message: "kubelet has sufficient PID available" },
      { reason: "KubeletHasInsufficientPID", message: "kubelet has insufficient PID available" },
    ]),
    Accelerated: {
      status: accelerator.name === "kvm" ? "True" : "False",
      reason: accelerator.name === "kvm" ? "KVM" : "TCG",
      message: accelerator.reason,
    },
    Ready:
      trouble === undefined
        ? { status: "True", reason: "KubeletReady", message: "kubelet is posting ready status" }
        : { status: "False", reason: "KubeletNotReady", message: trouble },
  };
  const now = formatTime(use.nowMs);
  return Object.entries(verdicts).map(([type, { status, reason, message }]) => {
    const known = before?.conditions?.find((condition) => condition.type === type);
    const lastTransitionTime = known?.status === status ? (known.lastTransitionTime ?? now) : now;
    return { type, status, lastHeartbeatTime: now, lastTransitionTime, reason, message };
  });
}

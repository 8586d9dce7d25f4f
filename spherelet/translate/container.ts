/**
 * A container of a Pod as its machine is to run it. Pure.
 * Sources: k8s.io/kubernetes/pkg/kubelet (kuberuntime_container.go, container/helpers.go ExpandContainerCommandAndArgs)
 */
import type { Container, EphemeralContainer, VolumeMount } from "@atoll/api/builtin/core/v1.types";
import type { Pod } from "@atoll/client/builtin";
import type { ContainerSpec } from "@atoll/crx/guest";
import type { ImageConfig } from "@atoll/images/store/config";
import { qosOf } from "../lifecycle/qos.ts";
import { expand } from "./expand.ts";
import { configError } from "./failure.ts";
import { limitsOf, requestsOf } from "./resources.ts";
import { rightsOf } from "./security.ts";

/** Everything a container is made of. */
export interface ContainerSight {
  readonly pod: Pod;
  readonly container: Container | EphemeralContainer;
  /** Names the run in the machine. */
  readonly run: string;
  readonly image: { readonly config: ImageConfig; readonly volume: string };
  /** Guest volumes of the Pod's image volumes, by the volume's name. */
  readonly imageVolumes?: ReadonlyMap<string, string>;
  /** Volume that takes what the container writes. */
  readonly upper: string;
  readonly environment: ReadonlyMap<string, string>;
  readonly hostname: string;
  readonly machineMemoryBytes: number;
  readonly seccomp: (capabilities: bigint) => Uint8Array;
}

/** Guest volumes that every machine has. */
export const ownVolumes = { memory: "pod", names: "etc", scratch: "scratch" } as const;

/** Guest volume of a Pod's volume. */
export const guestVolume = (name: string): string => `v-${name}`;

const cpuPeriodNs = 100_000_000n;
const nsPerMilli = 100_000;

/**
 * What the machine is asked to run.
 * @throws {CannotStart} it makes no sense
 */
export function containerSpec(sight: ContainerSight): ContainerSpec {
  const { pod, container, image, environment, upper } = sight;
  const lookUp = (name: string) => environment.get(name);
  const security = container.securityContext ?? {};
  return {
    name: sight.run,
    process: {
      args: commandOf(sight, lookUp),
      env: envList(sight),
      cwd: cwdOf(container, image.config),
      ...rightsOf(pod, container, image.config, sight.seccomp),
      oomScoreAdj: oomScore(sight),
      ...(container.tty === true ? { tty: true } : {}),
      ...(container.stdin === true ? { stdin: true } : {}),
    },
    root: {
      layers: [image.volume],
      upper,
      readOnly: security.readOnlyRootFilesystem === true,
    },
    mounts: mountsOf(sight, lookUp),
    limits: limitsFor(container),
    hostname: sight.hostname,
    sharePids: pod.spec.shareProcessNamespace === true,
    unmasked: security.procMount === "Unmasked",
    terminationPath: container.terminationMessagePath ?? "/dev/termination-log",
  };
}

function commandOf({ container, image }: ContainerSight, lookUp: (name: string) => string | undefined): string[] {
  const { command = [], args = [] } = container;
  const given = [...command, ...args].map((word) => expand(word, lookUp));
  const { entrypoint, cmd } = image.config;
  if (command.length > 0) return given;
  const words = args.length > 0 ? [...entrypoint, ...given] : [...entrypoint, ...cmd];
  if (words.length === 0) throw configError("no command specified");
  return words;
}

function cwdOf({ workingDir = "" }: Container | EphemeralContainer, config: ImageConfig): string {
  if (workingDir !== "") return workingDir;
  return config.workingDir === "" ? "/" : config.workingDir;
}

function envList({ environment, image, hostname, container }: ContainerSight): string[] {
  const all = new Map<string, string>([["HOSTNAME", hostname]]);
  if (container.tty === true) all.set("TERM", "xterm");
  for (const pair of image.config.env) {
    const at = pair.indexOf("=");
    if (at > 0) all.set(pair.slice(0, at), pair.slice(at + 1));
  }
  for (const [name, value] of environment) all.set(name, value);
  return [...all].map(([name, value]) => `${name}=${value}`);
}

/** A disk without a file system, in its guest volume. crx/init/volume.c has the same name. */
const deviceFile = "device";

type Mount = NonNullable<ContainerSpec["mounts"]>[number];

function mountsOf(sight: ContainerSight, lookUp: (name: string) => string | undefined): Mount[] {
  const own = (path: string): Mount => ({ volume: ownVolumes.names, path, target: `/etc/${path}` });
  const given = (sight.container.volumeMounts ?? []).map((mount) => mountOf(sight, mount, lookUp));
  const devices = (sight.container.volumeDevices ?? []).map(({ name, devicePath }): Mount => {
    return { volume: guestVolume(name), path: deviceFile, target: devicePath };
  });
  const taken = new Set(given.map(({ target }) => target));
  const files = [own("hosts"), own("hostname"), own("resolv.conf")];
  const machineId: Mount = { volume: "machine", path: "machine-id", target: "/etc/machine-id", readOnly: true };
  return [...[...files, machineId].filter(({ target }) => !taken.has(target)), ...given, ...devices];
}

function mountOf(
  { pod, imageVolumes }: ContainerSight,
  mount: VolumeMount,
  lookUp: (name: string) => string | undefined,
): Mount {
  const volume = pod.spec.volumes?.find(({ name }) => name === mount.name);
  if (volume === undefined) throw configError(`volume ${mount.name} not found`);
  const path = subPathOf(mount, lookUp);
  const { emptyDir, persistentVolumeClaim, ephemeral } = volume;
  const isData = [emptyDir, persistentVolumeClaim, ephemeral].some((source) => source !== undefined);
  return {
    volume: imageVolumes?.get(mount.name) ?? guestVolume(mount.name),
    ...(path === "" ? {} : { path, create: isData }),
    target: mount.mountPath,
    // What the API fills is the API's: a container could not keep a change anyway.
    readOnly: mount.readOnly === true || persistentVolumeClaim?.readOnly === true || !isData,
  };
}

function subPathOf(mount: VolumeMount, lookUp: (name: string) => string | undefined): string {
  const { subPath = "", subPathExpr = "" } = mount;
  if (subPathExpr === "") return subPath;
  const path = expand(subPathExpr, lookUp);
  if (/\$\(/.test(path)) throw configError(`missing value for "${subPathExpr}"`);
  if (path.startsWith("/") || path.split("/").includes(".."))
    throw configError(`subPath must be a relative path: ${path}`);
  return path;
}

/** What the guest holds a container to. */
export function limitsFor({ resources }: Pick<Container, "resources">): NonNullable<ContainerSpec["limits"]> {
  const limits = limitsOf(resources ?? {});
  const requests = requestsOf(resources ?? {});
  return {
    ...(limits.memoryBytes === 0 ? {} : { memoryBytes: BigInt(limits.memoryBytes) }),
    ...(limits.cpuMillis === 0 ? {} : { cpuQuotaNs: BigInt(limits.cpuMillis * nsPerMilli), cpuPeriodNs }),
    cpuWeight: cpuWeight(requests.cpuMillis),
  };
}

/** Source: k8s.io/kubernetes/pkg/kubelet/cm (CPUSharesToCPUWeight) */
function cpuWeight(cpuMillis: number): number {
  const shares = Math.min(Math.max(Math.floor((cpuMillis * 1024) / 1000), 2), 262_144);
  return 1 + Math.floor(((shares - 2) * 9999) / 262_142);
}

/** Source: k8s.io/kubernetes/pkg/kubelet/qos (GetContainerOOMScoreAdjust) */
function oomScore({ pod, container, machineMemoryBytes }: ContainerSight): number {
  const qos = pod.status?.qosClass ?? qosOf(pod.spec);
  if (qos === "Guaranteed") return -997;
  if (qos === "BestEffort") return 1000;
  const { memoryBytes } = requestsOf(container.resources ?? {});
  const score = 1000 - Math.floor((1000 * memoryBytes) / machineMemoryBytes);
  return Math.min(Math.max(score, 3), 999);
}

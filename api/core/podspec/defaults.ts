/**
 * What a pod's specification says where the user said nothing; pods and the templates of workloads share it.
 * Source: k8s.io/kubernetes/pkg/apis/core/v1/defaults.go
 */
import { canonicalQuantity } from "@atoll/machinery/quantity";
import type {
  Container,
  EnvVar,
  EphemeralContainer,
  LifecycleHandler,
  PodSpec,
  Probe,
  Volume,
} from "../../builtin/core/v1.types.ts";
import { requestsOf } from "./requests.ts";

/** A container of any sort: the fields they share. */
export type AnyContainer = Container | EphemeralContainer;

const fileMode = 0o644;
const tokenSeconds = 3600;

/** Fills a pod specification in place. */
export function setPodSpecDefaults(spec: PodSpec): void {
  spec.dnsPolicy ||= "ClusterFirst";
  spec.restartPolicy ||= "Always";
  spec.securityContext ??= {};
  spec.terminationGracePeriodSeconds ??= 30;
  spec.schedulerName ||= "default-scheduler";
  mirrorServiceAccount(spec);
  for (const volume of spec.volumes ?? []) setVolumeDefaults(volume);
  for (const container of containersOf(spec)) setContainerDefaults(container);
}

/** Every container of a pod: init, ordinary, ephemeral. */
export function* containersOf(spec: PodSpec): Generator<AnyContainer> {
  yield* spec.initContainers ?? [];
  yield* spec.containers ?? [];
  yield* spec.ephemeralContainers ?? [];
}

/** The old name of serviceAccountName says the same. */
function mirrorServiceAccount(spec: PodSpec): void {
  const name = spec.serviceAccountName || spec.serviceAccount;
  if (!name) return;
  spec.serviceAccountName = name;
  spec.serviceAccount = name;
}

/** In a pod on the host's network, though not in a template of some, a container's port is the host's port. */
export function setHostPorts(spec: PodSpec): void {
  for (const container of [...(spec.initContainers ?? []), ...(spec.containers ?? [])]) {
    for (const port of container.ports ?? []) port.hostPort ||= port.containerPort;
  }
}

function setContainerDefaults(container: AnyContainer): void {
  container.imagePullPolicy ||= pullPolicyOf(container.image ?? "");
  container.terminationMessagePath ||= "/dev/termination-log";
  container.terminationMessagePolicy ||= "File";
  for (const port of container.ports ?? []) port.protocol ||= "TCP";
  for (const env of container.env ?? []) setFieldRef(env.valueFrom?.fieldRef);
  for (const file of fileKeys(container.env)) file.optional ??= false;
  setProbe(container.livenessProbe);
  setProbe(container.readinessProbe);
  setProbe(container.startupProbe);
  setHandler(container.lifecycle?.postStart);
  setHandler(container.lifecycle?.preStop);
}

function fileKeys(env: readonly EnvVar[] | undefined): { optional?: boolean | null }[] {
  return (env ?? []).flatMap(({ valueFrom }) => {
    const ref = (valueFrom as { fileKeyRef?: { optional?: boolean | null } } | undefined)?.fileKeyRef;
    return ref === undefined ? [] : [ref];
  });
}

// Source: github.com/distribution/reference
const host = "[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*(?::[0-9]+)?";
const part = "[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*";
const reference = new RegExp(
  `^(?:(?:${host}|\\[[a-fA-F0-9:]+\\](?::[0-9]+)?)/)?${part}(?:/${part})*(?::[\\w][\\w.-]{0,127})?(?:@[^@]+)?$`,
);

const repositoryMax = 255;

/** With the registry and folder that a short name stands for. */
function repositoryLength(image: string): number {
  const slash = image.indexOf("/");
  if (slash < 0) return "docker.io/library/".length + image.length;
  const first = image.slice(0, slash);
  return (/[.:]|^localhost$/.test(first) ? 0 : "docker.io/".length) + image.length;
}

/** An image without a tag, or tagged `latest`, changes under its name; what is no image's name does not. */
function pullPolicyOf(image: string): string {
  if (!reference.test(image) || repositoryLength(image) > repositoryMax) return "IfNotPresent";
  const afterSlash = image.slice(image.lastIndexOf("/") + 1);
  if (image.includes("@")) return "IfNotPresent";
  const tag = afterSlash.includes(":") ? afterSlash.slice(afterSlash.indexOf(":") + 1) : "latest";
  return tag === "latest" ? "Always" : "IfNotPresent";
}

function setProbe(probe: Probe | undefined): void {
  if (probe === undefined) return;
  probe.timeoutSeconds ||= 1;
  probe.periodSeconds ||= 10;
  probe.successThreshold ||= 1;
  probe.failureThreshold ||= 3;
  setHandler(probe);
  if (probe.grpc !== undefined) probe.grpc.service ??= "";
}

function setHandler(handler: Pick<LifecycleHandler, "httpGet"> | undefined): void {
  if (handler?.httpGet === undefined) return;
  handler.httpGet.path ||= "/";
  handler.httpGet.scheme ||= "HTTP";
}

/** In a pod, though not in a template, a limit without a request asks for as much. */
export function setRequests({ initContainers = [], containers }: PodSpec): void {
  for (const { resources } of [...initContainers, ...(containers ?? [])]) {
    if (resources?.limits === undefined) continue;
    resources.requests = { ...resources.limits, ...resources.requests };
  }
}

/**
 * A pod that says something of its resources as a whole asks for what its containers ask for, or else for its limit.
 * Source: setDefaultPodRequests
 */
export function setPodRequests(spec: PodSpec): void {
  const { resources } = spec;
  if (resources === undefined) return;
  const requests: Record<string, string> = { ...resources.requests };
  for (const [name, sum] of requestsOf(spec)) {
    if (isPodLevel(name)) requests[name] ??= canonicalQuantity(sum);
  }
  for (const [name, limit] of Object.entries(resources.limits ?? {})) if (isPodLevel(name)) requests[name] ??= limit;
  if (Object.keys(requests).length > 0) resources.requests = requests;
}

function isPodLevel(name: string): boolean {
  return name === "cpu" || name === "memory" || name.startsWith("hugepages-");
}

function setFieldRef(ref: { apiVersion?: string } | undefined): void {
  if (ref !== undefined) ref.apiVersion ||= "v1";
}

/** Volumes of each kind; one that says nothing is an empty directory. */
function setVolumeDefaults(volume: Volume): void {
  if (Object.keys(volume).every((field) => field === "name")) volume.emptyDir = {};
  setFileVolumes(volume);
  setNetworkVolumes(volume);
  if (volume.hostPath !== undefined) volume.hostPath.type ??= "";
  const claim = volume.ephemeral?.volumeClaimTemplate?.spec;
  if (claim !== undefined) claim.volumeMode ||= "Filesystem";
}

function setFileVolumes(volume: Volume): void {
  if (volume.secret !== undefined) volume.secret.defaultMode ??= fileMode;
  if (volume.configMap !== undefined) volume.configMap.defaultMode ??= fileMode;
  if (volume.downwardAPI !== undefined) {
    volume.downwardAPI.defaultMode ??= fileMode;
    for (const item of volume.downwardAPI.items ?? []) setFieldRef(item.fieldRef);
  }
  if (volume.projected === undefined) return;
  volume.projected.defaultMode ??= fileMode;
  for (const source of volume.projected.sources ?? []) {
    if (source.serviceAccountToken !== undefined) source.serviceAccountToken.expirationSeconds ??= tokenSeconds;
    for (const item of source.downwardAPI?.items ?? []) setFieldRef(item.fieldRef);
  }
}

function setNetworkVolumes({ iscsi, rbd, azureDisk, scaleIO, image }: Volume): void {
  if (iscsi !== undefined) iscsi.iscsiInterface ||= "default";
  if (rbd !== undefined) {
    rbd.pool ||= "rbd";
    rbd.user ||= "admin";
    rbd.keyring ||= "/etc/ceph/keyring";
  }
  if (azureDisk !== undefined) {
    azureDisk.cachingMode ||= "ReadWrite";
    azureDisk.fsType ||= "ext4";
    azureDisk.readOnly ??= false;
    azureDisk.kind ||= "Shared";
  }
  if (scaleIO !== undefined) {
    scaleIO.storageMode ||= "ThinProvisioned";
    scaleIO.fsType ||= "xfs";
  }
  if (image !== undefined) image.pullPolicy ||= pullPolicyOf(image.reference ?? "");
}

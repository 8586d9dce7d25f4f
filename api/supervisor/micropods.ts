/**
 * What a Pod may ask for that a micro-VM cannot honour. It is refused by name, never ignored: where only micro-VMs run
 * Pods, before it is stored, and by a host in any case.
 * Source: docs/rfd/0013-spherelet.md
 */
import type {
  Container,
  EphemeralContainer,
  PodSecurityContext,
  PodSpec,
  SecurityContext,
  Volume,
} from "../builtin/core/v1.types.ts";
import { isCapability } from "./capabilities.ts";

/** A field that is not honoured here. */
export interface Refusal {
  readonly path: string;
  readonly why: string;
}

const volumeKinds = new Set([
  "emptyDir",
  "configMap",
  "secret",
  "projected",
  "downwardAPI",
  "image",
  "persistentVolumeClaim",
  "ephemeral",
]);

/** Everything about a Pod that cannot be honoured, in the order of its fields. */
export function refusalsOf(spec: PodSpec): readonly Refusal[] {
  return [
    ...(spec.volumes ?? []).flatMap(volumeRefusals),
    ...containersAt(spec.initContainers, "spec.initContainers"),
    ...containersAt(spec.containers, "spec.containers"),
    ...podSecurityRefusals(spec),
    ...placeRefusals(spec),
  ];
}

type Flag = readonly [isSet: boolean, path: string, why: string];

const told = (flags: readonly Flag[]): readonly Refusal[] =>
  flags.flatMap(([isSet, path, why]) => (isSet ? [{ path, why }] : []));

/** What a Pod may ask of where it runs. */
function placeRefusals(spec: PodSpec): readonly Refusal[] {
  const host = "a Pod here is a machine of its own and has no part in the host's";
  return told([
    [spec.hostNetwork === true, "spec.hostNetwork", `${host} network`],
    [spec.hostPID === true, "spec.hostPID", `${host} processes`],
    [spec.hostIPC === true, "spec.hostIPC", `${host} IPC`],
    [(spec.runtimeClassName ?? "") !== "", "spec.runtimeClassName", "there is one runtime here, the micro-VM"],
    [(spec.os?.name ?? "linux") !== "linux", "spec.os.name", "machines of Pods run Linux"],
    [(spec.resourceClaims ?? []).length > 0, "spec.resourceClaims", "there are no devices to be claimed here"],
  ]);
}

/** Each container has a namespace for these, which the Pod's setting would not reach. */
const ownNamespace = /^(kernel[./](shm|msg|sem)|fs[./]mqueue[./])/;

function podSecurityRefusals({ securityContext: security }: PodSpec): readonly Refusal[] {
  if (security === undefined) return [];
  const path = "spec.securityContext";
  const isStrict = security.supplementalGroupsPolicy === "Strict";
  const sysctls = (security.sysctls ?? []).map(
    ({ name }, index): Flag => [
      ownNamespace.test(name),
      `${path}.sysctls[${index}].name`,
      "containers here have IPC namespaces of their own",
    ],
  );
  return told([
    [isStrict, `${path}.supplementalGroupsPolicy`, "the image's own groups are always merged here"],
    ...confinementFlags(security, path),
    ...sysctls,
  ]);
}

/** Means of confinement that guests do not have. */
function confinementFlags(
  { seccompProfile, appArmorProfile, seLinuxOptions, windowsOptions }: PodSecurityContext | SecurityContext,
  path: string,
): readonly Flag[] {
  const labels = Object.values(seLinuxOptions ?? {}).filter((value) => value !== "");
  const appArmor = appArmorProfile?.type ?? "Unconfined";
  return [
    [seccompProfile?.type === "Localhost", `${path}.seccompProfile.type`, "profiles of the host cannot be used"],
    [appArmor !== "Unconfined", `${path}.appArmorProfile.type`, "there is no AppArmor in a Pod's machine"],
    [labels.length > 0, `${path}.seLinuxOptions`, "there is no SELinux in a Pod's machine"],
    [windowsOptions !== undefined, `${path}.windowsOptions`, "machines of Pods run Linux"],
  ];
}

/** The same of an ephemeral container that is added later. */
export function ephemeralRefusals(
  container: EphemeralContainer,
  { spec, path }: { readonly spec: PodSpec; readonly path: string },
): readonly Refusal[] {
  const isTargeted = (container.targetContainerName ?? "") !== "" && spec.shareProcessNamespace !== true;
  const why = "containers here see each other's processes only in a Pod with shareProcessNamespace";
  return [...containerRefusals(container, path), ...told([[isTargeted, `${path}.targetContainerName`, why]])];
}

/** The same of one container. */
function containerRefusals(container: Container | EphemeralContainer, path: string): readonly Refusal[] {
  const { securityContext: security, ports = [], env = [], envFrom: _ } = container;
  const refusals: Refusal[] = [];
  if (security?.privileged === true) {
    refusals.push({ path: `${path}.securityContext.privileged`, why: "there is no privilege on the host to be had" });
  }
  if (security !== undefined) {
    refusals.push(...told(confinementFlags(security, `${path}.securityContext`)));
    refusals.push(...capabilityRefusals(security.capabilities, `${path}.securityContext.capabilities`));
  }
  ports.forEach(({ hostPort = 0 }, index) => {
    if (hostPort !== 0)
      refusals.push({ path: `${path}.ports[${index}].hostPort`, why: "ports of the host cannot be had" });
  });
  env.forEach(({ valueFrom }, index) => {
    if (valueFrom?.fileKeyRef === undefined) return;
    refusals.push({ path: `${path}.env[${index}].valueFrom.fileKeyRef`, why: "variables from files are not read yet" });
  });
  return refusals;
}

function capabilityRefusals(
  { add = [], drop = [] }: NonNullable<SecurityContext["capabilities"]> = {},
  path: string,
): readonly Refusal[] {
  const unknown = (names: readonly string[], list: string) =>
    names.map(
      (name, index): Flag => [!isCapability(name), `${path}.${list}[${index}]`, `Linux has no capability "${name}"`],
    );
  return told([...unknown(add, "add"), ...unknown(drop, "drop")]);
}

function containersAt(containers: readonly Container[] | null | undefined, path: string): readonly Refusal[] {
  return (containers ?? []).flatMap((container, index) => containerRefusals(container, `${path}[${index}]`));
}

function volumeRefusals(volume: Volume, index: number): readonly Refusal[] {
  const path = `spec.volumes[${index}]`;
  const { name: _, ...sources } = volume;
  const [kind = "emptyDir"] = Object.keys(sources);
  if (kind === "hostPath") return [{ path: `${path}.hostPath`, why: "a machine sees nothing of the host's files" }];
  if (!volumeKinds.has(kind)) return [{ path: `${path}.${kind}`, why: "volumes of this kind cannot be had yet" }];
  if (volume.emptyDir?.medium?.startsWith("HugePages") === true) {
    return [{ path: `${path}.emptyDir.medium`, why: "there are no huge pages here" }];
  }
  const sourcesOf = volume.projected?.sources ?? [];
  return sourcesOf.flatMap((source, at) =>
    (["clusterTrustBundle", "podCertificate"] as const).flatMap((name) =>
      source[name] === undefined
        ? []
        : [{ path: `${path}.projected.sources[${at}].${name}`, why: "this source cannot be had yet" }],
    ),
  );
}

/**
 * What a Pod may ask for that a micro-VM cannot honour. It is refused by name, never ignored: where only micro-VMs run
 * Pods, before it is stored, and by a host in any case.
 * Source: docs/rfd/0013-spherelet.md
 */
import type { Container, EphemeralContainer, PodSpec, Volume } from "../builtin/core/v1.types.ts";

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
  const host = "a Pod here is a machine of its own and has no part in the host's";
  const flags: readonly (readonly [boolean | undefined, string, string])[] = [
    [spec.hostNetwork, "spec.hostNetwork", `${host} network`],
    [spec.hostPID, "spec.hostPID", `${host} processes`],
    [spec.hostIPC, "spec.hostIPC", `${host} IPC`],
  ];
  return [
    ...(spec.volumes ?? []).flatMap(volumeRefusals),
    ...containersAt(spec.initContainers, "spec.initContainers"),
    ...containersAt(spec.containers, "spec.containers"),
    ...(spec.securityContext?.supplementalGroupsPolicy === "Strict"
      ? [
          {
            path: "spec.securityContext.supplementalGroupsPolicy",
            why: "the image's own groups are always merged here",
          },
        ]
      : []),
    ...flags.flatMap(([set, path, why]) => (set === true ? [{ path, why }] : [])),
  ];
}

/** The same of one container that is added later. */
export function containerRefusals(container: Container | EphemeralContainer, path: string): readonly Refusal[] {
  const { securityContext: security, ports = [], volumeDevices = [], env = [], envFrom: _ } = container;
  const refusals: Refusal[] = [];
  if (security?.privileged === true) {
    refusals.push({ path: `${path}.securityContext.privileged`, why: "there is no privilege on the host to be had" });
  }
  if (security?.seccompProfile?.type === "Localhost") {
    refusals.push({ path: `${path}.securityContext.seccompProfile.type`, why: "profiles of the host cannot be used" });
  }
  ports.forEach(({ hostPort = 0 }, index) => {
    if (hostPort !== 0)
      refusals.push({ path: `${path}.ports[${index}].hostPort`, why: "ports of the host cannot be had" });
  });
  if (volumeDevices.length > 0) refusals.push({ path: `${path}.volumeDevices`, why: "there are no block volumes yet" });
  env.forEach(({ valueFrom }, index) => {
    if (valueFrom?.fileKeyRef === undefined) return;
    refusals.push({ path: `${path}.env[${index}].valueFrom.fileKeyRef`, why: "variables from files are not read yet" });
  });
  return refusals;
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

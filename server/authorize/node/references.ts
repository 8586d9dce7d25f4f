/**
 * What objects of the namespace a pod needs, and what secrets a volume needs on the node that mounts it.
 * Source: k8s.io/kubernetes/pkg/api/v1/pod (VisitPodSecretNames, VisitPodConfigmapNames), pkg/api/v1/persistentvolume,
 * plugin/pkg/auth/authorizer/node/graph.go
 */
import type { Container, PersistentVolume, Pod, Volume } from "@atoll/api/builtin/core/v1.types";

/** Kinds that a node may have to do with because of its pods. */
export type Needed =
  | "secrets"
  | "configmaps"
  | "persistentvolumeclaims"
  | "persistentvolumes"
  | "serviceaccounts"
  | "resourceclaims"
  | "pods";

/** An object, as one text. Namespaces and names have no slashes. */
export type Reference = string;

/** The text of an object. */
export const reference = (kind: Needed, namespace: string, name: string): Reference => `${kind}/${namespace}/${name}`;

/** A mirror pod is what a node says that it runs; it gives no rights, or a node could take any. */
const mirror = "kubernetes.io/config.mirror";

/** All that a pod needs; none twice. */
export function neededBy(pod: Pod): ReadonlySet<Reference> {
  const { namespace = "", name = "", annotations = {} } = pod.metadata;
  const needed = new Set([reference("pods", namespace, name)]);
  if (Object.hasOwn(annotations, mirror)) return needed;
  const need = (kind: Needed, named: string | undefined) => {
    if (named) needed.add(reference(kind, namespace, named));
  };
  const { spec, status } = pod;
  need("serviceaccounts", spec.serviceAccountName);
  for (const { name: secret } of spec.imagePullSecrets ?? []) need("secrets", secret);
  for (const container of [...(spec.initContainers ?? []), ...(spec.containers ?? [])]) ofContainer(container, need);
  for (const container of spec.ephemeralContainers ?? []) ofContainer(container, need);
  for (const volume of spec.volumes ?? []) ofVolume(volume, name, need);
  for (const { resourceClaimName } of spec.resourceClaims ?? []) need("resourceclaims", resourceClaimName);
  for (const { resourceClaimName } of status?.resourceClaimStatuses ?? []) need("resourceclaims", resourceClaimName);
  need("resourceclaims", status?.extendedResourceClaimStatus?.resourceClaimName);
  return needed;
}

type Need = (kind: Needed, name: string | undefined) => void;

function ofContainer({ env, envFrom }: Pick<Container, "env" | "envFrom">, need: Need): void {
  for (const { configMapRef, secretRef } of envFrom ?? []) {
    need("configmaps", configMapRef?.name);
    need("secrets", secretRef?.name);
  }
  for (const { valueFrom } of env ?? []) {
    need("configmaps", valueFrom?.configMapKeyRef?.name);
    need("secrets", valueFrom?.secretKeyRef?.name);
  }
}

function ofVolume(volume: Volume, pod: string, need: Need): void {
  need("secrets", volume.secret?.secretName);
  need("configmaps", volume.configMap?.name);
  need("persistentvolumeclaims", volume.persistentVolumeClaim?.claimName);
  if (volume.ephemeral !== undefined) need("persistentvolumeclaims", `${pod}-${volume.name}`);
  for (const { secret, configMap } of volume.projected?.sources ?? []) {
    need("secrets", secret?.name);
    need("configmaps", configMap?.name);
  }
  const { azureFile, cephfs, cinder, flexVolume, rbd, scaleIO, iscsi, storageos, csi } = volume;
  need("secrets", azureFile?.secretName);
  for (const source of [cephfs, cinder, flexVolume, rbd, scaleIO, iscsi, storageos])
    need("secrets", source?.secretRef?.name);
  need("secrets", csi?.nodePublishSecretRef?.name);
}

/** The claim a volume is bound to; undefined when to none. */
export function claimOf({ spec }: PersistentVolume): Reference | undefined {
  const { namespace, name } = spec.claimRef ?? {};
  return namespace && name ? reference("persistentvolumeclaims", namespace, name) : undefined;
}

/** The secrets of a volume that a node has to read. Those that only a controller reads are not among them. */
export function secretsOf({ spec }: PersistentVolume): ReadonlySet<Reference> {
  const home = spec.claimRef?.namespace ?? "";
  const needed = new Set<Reference>();
  const need = (name: string | undefined, namespace: string | undefined) => {
    if (name) needed.add(reference("secrets", namespace || home, name));
  };
  const { azureFile, cephfs, cinder, flexVolume, rbd, scaleIO, iscsi, storageos, csi } = spec;
  need(azureFile?.secretName, azureFile?.secretNamespace ?? undefined);
  for (const source of [cephfs, cinder, flexVolume, rbd, scaleIO, iscsi, storageos]) {
    need(source?.secretRef?.name, source?.secretRef?.namespace);
  }
  for (const ref of [csi?.nodePublishSecretRef, csi?.nodeStageSecretRef, csi?.nodeExpandSecretRef]) {
    need(ref?.name, ref?.namespace);
  }
  return needed;
}

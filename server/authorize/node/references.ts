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
export function neededBy({ metadata, spec, status }: Pod): ReadonlySet<Reference> {
  const { namespace = "", name = "", annotations = {} } = metadata;
  const needed = new Set([reference("pods", namespace, name)]);
  if (Object.hasOwn(annotations, mirror)) return needed;
  const need = (kind: Needed, named: string | undefined) => {
    if (named) needed.add(reference(kind, namespace, named));
  };
  need("serviceaccounts", spec.serviceAccountName);
  for (const { name: secret } of list(spec.imagePullSecrets)) need("secrets", secret);
  for (const containers of [spec.initContainers, spec.containers, spec.ephemeralContainers]) {
    for (const container of list<Environment>(containers)) ofContainer(container, need);
  }
  for (const volume of list(spec.volumes)) ofVolume(volume, name, need);
  const claims = [...list(spec.resourceClaims), ...list(status?.resourceClaimStatuses)];
  for (const { resourceClaimName } of claims) need("resourceclaims", resourceClaimName);
  need("resourceclaims", status?.extendedResourceClaimStatus?.resourceClaimName);
  return needed;
}

type Need = (kind: Needed, name: string | undefined) => void;
type Environment = Pick<Container, "env" | "envFrom">;

function list<T>(items: readonly T[] | null | undefined): readonly T[] {
  return items ?? [];
}

function ofContainer({ env, envFrom }: Environment, need: Need): void {
  for (const { configMapRef, secretRef } of list(envFrom)) {
    need("configmaps", configMapRef?.name);
    need("secrets", secretRef?.name);
  }
  for (const { valueFrom } of list(env)) {
    need("configmaps", valueFrom?.configMapKeyRef?.name);
    need("secrets", valueFrom?.secretKeyRef?.name);
  }
}

/** Sources of volumes that name a secret in the same way, in pods and in volumes. */
const sources = ["cephfs", "cinder", "flexVolume", "rbd", "scaleIO", "iscsi", "storageos"] as const;

function ofVolume(volume: Volume, pod: string, need: Need): void {
  need("secrets", volume.secret?.secretName);
  need("configmaps", volume.configMap?.name);
  need("persistentvolumeclaims", volume.persistentVolumeClaim?.claimName);
  if (volume.ephemeral !== undefined) need("persistentvolumeclaims", `${pod}-${volume.name}`);
  for (const { secret, configMap } of list(volume.projected?.sources)) {
    need("secrets", secret?.name);
    need("configmaps", configMap?.name);
  }
  for (const name of keysOf(volume)) need("secrets", name);
}

/** The secrets with which storage is mounted. */
function keysOf({ azureFile, csi, ...volume }: Volume): readonly (string | undefined)[] {
  const named = sources.map((source) => volume[source]?.secretRef?.name);
  return [azureFile?.secretName, csi?.nodePublishSecretRef?.name, ...named];
}

/** The claim a volume is bound to; undefined when to none. */
export function claimOf({ spec }: PersistentVolume): Reference | undefined {
  const { namespace, name } = spec.claimRef ?? {};
  return namespace && name ? reference("persistentvolumeclaims", namespace, name) : undefined;
}

/** The secrets of a volume that a node has to read. Those that only a controller reads are not among them. */
export function secretsOf({ spec }: PersistentVolume): ReadonlySet<Reference> {
  const { azureFile, csi } = spec;
  const refs: readonly SecretRef[] = [
    { name: azureFile?.secretName, namespace: azureFile?.secretNamespace },
    ...sources.map((source) => spec[source]?.secretRef),
    csi?.nodePublishSecretRef,
    csi?.nodeStageSecretRef,
    csi?.nodeExpandSecretRef,
  ];
  const home = spec.claimRef?.namespace ?? "";
  const named = refs.filter((ref) => ref?.name);
  return new Set(named.map((ref) => reference("secrets", ref?.namespace || home, ref?.name ?? "")));
}

type SecretRef =
  | { readonly name?: string | undefined; readonly namespace?: string | null | undefined }
  | null
  | undefined;

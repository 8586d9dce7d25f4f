/**
 * Every pod has a service account, and its token at the place where programs look for it.
 * Source: k8s.io/kubernetes/plugin/pkg/admission/serviceaccount
 */
import type { Container, Pod, ServiceAccount, Volume } from "@atoll/api/builtin/core/v1.types";
import { StatusError } from "@atoll/machinery/status";
import { neededBy } from "../authorize/node/references.ts";
import type { Catalogue } from "../registry/catalogue.ts";
import { generateName } from "../registry/metadata.ts";
import type { AdmissionPlugin, AdmissionRequest } from "./admission.ts";
import { forbidden } from "./forbidden.ts";
import { isLimited, limitEphemeralSecrets, limitSecrets } from "./mountablesecrets.ts";

const tokenPath = "/var/run/secrets/kubernetes.io/serviceaccount";
const mirrorAnnotation = "kubernetes.io/config.mirror";
/** Source: WarnOnlyBoundTokenExpirationPeriod, an hour and seven seconds, by which it is known */
const tokenSeconds = 3607;
const fileMode = 0o644;

/** The plugin; it reads service accounts. */
export function serviceAccounts(catalogue: Catalogue): AdmissionPlugin {
  return {
    name: "ServiceAccount",
    handles: ({ kind, operation, subresource }) =>
      kind.plural === "pods" &&
      kind.group === "" &&
      (subresource === "" ? operation === "CREATE" : subresource === "ephemeralcontainers" && operation === "UPDATE"),
    mutate: async (request) => {
      const pod = request.object as unknown as Pod;
      if (request.operation !== "CREATE" || isMirror(pod)) return;
      const { spec } = pod;
      spec.serviceAccountName ||= "default";
      spec.serviceAccount = spec.serviceAccountName;
      const account = await find(catalogue, request, spec.serviceAccountName);
      if (spec.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true) mountToken(pod);
      if ((spec.imagePullSecrets ?? []).length === 0 && account.imagePullSecrets !== undefined) {
        spec.imagePullSecrets = [...account.imagePullSecrets];
      }
    },
    validate: async (request) => {
      const pod = request.object as unknown as Pod;
      if (isMirror(pod)) return refuseReferences(request, pod);
      const account = await find(catalogue, request, pod.spec.serviceAccountName ?? "");
      if (!isLimited(account)) return;
      if (request.operation === "CREATE") limitSecrets(request, account);
      else limitEphemeralSecrets(request, account);
    },
  };
}

const isMirror = ({ metadata }: Pod) => metadata.annotations?.[mirrorAnnotation] !== undefined;

/**
 * A mirror pod shows what runs already: it must not become a way to an account or a secret. Tokens are refused to
 * pods without an account anyway.
 */
function refuseReferences(request: AdmissionRequest, pod: Pod): void {
  const { metadata, spec } = pod;
  if (spec.serviceAccountName) throw forbidden(request, "a mirror pod may not reference service accounts");
  const needed = [...neededBy({ ...pod, metadata: { ...metadata, annotations: {} } })];
  if (needed.some((each) => each.startsWith("secrets/"))) {
    throw forbidden(request, "a mirror pod may not reference secrets");
  }
}

async function find(catalogue: Catalogue, request: AdmissionRequest, name: string): Promise<ServiceAccount> {
  const { namespace } = request;
  const accounts = catalogue.resource("", "serviceaccounts");
  if (accounts === undefined) throw new TypeError("service accounts are not served");
  await accounts.cache.loaded();
  const cached = accounts.cache.get(accounts.key(namespace, name));
  if (cached !== undefined) return accounts.cache.object(cached) as unknown as ServiceAccount;
  try {
    // It may just have been made, through another server.
    return accounts.cache.object(await accounts.get(namespace, name)) as unknown as ServiceAccount;
  } catch (cause) {
    const why = `error looking up service account ${namespace}/${name}: serviceaccount ${JSON.stringify(name)} not found`;
    throw new StatusError("Forbidden", `pods ${JSON.stringify(request.name)} is forbidden: ${why}`, {
      details: { name: request.name, kind: "pods" },
      cause,
    });
  }
}

/** Adds the token's volume, and mounts it in every container that has nothing else there. */
function mountToken({ spec }: Pod): void {
  const containers = [...(spec.initContainers ?? []), ...(spec.containers ?? [])];
  const without = containers.filter(
    ({ volumeMounts = [] }) => !volumeMounts.some(({ mountPath }) => mountPath === tokenPath),
  );
  if (without.length === 0) return;
  const name = tokenVolumeName(spec.volumes ?? []);
  for (const container of without) addMount(container, name);
  if (!(spec.volumes ?? []).some((volume) => volume.name === name))
    spec.volumes = [...(spec.volumes ?? []), tokenVolume(name)];
}

function tokenVolumeName(volumes: readonly Volume[]): string {
  const known = volumes.find(({ name }) => name.startsWith("kube-api-access-"));
  return known?.name ?? generateName("kube-api-access-");
}

function addMount(container: Container, name: string): void {
  container.volumeMounts = [...(container.volumeMounts ?? []), { name, readOnly: true, mountPath: tokenPath }];
}

function tokenVolume(name: string): Volume {
  return {
    name,
    projected: {
      sources: [
        { serviceAccountToken: { expirationSeconds: tokenSeconds, path: "token" } },
        { configMap: { name: "kube-root-ca.crt", items: [{ key: "ca.crt", path: "ca.crt" }] } },
        {
          downwardAPI: {
            items: [{ path: "namespace", fieldRef: { apiVersion: "v1", fieldPath: "metadata.namespace" } }],
          },
        },
      ],
      defaultMode: fileMode,
    },
  };
}

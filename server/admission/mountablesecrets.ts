/**
 * A service account may list the only secrets that its pods use: `kubernetes.io/enforce-mountable-secrets: "true"`.
 * Source: k8s.io/kubernetes/plugin/pkg/admission/serviceaccount (limitSecretReferences,
 * limitEphemeralContainerSecretReferences): volumes, environment and pull secrets; projected volumes are not looked at
 */
import type { Container, Pod, ServiceAccount } from "@atoll/api/builtin/core/v1.types";
import type { AdmissionRequest } from "./admission.ts";
import { forbidden } from "./forbidden.ts";

const annotation = "kubernetes.io/enforce-mountable-secrets";

/** Whether the pods of an account are held to its secrets. */
export const isLimited = ({ metadata }: ServiceAccount): boolean =>
  /^(1|t|true)$/i.test(metadata.annotations?.[annotation] ?? "");

/** @throws {StatusError} Forbidden, for the first secret that a new pod uses and its account does not list */
export function limitSecrets(request: AdmissionRequest, account: ServiceAccount): void {
  const { spec } = request.object as unknown as Pod;
  const refuse = refusalOf(request, account, "secret");
  const isListed = listed(account.secrets);
  for (const { secret } of spec.volumes ?? []) {
    if (secret && !isListed(secret.secretName)) refuse(`volume with secret.secretName=${quoted(secret.secretName)}`);
  }
  limitEnvironment("init container", spec.initContainers, { isListed, refuse });
  limitEnvironment("container", spec.containers, { isListed, refuse });
  const isPullSecret = listed(account.imagePullSecrets);
  for (const [i, { name }] of (spec.imagePullSecrets ?? []).entries()) {
    if (!isPullSecret(name))
      refusalOf(request, account, "imagePullSecret")(`imagePullSecrets[${i}].name=${quoted(name)}`);
  }
}

/** @throws {StatusError} Forbidden, for the first secret that an ephemeral container uses and its pod's account does not list */
export function limitEphemeralSecrets(request: AdmissionRequest, account: ServiceAccount): void {
  const { spec } = request.object as unknown as Pod;
  const refuse = refusalOf(request, account, "secret");
  limitEnvironment("ephemeral container", spec.ephemeralContainers, { isListed: listed(account.secrets), refuse });
}

interface Limit {
  readonly isListed: (name: string | undefined) => boolean;
  readonly refuse: (what: string) => never;
}

type WithEnvironment = Pick<Container, "name" | "env" | "envFrom">;

function limitEnvironment(what: string, containers: readonly WithEnvironment[] | null | undefined, limit: Limit): void {
  const { isListed, refuse } = limit;
  for (const { name, env = [], envFrom = [] } of containers ?? []) {
    for (const { name: variable, valueFrom } of env) {
      const used = valueFrom?.secretKeyRef;
      if (used && !isListed(used.name))
        refuse(`${what} ${name} with envVar ${variable} referencing secret.secretName=${quoted(used.name)}`);
    }
    for (const { secretRef } of envFrom) {
      if (secretRef && !isListed(secretRef.name))
        refuse(`${what} ${name} with envFrom referencing secret.secretName=${quoted(secretRef.name)}`);
    }
  }
}

const refusalOf =
  (request: AdmissionRequest, account: ServiceAccount, what: string) =>
  (used: string): never => {
    const why = `is not allowed because service account ${account.metadata.name} does not reference that ${what}`;
    throw forbidden(request, `${used} ${why}`);
  };

function listed(references: readonly { readonly name?: string }[] | undefined): (name: string | undefined) => boolean {
  const names = new Set((references ?? []).map(({ name }) => name));
  return (name) => names.has(name);
}

const quoted = (name: string | undefined) => JSON.stringify(name ?? "");

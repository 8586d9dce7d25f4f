/** Installs the kinds of Atoll's own where the process that needs them may do so. */
import { accessGuard } from "@atoll/api/fleet/guard";
import { fleetKinds } from "@atoll/api/fleet/kinds";
import { fleetGroup } from "@atoll/api/fleet/v1alpha1/group";
import { gatewayKinds } from "@atoll/api/gatewayapi/kinds";
import { ClusterProfile } from "@atoll/api/multicluster/clusterprofile";
import { supervisorGuard } from "@atoll/api/supervisor/guard";
import { supervisorKinds } from "@atoll/api/supervisor/kinds";
import { supervisorGroup } from "@atoll/api/supervisor/v1alpha1/group";
import { definitionOf } from "@atoll/api/own/definition";
import type { OwnKind } from "@atoll/api/own/kind";
import { CustomResourceDefinition } from "@atoll/client/builtin";
import type { Client } from "@atoll/client/client";
import { isNotFound, isRefusal } from "@atoll/client/errors";
import { type Resource, toKey } from "@atoll/client/resource";
import type { Clock } from "@atoll/machinery/clock";
import type { ApiObject } from "@atoll/machinery/object";

const policies: readonly Resource<ApiObject>[] = ["Validating", "Mutating"].flatMap((does) =>
  [`${does}AdmissionPolicy`, `${does}AdmissionPolicyBinding`].map((kind) => ({
    group: "admissionregistration.k8s.io",
    version: "v1",
    kind,
    plural: kind.toLowerCase().replace(/y$/, "ie").concat("s"),
    namespaced: false,
  })),
);
/** Every kind of Atoll's own. */
export const kinds: readonly OwnKind[] = [...supervisorKinds, ...fleetKinds];
/** Those of others that it serves besides: on another Kubernetes they are somebody else's. */
const installed: readonly OwnKind[] = [...kinds, ...gatewayKinds, ClusterProfile];
/** What guards objects of a group's kinds, and what they make. */
const guardsOf: Readonly<Record<string, readonly ApiObject[]>> = {
  [supervisorGroup.group]: supervisorGuard,
  [fleetGroup.group]: accessGuard,
};
/** All of them. */
export const guards: readonly ApiObject[] = Object.values(guardsOf).flat();
const approvalAnnotation = "api-approved.kubernetes.io";
const withinMs = 30_000;

/**
 * Applies the definitions, and what guards them, and waits until they are served.
 * @param groups whose kinds are needed; all, if not told
 * @returns whether they could be; if not, somebody who may has to apply what `atoll crd` prints
 */
export async function installKinds(client: Client, clock: Clock, groups?: ReadonlySet<string>): Promise<boolean> {
  const needed = installed.filter(({ group }) => groups?.has(group) ?? true);
  const guarding = Object.entries(guardsOf).flatMap(([group, objects]) =>
    (groups?.has(group) ?? true) ? objects : [],
  );
  try {
    for (const kind of needed) {
      if (await isOthers(client, kind)) continue;
      const object = definitionOf(kind) as CustomResourceDefinition;
      await client.apply(CustomResourceDefinition, { object, force: true }, { fieldManager: "atoll" });
    }
    for (const object of guarding) {
      const resource = policies.find(({ kind }) => kind === object.kind);
      if (resource !== undefined) await client.apply(resource, { object, force: true }, { fieldManager: "atoll" });
    }
  } catch (error) {
    if (isRefusal(error, "Forbidden")) return false;
    throw error;
  }
  const endMs = clock.monotonicMs() + withinMs;
  for (const { plural, group } of needed) {
    while (!(await isEstablished(client, `${plural}.${group}`)) && clock.monotonicMs() < endMs) await clock.sleep(20);
  }
  return true;
}

/** Whether somebody has installed a definition of their own, as the Gateway API's: it is left alone. */
async function isOthers(client: Client, { plural, group, annotations }: OwnKind): Promise<boolean> {
  if (annotations === undefined) return false;
  const known = await client.get(CustomResourceDefinition, toKey(undefined, `${plural}.${group}`)).catch((error) => {
    if (isNotFound(error)) return undefined;
    throw error;
  });
  return known !== undefined && known.metadata.annotations?.[approvalAnnotation] !== annotations[approvalAnnotation];
}

async function isEstablished(client: Client, name: string): Promise<boolean> {
  const { status } = await client.get(CustomResourceDefinition, toKey(undefined, name));
  return status?.conditions?.some(({ type, status: holds }) => type === "Established" && holds === "True") ?? false;
}

/** Installs the kinds of Atoll's own where the process that needs them may do so. */
import { fleetKinds } from "@atoll/api/fleet/kinds";
import { definitionOf } from "@atoll/api/own/definition";
import { CustomResourceDefinition } from "@atoll/client/builtin";
import type { Client } from "@atoll/client/client";
import { isRefusal } from "@atoll/client/errors";
import { toKey } from "@atoll/client/resource";
import type { Clock } from "@atoll/machinery/clock";

const withinMs = 30_000;

/**
 * Applies the definitions and waits until they are served.
 * @returns whether they could be; if not, somebody who may has to apply what `atoll crd` prints
 */
export async function installKinds(client: Client, clock: Clock): Promise<boolean> {
  try {
    for (const kind of fleetKinds) {
      const object = definitionOf(kind) as CustomResourceDefinition;
      await client.apply(CustomResourceDefinition, { object, force: true }, { fieldManager: "atoll" });
    }
  } catch (error) {
    if (isRefusal(error, "Forbidden")) return false;
    throw error;
  }
  const endMs = clock.monotonicMs() + withinMs;
  for (const { plural, group } of fleetKinds) {
    while (!(await isEstablished(client, `${plural}.${group}`)) && clock.monotonicMs() < endMs) await clock.sleep(20);
  }
  return true;
}

async function isEstablished(client: Client, name: string): Promise<boolean> {
  const { status } = await client.get(CustomResourceDefinition, toKey(undefined, name));
  return status?.conditions?.some(({ type, status: holds }) => type === "Established" && holds === "True") ?? false;
}

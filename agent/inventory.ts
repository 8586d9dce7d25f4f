/**
 * What the agent has applied, kept in a Secret of the cluster, so that it can be removed without the hub and after any
 * crash. A Secret, because the names in it may be nobody else's business.
 */
import { Namespace, Secret } from "@atoll/client/builtin";
import type { Client } from "@atoll/client/client";
import { isAlreadyExists, isNotFound } from "@atoll/client/errors";
import { toKey } from "@atoll/client/resource";
import { deepEqual } from "@atoll/machinery/equal";
import type { Inventory } from "./plan.ts";

/** The agent's own namespace in the cluster. */
export const agentNamespace = "atoll-system";
/** The Secret with the record. */
export const appliedSecret = "fleet-agent-applied";
const field = "inventory.json";

/** The record of one cluster. */
export class InventoryRecord {
  readonly #client: Client;
  #known: Inventory | undefined;

  constructor(client: Client) {
    this.#client = client;
  }

  /** What is recorded; nothing at first. */
  async read(): Promise<Inventory> {
    this.#known ??= await this.#load();
    return this.#known;
  }

  /** Another hub counts anew, or the same one after it had let the cluster go; what was applied is still known. */
  async restart(): Promise<void> {
    const { objects } = await this.read();
    if (objects.length > 0 || (this.#known?.order ?? 0) > 0) await this.write({ order: 0, objects });
  }

  /** Records; no write when it is so already. */
  async write(inventory: Inventory): Promise<void> {
    if (deepEqual(this.#known, inventory)) return;
    const object = {
      metadata: { name: appliedSecret, namespace: agentNamespace },
      stringData: { [field]: JSON.stringify(inventory) },
    };
    if (this.#known === undefined || this.#known.objects.length === 0) await ensureAgentNamespace(this.#client);
    await this.#client.apply(Secret, { object, force: true }, { fieldManager: "atoll-fleet-agent" });
    this.#known = inventory;
  }

  async #load(): Promise<Inventory> {
    try {
      const { data } = await this.#client.get(Secret, toKey(agentNamespace, appliedSecret));
      return JSON.parse(Buffer.from(data?.[field] ?? "", "base64").toString()) as Inventory;
    } catch (error) {
      if (isNotFound(error)) return { order: 0, objects: [] };
      throw error;
    }
  }
}

/** Makes the agent's namespace in the cluster, unless it is there. */
export async function ensureAgentNamespace(client: Client): Promise<void> {
  try {
    await client.create(Namespace, { metadata: { name: agentNamespace } });
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
  }
}

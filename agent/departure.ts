/**
 * The agent's own end, once its cluster is detached: it takes away what the manifest brought (fleet/attach/manifest.ts), all but the
 * namespace, which may hold more. That it has begun is kept beside its identity, so that an agent that is killed meanwhile goes
 * on without the hub, where it is nobody any more.
 */
import { ClusterRoleBinding, Deployment, Secret, ServiceAccount } from "@atoll/client/builtin";
import type { Client } from "@atoll/client/client";
import { isNotFound } from "@atoll/client/errors";
import { type Resource, toKey } from "@atoll/client/resource";
import type { OwnerReference } from "@atoll/machinery/object";
import { identitySecret, leavingField } from "./identity.ts";
import { agentNamespace, appliedSecret } from "./inventory.ts";

const name = "fleet-agent";
const binding = "atoll-fleet-agent";
const secrets = [`${name}-join`, `${name}-pull`, appliedSecret, identitySecret];

/** How an agent leaves its cluster. */
export class Departure {
  readonly #client: Client;

  constructor(client: Client) {
    this.#client = client;
  }

  /** Whether it has begun, in this run or one before. */
  async begun(): Promise<boolean> {
    const secret = await this.#client.get(Secret, toKey(agentNamespace, identitySecret)).catch(ignoreGone);
    return Buffer.from(secret?.data?.[leavingField] ?? "", "base64").toString() === "true";
  }

  /** Keeps that it has begun. An agent without a Secret has nothing that outlives it. */
  async begin(): Promise<void> {
    const body = { stringData: { [leavingField]: "true" } };
    const key = toKey(agentNamespace, identitySecret);
    await this.#client.patch(Secret, { key, patch: { type: "merge", body } }).catch(ignoreGone);
  }

  /**
   * Takes everything away. Its right to do so is the last thing to go, and whatever runs it must not go before: so all that the
   * manifest brought is made to belong to the binding, and the garbage collector removes it after that.
   */
  async finish(): Promise<void> {
    const found = await this.#client.get(ClusterRoleBinding, toKey(undefined, binding)).catch(ignoreGone);
    if (found === undefined) {
      for (const secret of secrets) await this.#client.delete(Secret, toKey(agentNamespace, secret)).catch(ignoreGone);
      return;
    }
    const { uid = "" } = found.metadata;
    const owner = { apiVersion: "rbac.authorization.k8s.io/v1", kind: "ClusterRoleBinding", name: binding, uid };
    for (const secret of secrets) await this.#give(Secret, secret, owner);
    await this.#give(ServiceAccount, name, owner);
    await this.#give(Deployment, name, owner);
    await this.#client.delete(ClusterRoleBinding, toKey(undefined, binding), { propagation: "Background" });
  }

  async #give(resource: Resource, of: string, owner: OwnerReference): Promise<void> {
    const patch = { type: "merge" as const, body: { metadata: { ownerReferences: [owner] } } };
    await this.#client.patch(resource, { key: toKey(agentNamespace, of), patch }).catch(ignoreGone);
  }
}

function ignoreGone(error: unknown): undefined {
  if (!isNotFound(error)) throw error;
}

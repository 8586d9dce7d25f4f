/** Which agents are let in, as the hub has it now. */
import type { FleetCluster } from "@atoll/api/fleet/v1alpha1/fleetcluster";
import type { Informer } from "@atoll/client/informer/informer";
import { toKey } from "@atoll/client/resource";
import { agentPrefix } from "../cluster/names.ts";

/** An agent that was let in. */
export interface Admitted {
  readonly namespace: string;
  readonly cluster: FleetCluster;
}

/** What a presented certificate says. */
export interface Presented {
  readonly commonName: string;
  readonly keyHash: string;
  /** When it ends, ms since the epoch. */
  readonly endMs: number;
}

/** The agents' register: the FleetClusters, followed. */
export class Agents {
  readonly #clusters: Informer<FleetCluster>;
  readonly #onCut = new Map<string, Set<() => void>>();

  constructor(clusters: Informer<FleetCluster>) {
    this.#clusters = clusters;
    clusters.addIndex("home", ({ status }) => (status?.namespace === undefined ? [] : [status.namespace]));
    clusters.onChange(({ before, after }) => {
      for (const home of new Set([before?.status?.namespace, after?.status?.namespace]))
        for (const listener of this.#onCut.get(home ?? "") ?? []) listener();
    });
  }

  /** Whether an agent may come in; if not, why. */
  admit({ commonName, keyHash }: Omit<Presented, "endMs">): Admitted | string {
    if (!commonName.startsWith(agentPrefix)) return "the certificate is not an agent's";
    const namespace = commonName.slice(agentPrefix.length);
    const cluster = this.at(namespace);
    if (cluster === undefined) return "no such cluster is attached";
    if (cluster.spec.revoked === true) return "the cluster's agent is revoked";
    if (cluster.status?.agentKey !== keyHash) return "another key is registered for this cluster";
    if (cluster.status.fencedKey === keyHash) return "two agents use this identity; attach the cluster anew";
    return { namespace, cluster };
  }

  /** The cluster of a namespace on the hub; undefined when there is none. */
  at(namespace: string): FleetCluster | undefined {
    const [cluster] = this.#clusters.by("home", namespace);
    return cluster;
  }

  /** The namespace on the hub of a cluster that may be reached; undefined when there is none, or its agent is revoked. */
  homeOf(organization: string, cluster: string): string | undefined {
    const found = this.#clusters.get(toKey(organization, cluster));
    return found?.spec.revoked === true ? undefined : found?.status?.namespace;
  }

  /** Calls back whenever the answer of admit() may have changed for the agent of a namespace. @returns ends it */
  onChange(namespace: string, listener: () => void): () => void {
    const listeners = this.#onCut.get(namespace) ?? new Set();
    this.#onCut.set(namespace, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0 && this.#onCut.get(namespace) === listeners) this.#onCut.delete(namespace);
    };
  }
}

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
}

/** The agents' register: the FleetClusters, followed. */
export class Agents {
  readonly #clusters: Informer<FleetCluster>;
  readonly #onCut = new Set<() => void>();

  constructor(clusters: Informer<FleetCluster>) {
    this.#clusters = clusters;
    clusters.addIndex("home", ({ status }) => (status?.namespace === undefined ? [] : [status.namespace]));
    clusters.onChange(() => {
      for (const listener of this.#onCut) listener();
    });
  }

  /** Whether an agent may come in; if not, why. */
  admit({ commonName, keyHash }: Presented): Admitted | string {
    if (!commonName.startsWith(agentPrefix)) return "the certificate is not an agent's";
    const namespace = commonName.slice(agentPrefix.length);
    const [cluster] = this.#clusters.by("home", namespace);
    if (cluster === undefined) return "no such cluster is attached";
    if (cluster.spec.revoked === true) return "the cluster's agent is revoked";
    if (cluster.status?.agentKey !== keyHash) return "another key is registered for this cluster";
    if (cluster.status.fencedKey === keyHash) return "two agents use this identity; attach the cluster anew";
    return { namespace, cluster };
  }

  /** The namespace on the hub of a cluster that may be reached; undefined when there is none, or its agent is revoked. */
  homeOf(organization: string, cluster: string): string | undefined {
    const found = this.#clusters.get(toKey(organization, cluster));
    return found?.spec.revoked === true ? undefined : found?.status?.namespace;
  }

  /** Calls back whenever the answer of admit() may have changed. @returns ends it */
  onChange(listener: () => void): () => void {
    this.#onCut.add(listener);
    return () => this.#onCut.delete(listener);
  }
}

/**
 * What the cluster has, told to the hub: nodes, namespaces, workloads, quotas, and which deprecated versions of the API are
 * asked for. One object at the hub for each kind, written only when something of it is different.
 * Design: docs/rfd/0034-inventory.md
 */
import { ClusterInventory, mostItems } from "@atoll/api/fleet/v1alpha1/clusterinventory";
import {
  CronJob,
  DaemonSet,
  Deployment,
  Job,
  Namespace,
  Node,
  ResourceQuota,
  StatefulSet,
} from "@atoll/client/builtin";
import type { Client } from "@atoll/client/client";
import { isNotFound, isRefusal } from "@atoll/client/errors";
import { readLines } from "@atoll/client/lines";
import { type Resource, toKey } from "@atoll/client/resource";
import { type Clock, formatTime } from "@atoll/machinery/clock";
import { deepEqual } from "@atoll/machinery/equal";
import type { ApiObject } from "@atoll/machinery/object";
import {
  cronJobItem,
  daemonSetItem,
  deploymentItem,
  deprecatedItem,
  deprecatedSeries,
  type InventoryItem,
  jobItem,
  namespaceItem,
  nodeItem,
  quotaItem,
  statefulSetItem,
} from "./censusitems.ts";

interface CensusOptions {
  readonly hub: Client;
  /** The cluster's namespace there. */
  readonly hubNamespace: string;
  readonly cluster: Client;
  readonly clock: Clock;
}
type Spec = ClusterInventory["spec"];
/** What is told of one kind, beside when. */
type Facts = Omit<Spec, "time">;

/** Objects in memory at once. */
const pageSize = 200;
/** An API server's metrics are large, and change slowly: every so many censuses. */
const metricsEvery = 5;

interface Part {
  readonly kind: string;
  readonly plural: string;
  items(cluster: Client): Promise<InventoryItem[]>;
}

function part<T extends ApiObject>(resource: Resource<T>, itemOf: (object: T) => InventoryItem): Part {
  return {
    kind: resource.kind,
    plural: resource.plural,
    async items(cluster) {
      const items: InventoryItem[] = [];
      for await (const page of cluster.pages(resource, { limit: pageSize })) items.push(...page.items.map(itemOf));
      return items;
    },
  };
}

const parts: readonly Part[] = [
  part(Node, nodeItem),
  part(Namespace, namespaceItem),
  part(Deployment, deploymentItem),
  part(StatefulSet, statefulSetItem),
  part(DaemonSet, daemonSetItem),
  part(Job, jobItem),
  part(CronJob, cronJobItem),
  part(ResourceQuota, quotaItem),
];

/** Reads the metrics line by line: of megabytes a few lines are of interest. */
const deprecated: Part = {
  kind: "DeprecatedAPI",
  plural: "deprecatedapis",
  async items(cluster) {
    const { body } = await cluster.connection.stream({ method: "GET", path: "/metrics" });
    const items: InventoryItem[] = [];
    for await (const lines of readLines(body)) {
      for (const line of lines) {
        const item = line.startsWith(deprecatedSeries) ? deprecatedItem(line) : undefined;
        if (item !== undefined) items.push(item);
      }
    }
    return items;
  },
};

/** Tells the hub, again and again. */
export class Census {
  readonly #options: CensusOptions;
  /** What the hub has, by the kind's plural. */
  readonly #told = new Map<string, Facts>();
  #turn = 0;
  #time: string | undefined;

  constructor(options: CensusOptions) {
    this.#options = options;
  }

  /** When the cluster was looked at last, and the hub told. */
  get time(): string | undefined {
    return this.#time;
  }

  /** Looks, and tells what is different. @throws when the cluster or the hub does not answer */
  async tell(): Promise<void> {
    const { cluster, clock } = this.#options;
    const time = formatTime(clock.nowMs());
    const due = this.#turn % metricsEvery === 0 ? [...parts, deprecated] : parts;
    // One after the other: nobody waits, and the agent is to stay small.
    for (const each of due) await this.#tellPart(each, await factsOf(each, cluster), time);
    this.#turn += 1;
    this.#time = time;
  }

  async #tellPart({ plural: name }: Part, facts: Facts | undefined, time: string): Promise<void> {
    const before = this.#told.get(name);
    if (before !== undefined && deepEqual(before, facts)) return;
    const { hub, hubNamespace } = this.#options;
    const found = await absentWhenNotFound(hub.get(ClusterInventory, toKey(hubNamespace, name)));
    if (facts === undefined) {
      if (found !== undefined) await hub.delete(ClusterInventory, toKey(hubNamespace, name));
      this.#told.delete(name);
      return;
    }
    if (found === undefined) {
      const metadata = { name, namespace: hubNamespace };
      await hub.create(ClusterInventory, { metadata, spec: { ...facts, time } });
    } else {
      const { time: _, ...said } = found.spec;
      if (!deepEqual(said, facts)) await hub.update(ClusterInventory, { ...found, spec: { ...facts, time } });
    }
    this.#told.set(name, facts);
  }
}

/** @returns undefined where the cluster has no such kind. @throws when it does not answer */
async function factsOf({ kind, items }: Part, cluster: Client): Promise<Facts | undefined> {
  try {
    return bounded(kind, await items(cluster));
  } catch (error) {
    if (isNotFound(error)) return undefined;
    if (!isRefusal(error, "Forbidden")) throw error;
    return { kind, total: 0, unhealthy: 0, problem: error.message.slice(0, 1024), items: [] };
  }
}

/** All are counted; of too many, those that want somebody's attention are told before others. */
function bounded(kind: string, items: readonly InventoryItem[]): Facts {
  const ill = items.filter(({ healthy }) => !healthy);
  const told = items.length <= mostItems ? items : [...ill, ...items.filter(({ healthy }) => healthy)];
  return { kind, total: items.length, unhealthy: ill.length, items: told.slice(0, mostItems) };
}

async function absentWhenNotFound<T>(asked: Promise<T>): Promise<T | undefined> {
  return await asked.catch((error: unknown) => {
    if (isNotFound(error)) return undefined;
    throw error;
  });
}

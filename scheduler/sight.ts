/**
 * The world as the cache shows it, with what was decided but is not seen yet.
 */
import {
  Namespace,
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  PodDisruptionBudget,
  ReplicaSet,
  ReplicationController,
  Service,
  StatefulSet,
  StorageClass,
} from "@atoll/client/builtin";
import type { Cache } from "@atoll/client/informer/cache";
import { type AnyResource, toKey } from "@atoll/client/resource";
import type { LabelSelector, LabelSelectorObject } from "@atoll/machinery/selectors/labels";
import { matchesLabels, selectorOf } from "@atoll/machinery/selectors/labels";
import { controllerOf } from "@atoll/runtime/claims";
import type { Place } from "./places.ts";
import type { Labels, VolumeView, World } from "./world.ts";

/** All that is looked at. */
export const seen: readonly AnyResource[] = [
  Pod,
  Node,
  Namespace,
  PersistentVolumeClaim,
  PersistentVolume,
  StorageClass,
  PodDisruptionBudget,
  Service,
  ReplicaSet,
  StatefulSet,
  ReplicationController,
];

/** Looks into the cache. */
export class Sight implements VolumeView {
  readonly #cache: Cache;
  /** Claims by the name of the volume that was promised to them. */
  readonly #promises = new Map<string, string>();
  readonly #nominees = new Map<string, { readonly pod: Pod; readonly node: string }>();

  constructor(cache: Cache) {
    this.#cache = cache;
  }

  /** The world of these places. */
  worldOf(places: readonly Place[]): World {
    return {
      places,
      volumes: this,
      namespaceLabels: (name) => this.#namespaceLabels(name),
      peersOf: (pod) => this.#peersOf(pod),
      nominees: (node) => this.nominees(node),
    };
  }

  get budgets(): readonly PodDisruptionBudget[] {
    return this.#cache.list(PodDisruptionBudget);
  }

  claim(namespace: string, name: string): PersistentVolumeClaim | undefined {
    return this.#cache.get(PersistentVolumeClaim, toKey(namespace, name));
  }

  volume(name: string): PersistentVolume | undefined {
    return this.#cache.get(PersistentVolume, toKey(undefined, name));
  }

  volumes(): Iterable<PersistentVolume> {
    return this.#cache.informer(PersistentVolume).values();
  }

  storageClass(name: string): StorageClass | undefined {
    return name === "" ? undefined : this.#cache.get(StorageClass, toKey(undefined, name));
  }

  promised(volume: string): string | undefined {
    return this.#promises.get(volume);
  }

  /** A volume is to be this claim's, `namespace/name`; undefined takes it back. */
  promise(volume: string, claim: string | undefined): void {
    if (claim === undefined) this.#promises.delete(volume);
    else this.#promises.set(volume, claim);
  }

  /** Pods that wait for others to leave this node for them. */
  nominees(node: string): readonly Pod[] {
    if (this.#nominees.size === 0) return [];
    return [...this.#nominees.values()].filter((each) => each.node === node).map(({ pod }) => pod);
  }

  /** A Pod waits for room on a node; "" ends it. */
  nominate(pod: Pod, node: string): void {
    const { uid = "" } = pod.metadata;
    if (node === "") this.#nominees.delete(uid);
    else this.#nominees.set(uid, { pod, node });
  }

  #namespaceLabels(name: string): Labels | undefined {
    return this.#cache.get(Namespace, toKey(undefined, name))?.metadata.labels;
  }

  /** Source: plugins/helper/spread.go (DefaultSelector) */
  #peersOf(pod: Pod): LabelSelector | undefined {
    const { labels = {}, namespace = "" } = pod.metadata;
    const selector = this.#ownerSelector(pod);
    for (const { spec } of this.#cache.list(Service, { namespace })) {
      const own = Object.entries(spec?.selector ?? {});
      if (own.length === 0 || !own.every(([key, value]) => labels[key] === value)) continue;
      for (const [key, value] of own) selector.push({ key, operator: "In", values: [value] });
    }
    return selector.length === 0 || !matchesLabels(selector, labels) ? undefined : selector;
  }

  #ownerSelector(pod: Pod): LabelSelector[number][] {
    const owner = controllerOf(pod);
    if (owner === undefined) return [];
    const key = toKey(pod.metadata.namespace, owner.name);
    if (owner.kind === "ReplicationController") {
      const equal = this.#cache.get(ReplicationController, key)?.spec?.selector ?? {};
      return Object.entries(equal).map(([name, value]) => ({ key: name, operator: "In", values: [value] }));
    }
    const resource = { ReplicaSet, StatefulSet }[owner.kind as "ReplicaSet" | "StatefulSet"];
    const set = resource === undefined ? undefined : this.#cache.get<ReplicaSet | StatefulSet>(resource as never, key);
    return [...(selectorOf(set?.spec?.selector as LabelSelectorObject | undefined) ?? [])];
  }
}

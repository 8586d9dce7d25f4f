/**
 * The ConfigMaps and Secrets that Pods name, each followed by itself while some Pod needs it: a node may see only those.
 * Source: k8s.io/kubernetes/pkg/kubelet/util/manager (the watching manager)
 */
import { ConfigMap, Secret } from "@atoll/client/builtin";
import type { Client } from "@atoll/client/client";
import { Informer } from "@atoll/client/informer/informer";
import { type Resource, toKey } from "@atoll/client/resource";
import type { Clock } from "@atoll/machinery/clock";
import type { ApiObject } from "@atoll/machinery/object";

/** What objects are followed with. */
export interface ObjectsOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: () => number;
}

/** One object that a Pod holds on to. */
export interface Held<T> {
  /** As known now; undefined when there is none. */
  get(): T | undefined;
  /** Resolves when that is known. */
  readonly known: Promise<void>;
  /** Why it is not known. */
  problem(): Error | undefined;
  release(): void;
}

interface Followed {
  readonly informer: Informer;
  readonly listeners: Set<() => void>;
  problem: Error | undefined;
}

/** All objects that the Pods of a node name. */
export class NamedObjects {
  readonly #options: ObjectsOptions;
  readonly #followed = new Map<string, Followed>();

  constructor(options: ObjectsOptions) {
    this.#options = options;
  }

  /** Follows a ConfigMap; `changed` is called after each change. */
  configMap(namespace: string, name: string, changed: () => void): Held<ConfigMap> {
    return this.#hold(ConfigMap, { namespace, name }, changed);
  }

  /** Follows a Secret. */
  secret(namespace: string, name: string, changed: () => void): Held<Secret> {
    return this.#hold(Secret, { namespace, name }, changed);
  }

  /** Ends all watches. */
  close(): void {
    for (const { informer } of this.#followed.values()) informer.stop();
    this.#followed.clear();
  }

  #hold<T extends ApiObject>(
    resource: Resource<T>,
    { namespace, name }: { namespace: string; name: string },
    changed: () => void,
  ): Held<T> {
    const id = `${resource.plural}/${namespace}/${name}`;
    const followed = this.#followed.get(id) ?? this.#follow(id, resource, { namespace, name });
    const listener = () => changed();
    followed.listeners.add(listener);
    const { informer } = followed;
    return {
      get: () => informer.get(toKey(namespace, name)) as T | undefined,
      known: informer.whenSynced(),
      problem: () => (informer.synced ? undefined : followed.problem),
      release: () => {
        followed.listeners.delete(listener);
        if (followed.listeners.size > 0 || this.#followed.get(id) !== followed) return;
        informer.stop();
        this.#followed.delete(id);
      },
    };
  }

  #follow(id: string, resource: Resource, place: { namespace: string; name: string }): Followed {
    const selection = { namespace: place.namespace, fieldSelector: `metadata.name=${place.name}` };
    const listeners = new Set<() => void>();
    const informer = new Informer({
      ...this.#options,
      resource,
      selection,
      onError: (error) => {
        followed.problem = error instanceof Error ? error : new Error(String(error));
      },
    });
    const followed: Followed = { informer, listeners, problem: undefined };
    this.#followed.set(id, followed);
    informer.onChange(() => {
      for (const listener of listeners) listener();
    });
    void informer.start();
    return followed;
  }
}

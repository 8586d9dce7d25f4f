/** Which ConfigMaps and Secrets a Pod names, and what they hold. */
import type { ConfigMap, Pod, Secret } from "@atoll/client/builtin";
import { type Clock, endsWithin } from "@atoll/machinery/clock";
import { castOf } from "../lifecycle/world.ts";
import type { Sources } from "../translate/environment.ts";
import { VolumeUnfilled } from "./contents.ts";
import type { Held, NamedObjects } from "./objects.ts";

/** Names, each once. */
export interface References {
  readonly configMaps: ReadonlySet<string>;
  readonly secrets: ReadonlySet<string>;
}

/** What a Pod's volumes, variables and pull secrets name. */
function referencesOf(pod: Pod): References {
  const { spec } = pod;
  const volumes = spec.volumes ?? [];
  const projections = volumes.flatMap(({ projected }) => projected?.sources ?? []);
  const containers = castOf(pod).map(({ container }) => container);
  const whole = containers.flatMap(({ envFrom }) => envFrom ?? []);
  const single = containers.flatMap(({ env }) => env ?? []).map(({ valueFrom }) => valueFrom);
  return {
    configMaps: present([
      ...volumes.map(({ configMap }) => configMap?.name),
      ...projections.map(({ configMap }) => configMap?.name),
      ...whole.map(({ configMapRef }) => configMapRef?.name),
      ...single.map((source) => source?.configMapKeyRef?.name),
    ]),
    secrets: present([
      ...volumes.map(({ secret }) => secret?.secretName),
      ...projections.map(({ secret }) => secret?.name),
      ...whole.map(({ secretRef }) => secretRef?.name),
      ...single.map((source) => source?.secretKeyRef?.name),
      ...(spec.imagePullSecrets ?? []).map(({ name }) => name),
    ]),
  };
}

const present = (names: readonly (string | undefined)[]): ReadonlySet<string> =>
  new Set(names.filter((name) => name !== undefined));

const patienceMs = 10_000;

/** The objects that one Pod names, followed from its first moment to its last. */
export class PodObjects implements Sources {
  readonly #objects: NamedObjects;
  readonly #namespace: string;
  readonly #changed: () => void;
  readonly #configMaps = new Map<string, Held<ConfigMap>>();
  readonly #secrets = new Map<string, Held<Secret>>();

  constructor(objects: NamedObjects, pod: Pod, changed: () => void) {
    this.#objects = objects;
    this.#namespace = pod.metadata.namespace ?? "";
    this.#changed = changed;
    this.update(pod);
  }

  /** Follows also what the Pod names by now, as an ephemeral container does. */
  update(pod: Pod): void {
    const { configMaps, secrets } = referencesOf(pod);
    for (const name of configMaps) {
      if (this.#configMaps.has(name)) continue;
      this.#configMaps.set(name, this.#objects.configMap(this.#namespace, name, this.#changed));
    }
    for (const name of secrets) {
      if (this.#secrets.has(name)) continue;
      this.#secrets.set(name, this.#objects.secret(this.#namespace, name, this.#changed));
    }
  }

  /** Resolves when all of them are known. @throws {VolumeUnfilled} why one is not, after a while */
  async known(clock: Clock): Promise<void> {
    const held = [...this.#configMaps.values(), ...this.#secrets.values()];
    if (await endsWithin(clock, patienceMs, Promise.all(held.map(({ known }) => known)))) return;
    const cause = held.map((each) => each.problem()).find((each) => each !== undefined);
    throw new VolumeUnfilled(cause?.message ?? "timed out waiting for ConfigMaps and Secrets", { cause });
  }

  configMap(name: string): ConfigMap | undefined {
    return this.#configMaps.get(name)?.get();
  }

  secret(name: string): Secret | undefined {
    return this.#secrets.get(name)?.get();
  }

  release(): void {
    for (const held of [...this.#configMaps.values(), ...this.#secrets.values()]) held.release();
    this.#configMaps.clear();
    this.#secrets.clear();
  }
}

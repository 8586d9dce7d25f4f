/**
 * Which node has to do with which object, because of the pods that are bound to it.
 *
 *     node ◀─ pod ◀─ secret, config map, service account, claim of a device
 *               ◀─ claim ◀─ volume ◀─ secret
 *     node ◀─ volume attachment, resource slice
 *
 * Source: k8s.io/kubernetes/plugin/pkg/auth/authorizer/node/{graph,graph_populator}.go
 */
import type { PersistentVolume, Pod } from "@atoll/api/builtin/core/v1.types";
import { claimOf, neededBy, type Reference, secretsOf } from "./references.ts";

interface Placed {
  readonly node: string;
  readonly needed: ReadonlySet<Reference>;
}

interface Volume {
  readonly claim: Reference | undefined;
  readonly secrets: ReadonlySet<Reference>;
}

/** The graph. Keys are those of the store. */
export class NodeGraph {
  readonly #pods = new Map<string, Placed>();
  /** How many pods of each node need an object. */
  readonly #nodesOf = new Map<Reference, Map<string, number>>();
  readonly #volumes = new Map<string, Volume>();
  readonly #volumesOf = new Map<Reference, Set<string>>();
  /** Objects that say by themselves to which node they belong, by kind and name. */
  readonly #owners = new Map<string, string>();

  putPod(key: string, pod: Pod): void {
    this.dropPod(key);
    const node = pod.spec.nodeName;
    if (!node) return;
    const placed = { node, needed: neededBy(pod) };
    this.#pods.set(key, placed);
    for (const each of placed.needed) {
      const nodes = this.#nodesOf.get(each) ?? new Map<string, number>();
      nodes.set(node, (nodes.get(node) ?? 0) + 1);
      this.#nodesOf.set(each, nodes);
    }
  }

  dropPod(key: string): void {
    const placed = this.#pods.get(key);
    if (placed === undefined) return;
    this.#pods.delete(key);
    for (const each of placed.needed) this.#release(each, placed.node);
  }

  putVolume(name: string, object: PersistentVolume): void {
    this.dropVolume(name);
    const volume = { claim: claimOf(object), secrets: secretsOf(object) };
    if (volume.claim === undefined) return;
    this.#volumes.set(name, volume);
    for (const secret of volume.secrets) {
      const volumes = this.#volumesOf.get(secret) ?? new Set();
      this.#volumesOf.set(secret, volumes.add(name));
    }
  }

  dropVolume(name: string): void {
    for (const secret of this.#volumes.get(name)?.secrets ?? []) {
      const volumes = this.#volumesOf.get(secret);
      volumes?.delete(name);
      if (volumes?.size === 0) this.#volumesOf.delete(secret);
    }
    this.#volumes.delete(name);
  }

  /** @param node undefined: it belongs to none */
  own(kind: string, name: string, node: string | undefined): void {
    if (node) this.#owners.set(`${kind}/${name}`, node);
    else this.#owners.delete(`${kind}/${name}`);
  }

  /** Whether an object that names its node names this one. */
  owns(node: string, kind: string, name: string): boolean {
    return this.#owners.get(`${kind}/${name}`) === node;
  }

  /** Whether a pod of the node needs an object. */
  needs(node: string, object: Reference): boolean {
    if (this.#nodesOf.get(object)?.has(node) === true) return true;
    for (const volume of this.#volumesOf.get(object) ?? []) if (this.mounts(node, volume)) return true;
    return false;
  }

  /** Whether a pod of the node has the claim to which a volume is bound. */
  mounts(node: string, volume: string): boolean {
    const claim = this.#volumes.get(volume)?.claim;
    return claim !== undefined && this.#nodesOf.get(claim)?.has(node) === true;
  }

  #release(object: Reference, node: string): void {
    const nodes = this.#nodesOf.get(object);
    const left = (nodes?.get(node) ?? 1) - 1;
    if (left > 0) nodes?.set(node, left);
    else nodes?.delete(node);
    if (nodes?.size === 0) this.#nodesOf.delete(object);
  }
}

/** Worlds for tests: nodes, and Pods on them. */
import type { Node, PersistentVolume, PersistentVolumeClaim, Pod, StorageClass } from "@atoll/client/builtin";
import type { LabelSelector } from "@atoll/machinery/selectors/labels";
import type { Place } from "./places.ts";
import { Places } from "./places.ts";
import type { Labels, World } from "./world.ts";

/** What a test says of a world beside its places. */
export interface Beside {
  readonly namespaces?: Readonly<Record<string, Labels>>;
  readonly claims?: readonly PersistentVolumeClaim[];
  readonly volumes?: readonly PersistentVolume[];
  readonly classes?: readonly StorageClass[];
  readonly peers?: LabelSelector;
  readonly nominees?: Readonly<Record<string, readonly Pod[]>>;
}

/** A world of these places. */
export function worldOf(places: readonly Place[], beside: Beside = {}): World {
  const { namespaces = {}, claims = [], volumes = [], classes = [], peers, nominees = {} } = beside;
  return {
    places,
    volumes: {
      claim: (namespace, name) =>
        claims.find(({ metadata }) => metadata.namespace === namespace && metadata.name === name),
      volume: (name) => volumes.find(({ metadata }) => metadata.name === name),
      volumes: () => volumes,
      storageClass: (name) => classes.find(({ metadata }) => metadata.name === name),
      promised: () => undefined,
    },
    namespaceLabels: (name) => namespaces[name],
    peersOf: () => peers,
    nominees: (node) => nominees[node] ?? [],
  };
}

/** A Pod of namespace `work` with one container. */
export function podOf(name: string, spec: object = {}, metadata: object = {}): Pod {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, uid: name, namespace: "work", ...metadata },
    spec: { containers: [{ name: "c", image: "i" }], ...spec },
  } as unknown as Pod;
}

/** What containers of this much cpu are. */
export const cpu = (amount: string) => ({
  containers: [{ name: "c", image: "i", resources: { requests: { cpu: amount } } }],
});

/** A node with 1 core, 1 GiB and room for 10 Pods. */
export function nodeOf(name: string, labels: Labels = {}, spec: object = {}): Node {
  const status = { allocatable: { cpu: "1", memory: "1Gi", pods: "10" } };
  const metadata = { name, labels: { "kubernetes.io/hostname": name, ...labels } };
  return { apiVersion: "v1", kind: "Node", metadata, spec, status } as unknown as Node;
}

/** Places with Pods on them, by the names of the nodes. */
export function placesOf(
  nodes: readonly Node[],
  pods: Readonly<Record<string, readonly Pod[]>> = {},
): readonly Place[] {
  const places = new Places();
  for (const node of nodes) places.put(node);
  for (const [node, there] of Object.entries(pods)) for (const pod of there) places.book(pod, node);
  return places.list();
}

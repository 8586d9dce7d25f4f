/**
 * What a decision looks at, and the shape of a filter: it looks at a Pod and the world once, then at place after place.
 * Source: k8s.io/kubernetes/pkg/scheduler/framework/interface.go (PreFilter, Filter)
 */
import type { PersistentVolume, PersistentVolumeClaim, Pod, StorageClass } from "@atoll/client/builtin";
import type { LabelSelector } from "@atoll/machinery/selectors/labels";
import type { Place } from "./places.ts";

/** Labels of an object. */
export type Labels = Readonly<Record<string, string>>;

/** What of the world's changes lets a refused Pod be judged anew. */
export type Wake = "node" | "pod gone" | "pod" | "volume";

/** Why a Pod cannot go to a place. */
export interface Refusal {
  readonly reason: string;
  /** No Pod's going would help. */
  readonly isFinal: boolean;
}

/** Judges a place. An empty answer lets the Pod in. */
export type Test = (place: Place) => readonly Refusal[];

/** A reason to keep Pods from places. */
export interface Filter {
  readonly wakes: readonly Wake[];
  /** @returns a test of places; undefined: nothing to test; a text: why the Pod may go nowhere at all */
  prepare(pod: Pod, world: World): Test | string | undefined;
}

/** Volumes as they are known, with those taken into account that were promised in decisions. */
export interface VolumeView {
  claim(namespace: string, name: string): PersistentVolumeClaim | undefined;
  volume(name: string): PersistentVolume | undefined;
  volumes(): Iterable<PersistentVolume>;
  storageClass(name: string): StorageClass | undefined;
  /** The claim, as `namespace/name`, that a volume was promised to in a decision before. */
  promised(volume: string): string | undefined;
}

/** All that a decision looks at. */
export interface World {
  readonly places: readonly Place[];
  readonly volumes: VolumeView;
  namespaceLabels(name: string): Labels | undefined;
  /** What its Services and its owner select Pods by; undefined: none does. */
  peersOf(pod: Pod): LabelSelector | undefined;
  /** Pods that wait for others to leave this node for them. */
  nominees(node: string): readonly Pod[];
}

/** A test passed. */
export const fine: readonly Refusal[] = [];

/** The world with one place as it would be. */
export function withPlace(world: World, place: Place): World {
  const places = world.places.map((each) => (each.name === place.name ? place : each));
  return { ...world, places };
}

/** The importance of a Pod. */
export const priorityOf = ({ spec }: Pod): number => spec.priority ?? 0;

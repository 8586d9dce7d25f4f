/**
 * What is known of each node: what it gives, and what the Pods take that are on it or have been promised it. A Pod is
 * counted once, by its uid, so that a binding and the news of it do not book twice.
 */
import type { ContainerPort, PodSpec } from "@atoll/api/builtin/core/v1.types";
import type { Node, Pod } from "@atoll/client/builtin";
import type { Amounts } from "./requests.ts";
import { amountsOf, podRequests, weightOf } from "./requests.ts";

/** A node, and what is taken of it. */
export interface Place {
  readonly name: string;
  readonly node: Node;
  readonly allocatable: Amounts;
  /** Sums of what the Pods on it ask for. */
  readonly used: Amounts;
  /** The same for scores. */
  readonly weight: Amounts;
  readonly pods: ReadonlyMap<string, Pod>;
  readonly ports: readonly ContainerPort[];
  /** Of the Pods, those with affinity or anti-affinity to Pods. */
  readonly affine: ReadonlyMap<string, Pod>;
  /** Sizes of its images in bytes, by name. */
  readonly images: ReadonlyMap<string, number>;
}

interface Booking {
  readonly name: string;
  readonly allocatable: Amounts;
  readonly node: Node | undefined;
  readonly used: Map<string, number>;
  readonly weight: Map<string, number>;
  readonly pods: Map<string, Pod>;
  readonly affine: Map<string, Pod>;
  readonly images: ReadonlyMap<string, number>;
  ports: readonly ContainerPort[];
}

/** The host ports of containers and of sidecars, which run as long. */
export function hostPorts({ containers, initContainers }: PodSpec): readonly ContainerPort[] {
  const sidecars = (initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === "Always");
  return [...(containers ?? []), ...sidecars].flatMap(({ ports }) =>
    (ports ?? []).filter(({ hostPort = 0 }) => hostPort > 0),
  );
}

const isAffine = ({ affinity }: PodSpec): boolean =>
  affinity?.podAffinity !== undefined || affinity?.podAntiAffinity !== undefined;

function fresh(name: string): Booking {
  return {
    name,
    node: undefined,
    allocatable: new Map(),
    used: new Map(),
    weight: new Map(),
    pods: new Map(),
    affine: new Map(),
    images: new Map(),
    ports: [],
  };
}

/** Adds a Pod to a booking, or takes it away. */
function count(booking: Booking, pod: Pod, sign: 1 | -1): void {
  const { used, weight, pods, affine } = booking;
  const { spec, metadata } = pod;
  const uid = metadata.uid ?? "";
  if (sign === 1) pods.set(uid, pod);
  else pods.delete(uid);
  if (sign === -1) affine.delete(uid);
  else if (isAffine(spec)) affine.set(uid, pod);
  for (const [name, amount] of podRequests(spec)) used.set(name, (used.get(name) ?? 0) + sign * amount);
  for (const [name, amount] of weightOf(spec)) weight.set(name, (weight.get(name) ?? 0) + sign * amount);
  if (hostPorts(spec).length > 0) booking.ports = [...pods.values()].flatMap((each) => hostPorts(each.spec));
}

/** The place as it would be with some Pods more, or some fewer. */
export function changed(place: Place, { add = [], remove = [] }: { add?: readonly Pod[]; remove?: readonly Pod[] }) {
  const { used, weight, pods, affine } = place;
  const other: Booking & Place = {
    ...place,
    used: new Map(used),
    weight: new Map(weight),
    pods: new Map(pods),
    affine: new Map(affine),
  };
  for (const pod of remove) count(other, pod, -1);
  for (const pod of add) count(other, pod, 1);
  return other as Place;
}

/** All nodes. */
export class Places {
  readonly #bookings = new Map<string, Booking>();
  /** Node by Pod uid. */
  readonly #homes = new Map<string, string>();

  /** Nodes that are there, with what is taken of them. */
  list(): readonly Place[] {
    return [...this.#bookings.values()].filter((each): each is Booking & Place => each.node !== undefined);
  }

  /** A node is there, or has changed. */
  put(node: Node): void {
    const name = node.metadata.name ?? "";
    const allocatable = amountsOf(node.status?.allocatable as Record<string, string>);
    const images = new Map<string, number>();
    for (const { names, sizeBytes } of node.status?.images ?? []) {
      for (const each of names ?? []) images.set(each, Number(sizeBytes ?? 0));
    }
    this.#bookings.set(name, { ...(this.#bookings.get(name) ?? fresh(name)), node, allocatable, images });
  }

  /** A node is gone; Pods that are bound to it stay booked until they are gone too. */
  remove(name: string): void {
    this.#bookings.set(name, { ...(this.#bookings.get(name) ?? fresh(name)), node: undefined });
    this.#tidy(name);
  }

  /** Books a Pod on a node, instead of wherever it was booked. */
  book(pod: Pod, name: string): void {
    const { uid = "" } = pod.metadata;
    this.release(uid);
    const booking = this.#bookings.get(name) ?? fresh(name);
    this.#bookings.set(name, booking);
    this.#homes.set(uid, name);
    count(booking, pod, 1);
  }

  /** The Pod as it is booked. */
  booked(uid: string): Pod | undefined {
    return this.#bookings.get(this.#homes.get(uid) ?? "")?.pods.get(uid);
  }

  /** @returns whether the Pod was booked */
  release(uid: string): boolean {
    const name = this.#homes.get(uid);
    const booking = this.#bookings.get(name ?? "");
    const pod = booking?.pods.get(uid);
    if (name === undefined || booking === undefined || pod === undefined) return false;
    this.#homes.delete(uid);
    count(booking, pod, -1);
    this.#tidy(name);
    return true;
  }

  #tidy(name: string): void {
    const booking = this.#bookings.get(name);
    if (booking?.node === undefined && booking?.pods.size === 0) this.#bookings.delete(name);
  }
}

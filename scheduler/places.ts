/**
 * What is known of each node: what it gives, and what the Pods take that are on it or have been promised it. A Pod is
 * counted once, by its uid, so that a binding and the news of it do not book twice.
 */
import type { ContainerPort, PodSpec } from "@atoll/api/builtin/core/v1.types";
import type { Node, Pod } from "@atoll/client/builtin";
import type { Amounts } from "./requests.ts";
import { amountsOf, podRequests } from "./requests.ts";

/** A node, and what is taken of it. */
export interface Place {
  readonly node: Node;
  readonly allocatable: Amounts;
  /** Sums of the Pods on it. */
  readonly used: Amounts;
  readonly pods: ReadonlyMap<string, Pod>;
  readonly ports: readonly ContainerPort[];
}

interface Booking {
  readonly allocatable: Amounts;
  readonly node: Node | undefined;
  readonly used: Map<string, number>;
  readonly pods: Map<string, Pod>;
  ports: readonly ContainerPort[];
}

/** The host ports of containers and of sidecars, which run as long. */
export function hostPorts({ containers, initContainers }: PodSpec): readonly ContainerPort[] {
  const sidecars = (initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === "Always");
  return [...(containers ?? []), ...sidecars].flatMap(({ ports }) =>
    (ports ?? []).filter(({ hostPort = 0 }) => hostPort > 0),
  );
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
    this.#bookings.set(name, { ...this.#booking(name), node, allocatable });
  }

  /** A node is gone; Pods that are bound to it stay booked until they are gone too. */
  remove(name: string): void {
    this.#bookings.set(name, { ...this.#booking(name), node: undefined });
    this.#tidy(name);
  }

  /** Books a Pod on a node, instead of wherever it was booked. */
  book(pod: Pod, name: string): void {
    const { uid = "" } = pod.metadata;
    this.release(uid);
    const booking = this.#booking(name);
    this.#bookings.set(name, booking);
    this.#homes.set(uid, name);
    booking.pods.set(uid, pod);
    this.#count(booking, pod, 1);
  }

  /** @returns whether the Pod was booked */
  release(uid: string): boolean {
    const name = this.#homes.get(uid);
    const booking = this.#bookings.get(name ?? "");
    const pod = booking?.pods.get(uid);
    if (name === undefined || booking === undefined || pod === undefined) return false;
    this.#homes.delete(uid);
    booking.pods.delete(uid);
    this.#count(booking, pod, -1);
    this.#tidy(name);
    return true;
  }

  #booking(name: string): Booking {
    const fresh = { node: undefined, allocatable: new Map(), used: new Map(), pods: new Map(), ports: [] };
    return this.#bookings.get(name) ?? fresh;
  }

  #count(booking: Booking, { spec }: Pod, sign: 1 | -1): void {
    const { used, pods } = booking;
    for (const [name, amount] of podRequests(spec)) used.set(name, (used.get(name) ?? 0) + sign * amount);
    if (hostPorts(spec).length > 0) booking.ports = [...pods.values()].flatMap((pod) => hostPorts(pod.spec));
  }

  #tidy(name: string): void {
    const booking = this.#bookings.get(name);
    if (booking?.node === undefined && booking?.pods.size === 0) this.#bookings.delete(name);
  }
}

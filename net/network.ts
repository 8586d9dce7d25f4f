/**
 * A host's network as those see it who run machines: every pod has an address of its own on a tap of its own, and
 * nothing reaches it that was not let in. What is promised here holds across `kill -9` and restarts of the host.
 */

import type { PolicyPod } from "./policies/world.ts";

/** A pod that wants a place. */
export interface PodIdentity {
  /** metadata.uid: the same one gets the same place again. */
  readonly uid: string;
  /** Decides whose Services open a way to and from it. */
  readonly namespace: string;
  readonly name?: string;
  /** By which NetworkPolicies know it, from the moment it has a place. */
  readonly labels?: Readonly<Record<string, string>>;
  readonly ports?: PolicyPod["ports"];
  /** May call its host's own addresses over TCP, which others may not. */
  readonly reachesHost?: boolean;
}

/** A pod's place in the network. */
export interface Attachment {
  /** Name of the tap, which exists, is up and is nobody else's. */
  readonly tap: string;
  /** As `02:00:0a:4d:63:02`; packets with any other are dropped. */
  readonly mac: string;
  /** Dotted; a /32. */
  readonly address: string;
  /** On the link, whatever the address: the same for every pod. */
  readonly gateway: string;
  readonly mtu: number;
  /** Name servers to put into the pod's resolv.conf under ClusterFirst. */
  readonly dns: readonly string[];
}

/** The network of one host, of one data directory. */
export interface PodNetwork {
  /**
   * Gives a pod its place: recorded on disk before it is used, the same again for a pod that has one.
   * @throws {RangeExhausted} every address is taken
   * @throws {ProgramFailed} the host refused
   */
  attach(pod: PodIdentity): Promise<Attachment>;
  /** Takes the place away: rules first, then the tap, then the record. Nothing for a pod that has none. */
  detach(uid: string): Promise<void>;
  /** Every pod that has a place, also from before a restart. */
  attached(): ReadonlyMap<string, Attachment>;
}

/** What a node gives to the drivers of its Pods. */
import type { Client } from "@atoll/client/client";
import type { Machines } from "@atoll/crx/machines";
import type { PodNetwork } from "@atoll/net/network";
import type { Clock } from "@atoll/machinery/clock";
import type { Recorder } from "@atoll/runtime/events";
import type { Log } from "@atoll/runtime/log";
import type { LogLimits } from "../logs/keeper.ts";
import type { ServiceFacts } from "../translate/environment.ts";
import type { MachineSize } from "../translate/resources.ts";
import type { Datastore } from "../volumes/datastore.ts";
import type { NamedObjects } from "../volumes/objects.ts";
import type { Imagery } from "./imagery.ts";

/** Shared by all Pods of a node. */
export interface PodHost {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly recorder: Recorder;
  readonly machines: Machines;
  readonly imagery: Imagery;
  /** Without it machines have no network but their own loopback. */
  readonly network: PodNetwork | undefined;
  readonly objects: NamedObjects;
  readonly datastore: Datastore;
  /** Folder of what is kept of each Pod. */
  readonly folder: string;
  readonly hostIP: string;
  readonly clusterDomain: string;
  /** The host's own resolv.conf. */
  readonly hostResolv: string;
  /** What the largest machine may be. */
  readonly largest: MachineSize;
  readonly allocatable: Readonly<Record<string, string>>;
  readonly logLimits: LogLimits;
  /** Services whose variables a Pod of the namespace gets. */
  services(namespace: string): readonly ServiceFacts[];
  /** The seccomp program of `RuntimeDefault` for such capabilities. */
  seccomp(capabilities: bigint): Uint8Array;
}

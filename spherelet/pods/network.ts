/** What Pods need of the host's network. */

/** A Pod's place in the network. */
export interface Attachment {
  /** Name of the tap. */
  readonly tap: string;
  /** As `02:00:0a:4d:63:02`. */
  readonly mac: string;
  readonly address: string;
  /** On the link, whatever the address. */
  readonly gateway: string;
  readonly mtu?: number;
  /** Name servers of the cluster; none where there are none. */
  readonly dns: readonly string[];
}

/** Gives Pods their place. */
export interface PodNetwork {
  /** The same again for a Pod that has one. */
  attach(podUid: string): Promise<Attachment>;
  /** Does nothing for a Pod that has none. */
  detach(podUid: string): Promise<void>;
}

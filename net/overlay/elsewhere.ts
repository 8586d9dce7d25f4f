/** What a host knows of the others: where they are, and which of their pods may have to do with its own. */
import { AddressInvalid, formatAddress, overlap, parseRange, type Range } from "../address.ts";

/** Another host of the cluster. */
export interface Peer {
  /** Where it is on the network between hosts. */
  readonly address: string;
  /** Its pods, as `10.244.1.0/24`; nothing else is believed to come from there. */
  readonly range: string;
  /** It serves the API, which calls webhooks that are pods: it reaches pods here, as this host itself does. */
  readonly servesApi: boolean;
}

/** Everything beyond this host. */
export interface Elsewhere {
  /** The number of the cluster's overlay (VNI): the same on its hosts, another in another cluster. */
  readonly network: number;
  readonly peers: readonly Peer[];
  /** Namespaces by address, of the pods of other hosts that something here may be open for. */
  readonly sources: ReadonlyMap<string, string>;
}

/** Of a host that is alone. */
export const nowhere: Elsewhere = { network: 0, peers: [], sources: new Map() };

/** The address under which a host itself speaks to pods elsewhere: the first of its range, which no pod gets. */
export const addressOfHost = (range: string): string => formatAddress(parseRange(range).first);

/**
 * Those peers that can be had: with a range inside the cluster's that is not this host's or another's, at an address
 * other than this host's. What others say of themselves is not taken at its word.
 */
export function soundPeers(
  peers: readonly Peer[],
  { own, cluster, address }: { readonly own: string; readonly cluster: string; readonly address: string },
): readonly Peer[] {
  const taken = [parseRange(own)];
  const whole = parseRange(cluster);
  return peers.filter((peer) => {
    const range = rangeOf(peer.range);
    if (range === undefined || range.length < whole.length || !overlap(range, whole)) return false;
    if (peer.address === address || taken.some((other) => overlap(other, range))) return false;
    taken.push(range);
    return true;
  });
}

function rangeOf(text: string): Range | undefined {
  try {
    return parseRange(text);
  } catch (error) {
    if (error instanceof AddressInvalid) return undefined;
    throw error;
  }
}

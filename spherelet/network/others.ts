/**
 * What this host is told of the others, in its HostNetwork: as places that the network leads to, and as pods that
 * policies may mean. Pure.
 */
import type { HostNetwork } from "@atoll/api/supervisor/v1alpha1/hostnetwork";
import type { Elsewhere } from "@atoll/net/overlay/elsewhere";
import type { PolicyPod } from "@atoll/net/policies/world";

type Told = HostNetwork["spec"];

/** @param api address of the API, as this host reaches it */
export function elsewhereOf({ network, peers, namespaces }: Told, api: string): Elsewhere {
  return {
    network,
    peers: peers.map(({ address, range }) => ({ address, range, servesApi: address === api })),
    sources: new Map(namespaces.flatMap(({ name, addresses }) => addresses.map((address) => [address, name]))),
  };
}

/** Pods of other hosts. Those that only their namespace is known of are there for flat namespaces. */
export function podsElsewhere({ namespaces, pods }: Told): readonly PolicyPod[] {
  const named = pods.map(({ namespace, address, labels, ports }) => podAt(namespace, address, { labels, ports }));
  const known = new Set(pods.map(({ address }) => address));
  const others = namespaces.flatMap(({ name, addresses }) =>
    addresses.filter((address) => !known.has(address)).map((address) => podAt(name, address, nothing)),
  );
  return [...named, ...others];
}

const nothing = { labels: {}, ports: [] } as const;

function podAt(namespace: string, address: string, more: Pick<PolicyPod, "labels" | "ports">): PolicyPod {
  return { uid: `at ${address}`, namespace, name: address, address, ...more };
}

/** Where the hub's gateways are, as they say themselves: for whoever attaches a cluster. */
import { ConfigMap } from "@atoll/client/builtin";
import type { Client } from "@atoll/client/client";
import { toKey } from "@atoll/client/resource";

/** Where the fleet keeps what is its own on the hub. */
export const fleetNamespace = "atoll-fleet";
const configName = "gateway";

/** Where agents reach the gateways, and what proves them. */
export interface PublishedGateway {
  readonly url: string;
  /** PEM. */
  readonly ca: string;
}

/** Tells where the gateway is. */
export async function publishGateway(client: Client, { url, ca }: PublishedGateway): Promise<void> {
  const object = { metadata: { name: configName, namespace: fleetNamespace }, data: { url, "ca.crt": ca } };
  await client.apply(ConfigMap, { object, force: true }, { fieldManager: "atoll-gateway" });
}

/** Where the gateway said it is. @throws {StatusError} NotFound: none has served yet */
export async function publishedGateway(client: Client): Promise<PublishedGateway> {
  const { data = {} } = await client.get(ConfigMap, toKey(fleetNamespace, configName));
  return { url: data["url"] ?? "", ca: data["ca.crt"] ?? "" };
}

/** Whether it listens where a pod does not reach it. */
export const isLoopback = ({ url }: PublishedGateway): boolean =>
  /^(127\.|\[::1\]$|localhost$)/.test(new URL(url).hostname);

/**
 * The gateway's own certificates. One is self-signed, kept in a Secret that all gateways share, and given to agents; it vouches
 * for the one that each gateway makes for itself when it starts, so that agents go on whatever names a gateway gets.
 */
import { createHmac } from "node:crypto";
import { Namespace, Secret } from "@atoll/client/builtin";
import type { Client } from "@atoll/client/client";
import { isAlreadyExists } from "@atoll/client/errors";
import { toKey } from "@atoll/client/resource";
import type { Clock } from "@atoll/machinery/clock";
import { type ServingPair, selfSigned, vouchedFor } from "@atoll/runtime/certificates/selfsigned";
import { fleetNamespace } from "./published.ts";

const gatewaySecret = "gateway-tls";

/** What a gateway serves with. */
export interface GatewayPair extends ServingPair {
  /** PEM of what vouches for it. */
  readonly ca: string;
  /** What all gateways of the hub know, and nobody else who may not read their key. */
  readonly secret: string;
}

/** A pair for a gateway of this hub; what vouches for it is made by whoever comes first. @param names DNS names and addresses */
export async function servingPair(client: Client, clock: Clock, names: readonly string[]): Promise<GatewayPair> {
  await createUnlessThere(() => client.create(Namespace, { metadata: { name: fleetNamespace } }));
  const made = await selfSigned("atoll-fleet-gateway", names, clock.nowMs());
  await createUnlessThere(() =>
    client.create(Secret, {
      metadata: { name: gatewaySecret, namespace: fleetNamespace },
      type: "kubernetes.io/tls",
      stringData: { "tls.crt": made.cert, "tls.key": made.key },
    }),
  );
  const { data = {} } = await client.get(Secret, toKey(fleetNamespace, gatewaySecret));
  const text = (field: string) => Buffer.from(data[field] ?? "", "base64").toString();
  const ca = text("tls.crt");
  const key = text("tls.key");
  const secret = createHmac("sha256", key).update("secret of the gateways").digest("hex");
  return { ...(await vouchedFor({ cert: ca, key }, names, clock.nowMs())), ca, secret };
}

async function createUnlessThere(create: () => Promise<unknown>): Promise<void> {
  try {
    await create();
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
  }
}

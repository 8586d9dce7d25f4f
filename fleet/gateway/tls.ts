/** The gateway's own certificate: self-signed, kept in a Secret that all gateways share, named in what agents are given. */
import { Namespace, Secret } from "@atoll/client/builtin";
import type { Client } from "@atoll/client/client";
import { isAlreadyExists } from "@atoll/client/errors";
import { toKey } from "@atoll/client/resource";
import type { Clock } from "@atoll/machinery/clock";
import { type ServingPair, selfSigned } from "@atoll/runtime/certificates/selfsigned";
import { fleetNamespace } from "./published.ts";

const gatewaySecret = "gateway-tls";

/** The pair of this hub's gateways; made by whoever comes first. @param names DNS names and addresses */
export async function servingPair(client: Client, clock: Clock, names: readonly string[]): Promise<ServingPair> {
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
  return { cert: text("tls.crt"), key: text("tls.key") };
}

async function createUnlessThere(create: () => Promise<unknown>): Promise<void> {
  try {
    await create();
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
  }
}

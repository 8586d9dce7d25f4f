/**
 * A client of the server under test, as its admin.
 */
import { Namespace, ServiceAccount } from "@atoll/client/builtin";
import { Client } from "@atoll/client/client";
import { isNotFound } from "@atoll/client/errors";
import type { Transport } from "@atoll/client/transport";
import { type Clock, systemClock } from "@atoll/machinery/clock";
import { nodeTransport } from "@atoll/runtime/transport";
import type { Harness } from "./server.ts";

/** The network's way to the server. */
export function transportTo(harness: Pick<Harness, "url" | "tls">, clock: Clock = systemClock): Transport {
  const identity = { tls: async () => harness.tls, authorization: async () => undefined };
  return nodeTransport({ server: harness.url, identity, clock });
}

/** A client over a transport, by default the network's. */
export function clientOf(
  harness: Pick<Harness, "url" | "tls">,
  transport: Transport = transportTo(harness),
  clock: Clock = systemClock,
): Client {
  return new Client({ transport, clock, userAgent: "atoll-test" });
}

const shortestPauseMs = 5;
const longestPauseMs = 200;

/** Asks until the answer is yes, ever less often. @throws {Error} with what was waited for, after `withinMs` */
export async function eventually(
  what: string,
  ask: () => boolean | Promise<boolean>,
  withinMs = 10_000,
): Promise<void> {
  const beganMs = systemClock.monotonicMs();
  while (!(await ask())) {
    const waitedMs = systemClock.monotonicMs() - beganMs;
    if (waitedMs > withinMs) throw new Error(`not within ${withinMs} ms: ${what}`);
    await systemClock.sleep(Math.min(Math.max(waitedMs / 10, shortestPauseMs), longestPauseMs));
  }
}

/** Whether what was asked for is no longer there. @throws whatever else went wrong */
export async function isGone(asked: Promise<unknown>): Promise<boolean> {
  return await asked.then(
    () => false,
    (error: unknown) => {
      if (isNotFound(error)) return true;
      throw error;
    },
  );
}

/** Makes a namespace in which Pods can be made: with the ServiceAccount that a controller would make. */
export async function makeNamespace(client: Client, name: string): Promise<void> {
  await client.create(Namespace, { metadata: { name } });
  await client.create(ServiceAccount, { metadata: { name: "default", namespace: name } });
}

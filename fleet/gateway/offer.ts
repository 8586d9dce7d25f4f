/**
 * Making room for a cluster: its FleetCluster, and its agent's join token, good once, for ten minutes. Only the token's
 * hash is kept, in a Secret of the cluster's namespace. Nothing here needs Node: the console attaches clusters too.
 */
import { FleetCluster } from "@atoll/api/fleet/v1alpha1/fleetcluster";
import { Secret } from "@atoll/client/builtin";
import type { Client } from "@atoll/client/client";
import { isAlreadyExists } from "@atoll/client/errors";
import { toKey } from "@atoll/client/resource";
import { type Clock, formatTime } from "@atoll/machinery/clock";

/** The Secret that holds the hash. */
export const tokenSecret = "join-token";
const lifeMs = 10 * 60_000;
const tokenBytes = 24;
const homeWithinMs = 30_000;
const lookEveryMs = 50;

/** A cluster that is to come. */
export interface Expected {
  /** Namespace of the organization. */
  readonly organization: string;
  readonly name: string;
  /** undefined: in none. */
  readonly group?: string | undefined;
}

/**
 * Tells the hub of a cluster, unless it knows.
 * @returns the namespace that the fleet's controllers gave it
 * @throws {StatusError} as the hub refuses; {Error} the controllers do not answer
 */
export async function expectCluster(client: Client, expected: Expected, clock: Clock): Promise<string> {
  const { organization, name, group } = expected;
  const spec = group === undefined ? {} : { group };
  await client.create(FleetCluster, { metadata: { name, namespace: organization }, spec }).catch((error: unknown) => {
    if (!isAlreadyExists(error)) throw error;
  });
  const endMs = clock.monotonicMs() + homeWithinMs;
  for (;;) {
    const { status } = await client.get(FleetCluster, toKey(organization, name));
    if (status?.namespace !== undefined) return status.namespace;
    if (clock.monotonicMs() > endMs) throw new Error("the fleet controllers did not answer: do they run?");
    await clock.sleep(lookEveryMs);
  }
}

/** Makes a token; an earlier one of the cluster is void. @returns `NAMESPACE.SECRET` */
export async function makeToken(client: Client, namespace: string, clock: Clock): Promise<string> {
  const secret = hex(crypto.getRandomValues(new Uint8Array(tokenBytes)));
  const stringData = { hash: await digestOf(secret), expires: formatTime(clock.nowMs() + lifeMs) };
  const object = { metadata: { name: tokenSecret, namespace }, type: "fleet.atoll.dev/join-token", stringData };
  await client.apply(Secret, { object, force: true }, { fieldManager: "atoll-fleet" });
  return `${namespace}.${secret}`;
}

/** SHA-256, in hexadecimal digits. */
export const digestOf = async (text: string): Promise<string> =>
  hex(new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text))));

const hex = (bytes: Uint8Array): string => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");

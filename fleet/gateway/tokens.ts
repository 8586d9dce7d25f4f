/**
 * Join tokens: good once, for ten minutes, for one cluster. Only their hash is kept, in a Secret of the cluster's
 * namespace.
 */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { Secret } from "@atoll/client/builtin";
import type { Client } from "@atoll/client/client";
import { isConflict, isNotFound } from "@atoll/client/errors";
import { toKey } from "@atoll/client/resource";
import { type Clock, formatTime, parseTime } from "@atoll/machinery/clock";

const secretName = "join-token";
const lifeMs = 10 * 60_000;

/** Makes a token; an earlier one of the cluster is void. @returns `NAMESPACE.SECRET` */
export async function makeToken(client: Client, namespace: string, clock: Clock): Promise<string> {
  const secret = randomBytes(24).toString("base64url");
  const stringData = { hash: hashOf(secret), expires: formatTime(clock.nowMs() + lifeMs) };
  const object = { metadata: { name: secretName, namespace }, type: "fleet.atoll.dev/join-token", stringData };
  await client.apply(Secret, { object, force: true }, { fieldManager: "atoll-fleet" });
  return `${namespace}.${secret}`;
}

/**
 * Takes a token: whoever presents it a second time, or at the same moment, is refused.
 * @returns the namespace it is for; undefined when it is not good
 */
export async function takeToken(client: Client, token: string, clock: Clock): Promise<string | undefined> {
  const [namespace = "", secret = "", ...more] = token.split(".");
  if (!/^[a-z0-9-]{1,63}$/.test(namespace) || secret === "" || more.length > 0) return undefined;
  try {
    const found = await client.get(Secret, toKey(namespace, secretName));
    const { hash = "", expires = "" } = Object.fromEntries(
      Object.entries(found.data ?? {}).map(([name, value]) => [name, Buffer.from(value, "base64").toString()]),
    );
    if (!isSame(hash, hashOf(secret)) || parseTime(expires) <= clock.nowMs()) return undefined;
    const { uid, resourceVersion } = found.metadata;
    // The delete decides between two who come at once.
    await client.delete(Secret, toKey(namespace, secretName), { uid, resourceVersion });
    return namespace;
  } catch (error) {
    if (isNotFound(error) || isConflict(error)) return undefined;
    throw error;
  }
}

function hashOf(secret: string): string {
  return createHash("sha256").update(secret).digest("hex");
}

function isSame(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

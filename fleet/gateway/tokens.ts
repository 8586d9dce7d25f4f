/** Join tokens, as they are taken: each once. What fails after a token was taken gives it back. */
import { createHash, timingSafeEqual } from "node:crypto";
import { Secret } from "@atoll/client/builtin";
import type { Client } from "@atoll/client/client";
import { isConflict, isNotFound } from "@atoll/client/errors";
import { toKey } from "@atoll/client/resource";
import { type Clock, parseTime } from "@atoll/machinery/clock";
import { tokenSecret } from "./offer.ts";

/** A token that was good. */
interface Taken {
  /** The namespace it is for. */
  readonly namespace: string;
  /** Makes it good again, until the same time, unless another was made meanwhile. */
  giveBack(): Promise<void>;
}

/**
 * Takes a token: whoever presents it a second time, or at the same moment, is refused.
 * @returns undefined when it is not good
 */
export async function takeToken(client: Client, token: string, clock: Clock): Promise<Taken | undefined> {
  const [namespace = "", secret = "", ...more] = token.split(".");
  if (!/^[a-z0-9-]{1,63}$/.test(namespace) || secret === "" || more.length > 0) return undefined;
  try {
    const found = await client.get(Secret, toKey(namespace, tokenSecret));
    const { hash = "", expires = "" } = Object.fromEntries(
      Object.entries(found.data ?? {}).map(([name, value]) => [name, Buffer.from(value, "base64").toString()]),
    );
    if (!isSame(hash, hashOf(secret)) || parseTime(expires) <= clock.nowMs()) return undefined;
    const { uid, resourceVersion } = found.metadata;
    // The delete decides between two who come at once.
    await client.delete(Secret, toKey(namespace, tokenSecret), { uid, resourceVersion });
    return { namespace, giveBack: async () => await putBack(client, namespace, found) };
  } catch (error) {
    if (isNotFound(error) || isConflict(error)) return undefined;
    throw error;
  }
}

async function putBack(client: Client, namespace: string, { data, type }: Secret): Promise<void> {
  const metadata = { name: tokenSecret, namespace };
  await client.create(Secret, { metadata, ...(data && { data }), ...(type && { type }) });
}

function hashOf(secret: string): string {
  return createHash("sha256").update(secret).digest("hex");
}

function isSame(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

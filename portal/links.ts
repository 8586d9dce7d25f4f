/**
 * One-time links: whoever has a credential seals it into a Secret; whoever has the link opens it, once.
 * Design: docs/rfd/0030-console.md
 */
import { Namespace, Role, RoleBinding, Secret } from "@atoll/client/builtin";
import type { Client } from "@atoll/client/client";
import { isAlreadyExists, isConflict, isNotFound } from "@atoll/client/errors";
import { toKey } from "@atoll/client/resource";
import { formatTime, parseTime } from "@atoll/machinery/clock";
import { type Credential, nameOfKey, newSealKey, seal, unseal } from "./credential.ts";

/** Where links wait. */
const linkNamespace = "atoll-console";
/** Who the console is to the API server. */
export const consoleUser = "atoll:console";

const linkMs = 10 * 60_000;
const expiry = "console.atoll.dev/expires";
const label = "console.atoll.dev/link";

/** The link has been used, is too old, or never was. */
export class LinkSpent extends Error {
  override readonly name = "LinkSpent";
}

/**
 * Makes a link, and what the console needs to open it.
 * @param client somebody who may write Roles and Secrets in the links' namespace
 * @returns the fragment of the link: good once, for ten minutes
 */
export async function offerLink(client: Client, credential: Credential): Promise<string> {
  await makeRoom(client);
  await sweepLinks(client);
  const key = newSealKey();
  const expires = formatTime(client.connection.clock.nowMs() + linkMs);
  await client.create(Secret, {
    metadata: {
      name: nameOfKey(key),
      namespace: linkNamespace,
      labels: { [label]: "" },
      annotations: { [expiry]: expires },
    },
    type: "console.atoll.dev/sign-in",
    stringData: { sealed: seal(credential, key) },
  });
  return key.toString("base64url");
}

/**
 * Opens a link; it is spent then.
 * @throws {LinkSpent}
 */
export async function openLink(client: Client, fragment: string): Promise<Credential> {
  const key = Buffer.from(fragment, "base64url");
  if (key.length !== newSealKey().length) throw new LinkSpent("this is no sign-in link");
  const name = toKey(linkNamespace, nameOfKey(key));
  try {
    const { metadata, data = {} } = await client.get(Secret, name);
    await client.delete(Secret, name, { uid: metadata.uid });
    if (parseTime(metadata.annotations?.[expiry] ?? "") < client.connection.clock.nowMs()) {
      throw new LinkSpent("this link is too old");
    }
    return unseal(Buffer.from(data["sealed"] ?? "", "base64").toString("utf8"), key);
  } catch (error) {
    if (isNotFound(error) || isConflict(error)) throw new LinkSpent("this link has been used, or is too old");
    throw error;
  }
}

/** The namespace, and the console's right to open and spend what is in it. */
async function makeRoom(client: Client): Promise<void> {
  const metadata = { name: "sign-in", namespace: linkNamespace };
  await unlessThere(client.create(Namespace, { metadata: { name: linkNamespace } }));
  const rules = [{ apiGroups: [""], resources: ["secrets"], verbs: ["get", "delete"] }];
  await unlessThere(client.create(Role, { metadata, rules }));
  const subjects = [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: consoleUser }];
  const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: metadata.name };
  await unlessThere(client.create(RoleBinding, { metadata, subjects, roleRef }));
}

async function sweepLinks(client: Client): Promise<void> {
  const { items } = await client.list(Secret, { namespace: linkNamespace, labelSelector: label });
  for (const { metadata } of items) {
    if (parseTime(metadata.annotations?.[expiry] ?? "") > client.connection.clock.nowMs()) continue;
    await client.delete(Secret, toKey(linkNamespace, metadata.name ?? "")).catch((error: unknown) => {
      if (!isNotFound(error)) throw error;
    });
  }
}

async function unlessThere(making: Promise<unknown>): Promise<void> {
  await making.catch((error: unknown) => {
    if (!isAlreadyExists(error)) throw error;
  });
}

/** Kinds of Atoll's own, served by the server under test. */
import { definitionOf } from "@atoll/api/own/definition";
import type { OwnKind } from "@atoll/api/own/kind";
import { CustomResourceDefinition } from "@atoll/client/builtin";
import type { Client } from "@atoll/client/client";
import { eventually } from "./client.ts";

/** Installs kinds and waits until they are served. */
export async function serveKinds(client: Client, kinds: readonly OwnKind[]): Promise<void> {
  for (const kind of kinds) {
    await client.create(CustomResourceDefinition, definitionOf(kind) as CustomResourceDefinition);
  }
  await eventually("the kinds are served", async () => {
    const found = await client.list(CustomResourceDefinition);
    return found.items.every(({ status }) =>
      status?.conditions?.some(({ type, status: holds }) => type === "Established" && holds === "True"),
    );
  });
}

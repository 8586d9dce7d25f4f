/**
 * Removes Nodes whose hosts have said that they left: a host may not do that itself. The range, the lease, machines that were
 * told and pods that are still bound go as for any Node that is deleted.
 * Source: docs/rfd/0033-hosts-leaving.md
 */
import { leftAnnotation } from "@atoll/api/supervisor/annotations";
import { Node } from "@atoll/client/builtin";
import { isConflict, isNotFound } from "@atoll/client/errors";
import { deletionOf } from "@atoll/runtime/claims";
import { type Controller, defineController, settled } from "@atoll/runtime/controller";

/** Removes Nodes of hosts that left. */
export const departureController: Controller = defineController({
  name: "host-departure-controller",
  for: Node,
  reads: [],
  writes: [deletionOf(Node, "its host has left")],
  async reconcile(key, { cache, client, log }) {
    const node = cache.get(Node, key);
    if (node === undefined || node.metadata.deletionTimestamp !== undefined) return settled;
    const { annotations, uid } = node.metadata;
    // One that came back under the name is another.
    if (annotations?.[leftAnnotation] !== uid) return settled;
    await client.delete(node).catch((error: unknown) => {
      if (!isNotFound(error) && !isConflict(error)) throw error;
    });
    log.info("a host has left", { node: key });
    return settled;
  },
});

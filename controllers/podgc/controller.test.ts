import assert from "node:assert/strict";
import test from "node:test";
import { Node, Pod } from "@atoll/client/builtin";
import { toKey } from "@atoll/client/resource";
import { clientOf, eventually, makeNamespace } from "@atoll/harness/client";
import { ManualClock } from "@atoll/harness/clock";
import { startControllers } from "@atoll/harness/controllers";
import { startHarness } from "@atoll/harness/server";
import { systemClock } from "@atoll/machinery/clock";
import { podGcController } from "./controller.ts";

test("Pods of a node that is gone are cleared away, but only after a while", async () => {
  await using harness = await startHarness();
  const client = clientOf(harness);
  const clock = new ManualClock(systemClock.nowMs());
  await using workshop = startControllers(harness, [podGcController()], { clock });
  await makeNamespace(client, "gc");
  await client.create(Node, { metadata: { name: "stays" } });
  for (const nodeName of ["stays", "gone"]) {
    const spec = { nodeName, containers: [{ name: "c", image: "i" }] };
    await client.create(Pod, { metadata: { name: nodeName, namespace: "gc" }, spec });
  }
  await eventually("the caches are there", () => workshop.running.synced);
  const names = async () =>
    (await client.list(Pod, { namespace: "gc" })).items.map(({ metadata }) => metadata.name).join(" ");
  await clock.advance(50_000);
  assert.equal(await names(), "gone stays");
  await clock.advance(20_000);
  await eventually("the Pod is cleared away", async () => (await names()) === "stays");
  assert.equal((await client.get(Pod, toKey("gc", "stays"))).status.phase, "Pending");
});

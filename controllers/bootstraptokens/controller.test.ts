import assert from "node:assert/strict";
import { test } from "node:test";
import { Secret } from "@atoll/client/builtin";
import { clientOf, eventually } from "@atoll/harness/client";
import { startControllers } from "@atoll/harness/controllers";
import { startHarness } from "@atoll/harness/server";
import { formatTime, systemClock } from "@atoll/machinery/clock";
import { tokenCleaner } from "./controller.ts";

test("a bootstrap token whose time is over is deleted, and others stay", async () => {
  await using harness = await startHarness();
  const client = clientOf(harness);
  await using _ = startControllers(harness, [tokenCleaner]);
  const make = async (name: string, type: string, afterMs: number) => {
    const stringData = { expiration: formatTime(systemClock.nowMs() + afterMs) };
    await client.create(Secret, { metadata: { name, namespace: "kube-system" }, type, stringData });
  };
  const type = "bootstrap.kubernetes.io/token";
  await make("bootstrap-token-aaaaaa", type, 3_600_000);
  await make("mine", "Opaque", -1000);
  await make("bootstrap-token-bbbbbb", type, -1000);
  await make("bootstrap-token-cccccc", type, 1500);
  const left = async () =>
    (await client.list(Secret, { namespace: "kube-system" })).items.map(({ metadata }) => metadata.name);
  await eventually("two are gone", async () => (await left()).length === 2);
  assert.deepEqual(await left(), ["bootstrap-token-aaaaaa", "mine"]);
});

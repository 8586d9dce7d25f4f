import assert from "node:assert/strict";
import test from "node:test";
import { ConfigMap, Namespace, ServiceAccount } from "@atoll/client/builtin";
import { toKey } from "@atoll/client/resource";
import { clientOf, eventually } from "@atoll/harness/client";
import { startControllers } from "@atoll/harness/controllers";
import { startHarness } from "@atoll/harness/server";
import { rootCaController } from "../rootca/controller.ts";
import { serviceAccountController } from "./controller.ts";

test("each namespace gets its ServiceAccount and root CA, and gets them back when they go or change", async () => {
  await using harness = await startHarness();
  const client = clientOf(harness);
  await using workshop = startControllers(harness, [serviceAccountController, rootCaController("PEM")]);
  await client.create(Namespace, { metadata: { name: "fresh" } });
  const account = () => client.get(ServiceAccount, toKey("fresh", "default")).catch(() => undefined);
  const ca = () => client.get(ConfigMap, toKey("fresh", "kube-root-ca.crt")).catch(() => undefined);
  const both = async () => (await account()) !== undefined && (await ca())?.data?.["ca.crt"] === "PEM";
  await eventually("both are there", both);
  for (const { metadata } of (await client.list(Namespace)).items) {
    assert.ok(await client.get(ServiceAccount, toKey(metadata.name, "default")));
  }
  await client.delete(ServiceAccount, toKey("fresh", "default"));
  await client.delete(ConfigMap, toKey("fresh", "kube-root-ca.crt"));
  await eventually("both are back", both);
  const patch = { type: "merge", body: { data: { "ca.crt": "FORGED", more: "x" } } } as const;
  await client.patch(ConfigMap, { key: toKey("fresh", "kube-root-ca.crt"), patch });
  await eventually("the CA is as it was", both);
  assert.deepEqual(Object.keys((await ca())?.data ?? {}), ["ca.crt"]);
  await workshop.quiet();
  const done = workshop.faults.writes.length;
  await workshop.quiet(300);
  assert.equal(workshop.faults.writes.length, done);
  assert.deepEqual(workshop.complaints, []);
});

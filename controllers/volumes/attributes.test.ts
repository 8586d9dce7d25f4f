import assert from "node:assert/strict";
import test, { after } from "node:test";
import { PersistentVolumeClaim, VolumeAttributesClass } from "@atoll/client/builtin";
import { toKey } from "@atoll/client/resource";
import { clientOf, eventually, isGone } from "@atoll/harness/client";
import { startControllers } from "@atoll/harness/controllers";
import { startHarness } from "@atoll/harness/server";
import { attributesProtection } from "./protection.ts";

const harness = await startHarness();
const client = clientOf(harness);
after(() => harness.close());

const fast = toKey(undefined, "fast");

test("a class of attributes stays while a claim names it, though it is told to go", async () => {
  await using workshop = startControllers(harness, [attributesProtection]);
  await client.create(VolumeAttributesClass, {
    metadata: { name: "fast" },
    driverName: "d.example.com",
    parameters: { a: "b" },
  });
  await client.create(PersistentVolumeClaim, {
    metadata: { name: "data", namespace: "default" },
    spec: {
      accessModes: ["ReadWriteOnce"],
      resources: { requests: { storage: "1Gi" } },
      volumeAttributesClassName: "fast",
    },
  });
  await client.delete(VolumeAttributesClass, fast);
  await workshop.quiet();
  const { metadata } = await client.get(VolumeAttributesClass, fast);
  assert.ok(metadata.deletionTimestamp);
  const claim = {
    key: toKey("default", "data"),
    patch: { type: "merge", body: { metadata: { finalizers: null } } },
  } as const;
  await client.patch(PersistentVolumeClaim, claim);
  await client.delete(PersistentVolumeClaim, claim.key);
  await eventually("the class goes", () => isGone(client.get(VolumeAttributesClass, fast)));
});

import assert from "node:assert/strict";
import test, { after, before } from "node:test";
import { PersistentVolumeClaim, VolumeAttributesClass } from "@atoll/client/builtin";
import type { Client } from "@atoll/client/client";
import { isNotFound } from "@atoll/client/errors";
import { toKey } from "@atoll/client/resource";
import { clientOf, eventually } from "@atoll/harness/client";
import { startControllers } from "@atoll/harness/controllers";
import { type Harness, startHarness } from "@atoll/harness/server";
import { attributesProtection } from "./protection.ts";

let harness: Harness;
let client: Client;
before(async () => {
  harness = await startHarness();
  client = clientOf(harness);
});
after(() => harness.close());

const fast = toKey(undefined, "fast");
const isGone = () =>
  client.get(VolumeAttributesClass, fast).then(
    () => false,
    (error: unknown) => isNotFound(error),
  );

test("a class of attributes stays while a claim names it, though it is told to go", async (t) => {
  const workshop = startControllers(harness, [attributesProtection]);
  t.after(() => workshop.stop());
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
  await eventually("the class goes", isGone);
});

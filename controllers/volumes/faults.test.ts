import assert from "node:assert/strict";
import { after } from "node:test";
import { Node, PersistentVolume, PersistentVolumeClaim, Pod, StorageClass } from "@atoll/client/builtin";
import { isNotFound } from "@atoll/client/errors";
import { keyOf, toKey } from "@atoll/client/resource";
import { clientOf, eventually, makeNamespace } from "@atoll/harness/client";
import { testConvergence } from "@atoll/harness/convergence";
import type { Story } from "@atoll/harness/crashes";
import { startHarness } from "@atoll/harness/server";
import { volumeControllers } from "./index.ts";

const harness = await startHarness();
const client = clientOf(harness);
after(() => harness.close());
const late = { volumeBindingMode: "WaitForFirstConsumer" } as const;
await client.create(StorageClass, { metadata: { name: "disk" }, provisioner: "disk.atoll.dev", ...late });
await client.create(Node, { metadata: { name: "host", labels: { "kubernetes.io/hostname": "host" } } });

const spec = { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } }, storageClassName: "disk" };
const volumesOf = async (namespace: string) =>
  (await client.list(PersistentVolume)).items.filter((volume) => volume.spec.claimRef?.namespace === namespace);

/** Plays the host: it has every disk that was made for it and that it was not told to remove. */
async function playHost(): Promise<void> {
  const key = toKey(undefined, "host");
  const { annotations } = (await client.get(Node, key)).metadata;
  const told = annotations?.["disk.atoll.dev/remove"] ?? "";
  const names = (await client.list(PersistentVolume)).items.map(({ metadata: { name = "" } }) => name);
  const present = names.filter((name) => !told.split(",").includes(name)).join(",");
  if (annotations?.["disk.atoll.dev/present"] === present) return;
  const body = { metadata: { annotations: { "disk.atoll.dev/present": present } } };
  await client.patch(Node, { key, patch: { type: "merge", body } });
}

/** Of two claims one goes, and its disk with it; a Pod has a claim of its own. */
const leaving: Story = {
  controllers: volumeControllers,
  async begin(round) {
    await makeNamespace(client, round);
    const annotations = { "volume.kubernetes.io/selected-node": "host" };
    for (const name of ["goes", "stays"])
      await client.create(PersistentVolumeClaim, { metadata: { name, namespace: round, annotations }, spec });
    const volumes = [{ name: "scratch", ephemeral: { volumeClaimTemplate: { spec } } }];
    await client.create(Pod, {
      metadata: { name: "p", namespace: round },
      spec: { containers: [{ name: "c", image: "i" }], volumes },
    } as never);
  },
  async ended(round) {
    await eventually(
      "one claim is gone, and the others are there",
      async () => {
        await playHost();
        const claims = (await client.list(PersistentVolumeClaim, { namespace: round })).items;
        const volumes = await volumesOf(round);
        const isMade = (volume: string | undefined) =>
          volumes.find(({ metadata }) => metadata.name === volume)?.metadata.annotations?.["disk.atoll.dev/made"] ===
          "yes";
        const [goes] = claims.filter(({ metadata }) => metadata.name === "goes");
        const stays = claims.find(({ metadata }) => metadata.name === "stays");
        if (goes !== undefined && goes.metadata.deletionTimestamp === undefined && isMade(goes.spec.volumeName))
          await client.delete(PersistentVolumeClaim, keyOf(goes)).catch((error: unknown) => {
            if (!isNotFound(error)) throw error;
          });
        const hasOwn = claims.some(({ metadata }) => metadata.name === "p-scratch");
        return goes === undefined && volumes.length === 1 && stays?.status.phase === "Bound" && hasOwn;
      },
      20_000,
    );
  },
  async check(round) {
    const claims = (await client.list(PersistentVolumeClaim, { namespace: round })).items;
    assert.deepEqual(
      claims.map(({ metadata }) => metadata.name).sort((a = "", b = "") => a.localeCompare(b)),
      ["p-scratch", "stays"],
    );
    const stays = claims.find(({ metadata }) => metadata.name === "stays");
    assert.deepEqual(
      (await volumesOf(round)).map(({ metadata }) => metadata.name),
      [stays?.spec.volumeName],
    );
  },
};

testConvergence("volumes that go", harness, { name: "volgo", story: leaving, least: 6 });

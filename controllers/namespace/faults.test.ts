import assert from "node:assert/strict";
import { after, before } from "node:test";
import { ConfigMap, Namespace, Secret } from "@atoll/client/builtin";
import type { Client } from "@atoll/client/client";
import { isNotFound } from "@atoll/client/errors";
import { toKey } from "@atoll/client/resource";
import { clientOf, eventually } from "@atoll/harness/client";
import { testConvergence } from "@atoll/harness/convergence";
import type { Story } from "@atoll/harness/crashes";
import type { Harness } from "@atoll/harness/server";
import { startHarness } from "@atoll/harness/server";
import { namespaceController } from "./controller.ts";

let harness: Harness;
let client: Client;

before(async () => {
  harness = await startHarness();
  client = clientOf(harness);
});
after(() => harness.close());

const isGone = (name: string) =>
  client.get(Namespace, toKey(undefined, name)).then(
    () => false,
    (error: unknown) => {
      if (isNotFound(error)) return true;
      throw error;
    },
  );

const deletion: Story = {
  controllers: [namespaceController],
  async begin(name) {
    await client.create(Namespace, { metadata: { name } });
    await client.create(ConfigMap, { metadata: { name: "inside", namespace: name } });
    await client.create(Secret, { metadata: { name: "inside", namespace: name } });
    await client.create(Secret, { metadata: { name, namespace: "default" } });
    await client.delete(Namespace, toKey(undefined, name));
  },
  async ended(name) {
    await eventually("the namespace is gone", () => isGone(name), 20_000);
  },
  async check(name) {
    assert.deepEqual((await client.list(ConfigMap, { namespace: name })).items, []);
    assert.deepEqual((await client.list(Secret, { namespace: name })).items, []);
    assert.ok(await client.get(Secret, toKey("default", name)));
  },
};

testConvergence("Namespaces that go", () => harness, { name: "ns", story: deletion, least: 3 });

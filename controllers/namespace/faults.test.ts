import assert from "node:assert/strict";
import { after } from "node:test";
import { ConfigMap, Namespace, Secret } from "@atoll/client/builtin";
import { toKey } from "@atoll/client/resource";
import { clientOf, eventually, isGone } from "@atoll/harness/client";
import { testConvergence } from "@atoll/harness/convergence";
import type { Story } from "@atoll/harness/crashes";
import { startHarness } from "@atoll/harness/server";
import { namespaceController } from "./controller.ts";

const harness = await startHarness();
const client = clientOf(harness);
after(() => harness.close());

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
    await eventually("the namespace is gone", () => isGone(client.get(Namespace, toKey(undefined, name))), 20_000);
  },
  async check(name) {
    assert.deepEqual((await client.list(ConfigMap, { namespace: name })).items, []);
    assert.deepEqual((await client.list(Secret, { namespace: name })).items, []);
    assert.ok(await client.get(Secret, toKey("default", name)));
  },
};

testConvergence("Namespaces that go", harness, { name: "ns", story: deletion, least: 3 });

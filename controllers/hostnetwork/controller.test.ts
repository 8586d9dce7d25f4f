import assert from "node:assert/strict";
import test, { after } from "node:test";
import { supervisorKinds } from "@atoll/api/supervisor/kinds";
import { HostNetwork } from "@atoll/api/supervisor/v1alpha1/hostnetwork";
import { Namespace, Node } from "@atoll/client/builtin";
import { keyOf, toKey } from "@atoll/client/resource";
import { clientOf, eventually } from "@atoll/harness/client";
import { startControllers } from "@atoll/harness/controllers";
import { testConvergence } from "@atoll/harness/convergence";
import type { Story } from "@atoll/harness/crashes";
import { serveKinds } from "@atoll/harness/kinds";
import { startHarness } from "@atoll/harness/server";
import { hostNetworkController } from "./controller.ts";

const controllers = [hostNetworkController("10.244.0.0/16")];

const harness = await startHarness();
const client = clientOf(harness);
after(() => harness.close());
await serveKinds(client, supervisorKinds);
await client.create(Namespace, { metadata: { name: "kube-system" } }).catch(() => undefined);

async function make(name: string, number: number): Promise<void> {
  const range = `10.244.${number}.0/24`;
  const made = await client.create(Node, { metadata: { name }, spec: { podCIDR: range, podCIDRs: [range] } });
  const addresses = [{ type: "InternalIP", address: `192.0.2.${number}` }];
  const patch = { type: "merge", body: { status: { addresses } } } as const;
  await client.patch(Node, { key: keyOf(made), patch, subresource: "status" });
}
async function peersOf(name: string): Promise<string> {
  const { items } = await client.list(HostNetwork);
  const found = items.find(({ metadata }) => metadata.name === name);
  return found?.spec.peers.map(({ node }) => node).join(" ") ?? "none";
}

test("each Node is told of the others as they come and go, and what was for one that went goes with it", async () => {
  await using workshop = startControllers(harness, controllers);
  for (const [index, name] of ["one", "two", "three"].entries()) await make(name, index + 1);
  await eventually("all are told", async () => (await peersOf("one")) === "two three");
  await eventually("all are told", async () => (await peersOf("three")) === "one two");
  await client.delete(Node, toKey(undefined, "two"));
  await eventually("it is gone", async () => (await peersOf("one")) === "three" && (await peersOf("two")) === "none");
  await workshop.quiet();
  assert.deepEqual(workshop.complaints, []);
  for (const name of ["one", "three"]) await client.delete(Node, toKey(undefined, name));
  await eventually("nobody is told", async () => (await client.list(HostNetwork)).items.length === 0);
});

let rounds = 0;
const story: Story = {
  controllers,
  async begin(round) {
    // Those of earlier rounds would be told of these too: each round would be longer than the one before it.
    await client.deleteCollection(Node, {});
    rounds += 2;
    await make(`${round}-x`, rounds);
    await make(`${round}-y`, rounds + 1);
  },
  ended: (round) =>
    eventually("both are told", async () => {
      return (
        (await peersOf(`${round}-x`)).includes(`${round}-y`) && (await peersOf(`${round}-y`)).includes(`${round}-x`)
      );
    }),
  async check(round) {
    const { items } = await client.list(HostNetwork);
    assert.equal(items.filter(({ metadata }) => metadata.name?.startsWith(`${round}-`)).length, 2);
  },
};

testConvergence("HostNetworks", harness, { name: "hostnetwork", story, least: 1 });

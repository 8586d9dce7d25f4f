import assert from "node:assert/strict";
import test, { after } from "node:test";
import { Datastore } from "@atoll/api/supervisor/v1alpha1/datastore";
import { Node } from "@atoll/client/builtin";
import { keyOf, toKey } from "@atoll/client/resource";
import { clientOf, eventually } from "@atoll/harness/client";
import { startControllers } from "@atoll/harness/controllers";
import { storyOf, testConvergence } from "@atoll/harness/convergence";
import { serveKinds } from "@atoll/harness/kinds";
import { startHarness } from "@atoll/harness/server";
import { datastoreController } from "./controller.ts";

const gibi = 2 ** 30;

const harness = await startHarness();
const client = clientOf(harness);
after(() => harness.close());
await serveKinds(client, [Datastore]);

/** A host that tells what it sees. */
async function makeHost(name: string, seen: string, ready: "True" | "False" = "True"): Promise<void> {
  const annotations = { "disk.atoll.dev/datastores": seen };
  const made = await client.create(Node, { metadata: { name, annotations } });
  const conditions = [{ type: "Ready", status: ready }];
  const patch = { type: "merge", body: { status: { conditions } } } as const;
  await client.patch(Node, { key: keyOf(made), patch, subresource: "status" });
}
async function tell(name: string, seen: string): Promise<void> {
  const body = { metadata: { annotations: { "disk.atoll.dev/datastores": seen } } };
  await client.patch(Node, { key: toKey(undefined, name), patch: { type: "merge", body } });
}
const make = async (name: string) =>
  await client.create(Datastore, {
    metadata: { name },
    spec: { sharedDirectory: { path: "/srv/d", leaseSeconds: 9 } },
  });
const statusOf = async (name: string) => (await client.get(Datastore, toKey(undefined, name))).status ?? {};

test("a Datastore says how much room there is and which hosts have it, as they tell", async () => {
  await using workshop = startControllers(harness, [datastoreController]);
  await makeHost("a", `nfs=${9 * gibi}/${4 * gibi}`);
  await makeHost("b", `other=1/1,nfs=${9 * gibi}/${3 * gibi}`);
  await makeHost("c", "");
  await makeHost("dead", `nfs=${9 * gibi}/${gibi}`, "False");
  await make("nfs");
  const told = async () => {
    const { capacity, free, hosts, seenBy, conditions = [] } = await statusOf("nfs");
    const [{ type, status, reason, message } = {}] = conditions;
    return { capacity, free, hosts, seenBy, is: `${type} ${status} ${reason}: ${message}` };
  };
  const where = "not mounted at /srv/d, or without an answer, on";
  await eventually("it is told", async () => (await told()).seenBy === "2/3");
  assert.deepEqual(await told(), {
    capacity: "9Gi",
    free: "3Gi",
    hosts: ["a", "b"],
    seenBy: "2/3",
    is: `Accessible True SomeHosts: ${where} c`,
  });
  await tell("c", `nfs=${9 * gibi}/${4 * gibi}`);
  await eventually("all have it", async () => (await told()).is.includes("True AllHosts"));
  for (const host of ["a", "b", "c"]) await tell(host, "");
  await eventually("none has it", async () => (await told()).is === `Accessible False NoHost: ${where} a, b, c`);
  assert.deepEqual(await told(), {
    hosts: [],
    seenBy: "0/3",
    is: (await told()).is,
    capacity: undefined,
    free: undefined,
  });
  await workshop.quiet();
  assert.deepEqual(workshop.complaints, []);
});

test("a Datastore's name is no longer than a label, which it becomes", async () => {
  await assert.rejects(make("n".repeat(64)), /metadata.name: must be no more than 63 characters/);
  await make("n".repeat(63));
});

const story = storyOf(
  [datastoreController],
  async (round) => {
    await client.deleteCollection(Node, {});
    await makeHost(`${round}-host`, `${round}=${gibi}/${gibi}`);
    await make(round);
  },
  async (round) => {
    const { hosts, free } = await statusOf(round);
    assert.deepEqual([hosts, free], [[`${round}-host`], "1Gi"]);
  },
);

testConvergence("Datastores", harness, { name: "datastore", story, least: 1 });

import assert from "node:assert/strict";
import test, { after } from "node:test";
import { Node } from "@atoll/client/builtin";
import { toKey } from "@atoll/client/resource";
import { clientOf, eventually } from "@atoll/harness/client";
import { startControllers } from "@atoll/harness/controllers";
import { testConvergence } from "@atoll/harness/convergence";
import type { Story } from "@atoll/harness/crashes";
import { startHarness } from "@atoll/harness/server";
import fc from "fast-check";
import { nodeIpamController } from "./controller.ts";
import { freeNodeRange } from "./plan.ts";

const harness = await startHarness();
const client = clientOf(harness);
after(() => harness.close());

const ranges = { pods: "10.244.0.0/16", services: "10.96.0.0/12" };
const make = (name: string, spec: { podCIDR?: string; podCIDRs?: string[] } = {}) =>
  client.create(Node, { metadata: { name }, spec });
const rangeOf = async (name: string) => (await client.get(Node, toKey(undefined, name))).spec?.podCIDR;
const clear = () => client.deleteCollection(Node, {});

test("each Node has a range of its own, and is told the cluster's", async () => {
  await using workshop = startControllers(harness, [nodeIpamController(ranges)]);
  await make("given", { podCIDR: "10.244.0.0/24", podCIDRs: ["10.244.0.0/24"] });
  await Promise.all(["a", "b", "c", "d"].map((name) => make(name)));
  await eventually("all have ranges", async () => {
    const found = await Promise.all(["a", "b", "c", "d"].map(rangeOf));
    return (
      found.toSorted((a = "", b = "") => a.localeCompare(b)).join(" ") ===
      "10.244.1.0/24 10.244.2.0/24 10.244.3.0/24 10.244.4.0/24"
    );
  });
  await workshop.quiet();
  const { metadata, spec } = await client.get(Node, toKey(undefined, "given"));
  assert.equal(spec?.podCIDR, "10.244.0.0/24");
  assert.equal(metadata.annotations?.["supervisor.atoll.dev/pod-range"], ranges.pods);
  assert.equal(metadata.annotations["supervisor.atoll.dev/service-range"], ranges.services);
  assert.deepEqual(workshop.complaints, []);
  await clear();
});

test("a Node for which there is no range is told so, and gets one that another leaves", async () => {
  await using workshop = startControllers(harness, [nodeIpamController({ ...ranges, pods: "10.9.0.0/23" })]);
  for (const name of ["a", "b"]) await make(name);
  await eventually(
    "both have ranges",
    async () => (await rangeOf("a")) !== undefined && (await rangeOf("b")) !== undefined,
  );
  await make("late");
  await eventually(
    "it is said",
    () => workshop.complaints.some((text) => text.includes("every range of 10.9.0.0/23 is taken")) ?? false,
  );
  const freed = await rangeOf("a");
  await client.delete(Node, toKey(undefined, "a"));
  await eventually("it has the range", async () => (await rangeOf("late")) === freed);
  await clear();
});

test("freeNodeRange() gives what overlaps with none, while there is any", () => {
  const index = fc.integer({ min: 0, max: 7 });
  fc.assert(
    fc.property(fc.uniqueArray(index), (taken) => {
      const nodes = taken.map((n) => ({ spec: { podCIDR: `10.0.${n}.0/24` } }) as Node);
      const free = [0, 1, 2, 3, 4, 5, 6, 7].find((n) => !taken.includes(n));
      assert.equal(freeNodeRange("10.0.0.0/21", nodes), free === undefined ? undefined : `10.0.${free}.0/24`);
    }),
  );
  assert.equal(freeNodeRange("10.0.0.0/26", []), "10.0.0.0/26");
});

const story: Story = {
  controllers: [nodeIpamController(ranges)],
  async begin(round) {
    for (const name of ["x", "y"]) await make(`${round}-${name}`);
  },
  ended: (round) =>
    eventually("both have ranges", async () => {
      return (await rangeOf(`${round}-x`)) !== undefined && (await rangeOf(`${round}-y`)) !== undefined;
    }),
  async check(round) {
    assert.notEqual(await rangeOf(`${round}-x`), await rangeOf(`${round}-y`));
  },
};

testConvergence("ranges of Nodes", harness, { name: "ipam", story: story, least: 1 });

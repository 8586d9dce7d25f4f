import assert from "node:assert/strict";
import test, { after } from "node:test";
import { startHarness } from "@atoll/harness/server";

const pods = "/api/v1/namespaces/default/pods";
const zone = { "topology.kubernetes.io/zone": "z1", "topology.kubernetes.io/region": "r1" };

const harness = await startHarness();
after(() => harness.close());
await harness.make("/api/v1/namespaces/default/serviceaccounts", { metadata: { name: "default" } });
await harness.make("/api/v1/nodes", { metadata: { name: "placed", labels: { ...zone, "example.com/other": "x" } } });
await harness.make("/api/v1/nodes", { metadata: { name: "bare" } });

async function labelsOf(name: string): Promise<unknown> {
  const { json } = await harness.send("GET", `${pods}/${name}`);
  return (json?.["metadata"] as { labels?: unknown } | undefined)?.labels;
}

const pod = (name: string, spec: object = {}) => ({
  metadata: { name, labels: { app: "a", "topology.kubernetes.io/zone": "a-guess" } },
  spec: { containers: [{ name: "c", image: "i" }], ...spec },
});

test("a pod that is bound gets its node's zone and region as labels, and no other", async () => {
  await harness.make(pods, pod("bound"));
  await harness.make(`${pods}/bound/binding`, {
    metadata: { name: "bound" },
    target: { kind: "Node", name: "placed" },
  });
  assert.deepEqual(await labelsOf("bound"), { app: "a", ...zone });
});

test("a pod that is made with its node gets them at once", async () => {
  await harness.make(pods, pod("made", { nodeName: "placed" }));
  assert.deepEqual(await labelsOf("made"), { app: "a", ...zone });
});

for (const node of ["bare", "unknown"]) {
  test(`a node that is ${node === "bare" ? "without a zone" : "not there"} changes no label`, async () => {
    await harness.make(pods, pod(node));
    await harness.make(`${pods}/${node}/binding`, { metadata: { name: node }, target: { kind: "Node", name: node } });
    assert.deepEqual(await labelsOf(node), pod(node).metadata.labels);
  });
}

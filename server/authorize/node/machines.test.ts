import assert from "node:assert/strict";
import test from "node:test";
import { supervisorKinds } from "@atoll/api/supervisor/kinds";
import { clientOf } from "@atoll/harness/client";
import { serveKinds } from "@atoll/harness/kinds";
import { startHarness } from "@atoll/harness/server";

const path = "/apis/supervisor.atoll.dev/v1alpha1/hostvms";
const label = "supervisor.atoll.dev/node";

const machine = (name: string, node: string) => ({
  metadata: { name, labels: { [label]: node } },
  spec: {
    ...{ kind: "CRX", node, owner: { kind: "Pod", namespace: "shop", name }, hostPid: 4, memoryMiB: 64, vcpus: 1 },
    ...{ accelerator: "tcg", kernelDigest: "sha256:0", startedAs: "boot", startMs: 1 },
  },
});

test("a node lists and watches the machines of its own, by their label alone", async (t) => {
  const harness = await startHarness();
  t.after(() => harness.close());
  await serveKinds(clientOf(harness), supervisorKinds);
  const one = await harness.user("system:node:one", ["system:nodes"]);
  const two = await harness.user("system:node:two", ["system:nodes"]);
  for (const [name, node, who] of [
    ["web", "one", one],
    ["db", "two", two],
  ] as const) {
    const answer = await who.send("POST", path, { body: machine(name, node) });
    assert.equal(answer.status, 201, answer.text);
  }
  const own = await one.send("GET", `${path}?labelSelector=${encodeURIComponent(`${label}=one`)}`);
  assert.equal(own.status, 200, own.text);
  const { items } = own.json as { items: { metadata: { name: string } }[] };
  assert.deepEqual(
    items.map((each) => each.metadata.name),
    ["web"],
  );
  for (const query of [
    "",
    "watch=1",
    `labelSelector=${encodeURIComponent(`${label}=two`)}`,
    `labelSelector=${encodeURIComponent(`${label}!=one`)}`,
    `labelSelector=${encodeURIComponent(`${label} in (one,two)`)}`,
    `labelSelector=${encodeURIComponent(`${label}`)}`,
    `labelSelector=${encodeURIComponent(`${label}=two`)}&labelSelector=${encodeURIComponent(`${label}=one`)}`,
    `labelSelector=${encodeURIComponent(`${label}=one,,`)}`,
    "fieldSelector=metadata.name%3Ddb",
  ]) {
    const answer = await one.send("GET", `${path}?${query}`);
    assert.equal(answer.status, 403, `${query}: ${answer.text}`);
  }
  for (const [method, below] of [
    ["GET", "/db"],
    ["GET", "/web/status"],
    ["PATCH", "/web"],
    ["PUT", "/web/status"],
    ["DELETE", ""],
  ] as const) {
    assert.equal((await one.send(method, `${path}${below}`, { body: {} })).status, 403, `${method} ${below}`);
  }
});

/** Pods on a real server and in real machines: what a user sees of them. */
import assert from "node:assert/strict";
import { after, before, test as plainTest } from "node:test";
import type { Container, PodSpec } from "@atoll/api/builtin/core/v1.types";
import type { Draft } from "@atoll/api/draft";
import { ConfigMap, Node, Pod } from "@atoll/client/builtin";
import type { Client } from "@atoll/client/client";
import { isNotFound } from "@atoll/client/errors";
import { toKey } from "@atoll/client/resource";
import type { Transport } from "@atoll/client/transport";
import { clientOf, eventually, makeNamespace, transportTo } from "@atoll/harness/client";
import { type Harness, startHarness } from "@atoll/harness/server";
import { systemClock } from "@atoll/machinery/clock";
import type { Spherelet } from "./spherelet.ts";
import { testImageName, type TestNode, testNode } from "./testing.ts";

/** A test that cannot hang: a guest may. */
const test = (name: string, body: () => Promise<void>) => void plainTest(name, { timeout: 120_000 }, body);

const patienceMs = 60_000;
const namespace = "pods";

let harness: Harness;
let transport: Transport;
let client: Client;
let node: TestNode;
let spherelet: Spherelet;

before(async () => {
  harness = await startHarness();
  transport = transportTo(harness);
  client = clientOf(harness, transport);
  await makeNamespace(client, namespace);
  await client.create(ConfigMap, {
    metadata: { name: "kube-root-ca.crt", namespace },
    data: { "ca.crt": harness.tls.ca },
  });
  node = await testNode("node-1");
  spherelet = await node.start(client);
});

after(async () => {
  const left = await node.close();
  transport.close();
  await harness.close();
  assert.deepEqual(left, [], "nothing is left behind");
});

type PodDraft = Draft<PodSpec>;

const shell = (line: string, more: Draft<Container> = {}): Draft<Container> => {
  return { name: "main", image: testImageName, command: ["sh", "-c", line], ...more };
};

async function makePod(name: string, spec: PodDraft): Promise<Pod> {
  const draft = {
    metadata: { name, namespace },
    spec: { nodeName: node.name, terminationGracePeriodSeconds: 5, ...spec },
  };
  return await client.create(Pod, draft as never);
}

async function podOf(name: string): Promise<Pod> {
  return await client.get(Pod, toKey(namespace, name));
}

/** Waits until a Pod is as wanted. */
async function untilPod(name: string, what: string, wanted: (pod: Pod) => boolean): Promise<Pod> {
  let pod = await podOf(name);
  try {
    await eventually(
      `pod ${name}: ${what}`,
      async () => {
        pod = await podOf(name);
        if (!wanted(pod)) await systemClock.sleep(50);
        return wanted(pod);
      },
      patienceMs,
    );
  } catch (error) {
    throw new Error(`${String(error)}: ${JSON.stringify(pod.status)} ${node.complaints.join("\n")}`);
  }
  return pod;
}

const condition = (pod: Pod, type: string): string =>
  pod.status.conditions?.find((each) => each.type === type)?.status ?? "";

const isReady = (pod: Pod): boolean => condition(pod, "Ready") === "True";
const hasPhase = (phase: string) => (pod: Pod) => pod.status.phase === phase;

async function removePod(name: string): Promise<void> {
  await client.delete(Pod, toKey(namespace, name)).catch(() => undefined);
  await eventually(
    `pod ${name} is gone`,
    async () => {
      await systemClock.sleep(50);
      return await isGone(name);
    },
    patienceMs,
  );
}

async function isGone(name: string): Promise<boolean> {
  try {
    await podOf(name);
    return false;
  } catch (error) {
    if (isNotFound(error)) return true;
    throw error;
  }
}

test("the Node tells what it has, and is ready", async () => {
  const { status, metadata } = await client.get(Node, toKey("", node.name));
  assert.equal(status.conditions?.find(({ type }) => type === "Ready")?.status, "True");
  assert.equal(status.conditions?.find(({ type }) => type === "Accelerated")?.reason, "TCG");
  assert.ok(Number.parseInt(status.allocatable?.["memory"] ?? "", 10) > 0);
  assert.ok(status.images?.some(({ names }) => names?.includes(testImageName)));
  assert.equal(metadata.labels?.["kubernetes.io/hostname"], node.name);
});

test("a Pod runs, is ready, and goes with its grace when it is deleted", async () => {
  await makePod("web", { containers: [shell("trap 'exit 0' TERM; echo up; while true; do sleep 0.2; done")] });
  const pod = await untilPod("web", "ready", isReady);
  assert.equal(pod.status.phase, "Running");
  assert.equal(pod.status.hostIP, "127.0.0.1");
  const [status] = pod.status.containerStatuses ?? [];
  assert.equal(status?.started, true);
  assert.match(status?.containerID ?? "", /^crx:\/\/[0-9a-f]{64}$/);
  assert.match(status?.imageID ?? "", /^sha256:/);
  await removePod("web");
  assert.equal(spherelet.pods.find(namespace, "web")?.world.machine ?? "none", "none");
});

test("a Pod whose container ends well has succeeded, one that ends badly has failed", async () => {
  await makePod("good", { restartPolicy: "Never", containers: [shell("exit 0")] });
  await makePod("bad", { restartPolicy: "Never", containers: [shell("echo -n why > /dev/termination-log; exit 3")] });
  const good = await untilPod("good", "succeeded", hasPhase("Succeeded"));
  assert.equal(good.status.containerStatuses?.[0]?.state.terminated?.reason, "Completed");
  const bad = await untilPod("bad", "failed", hasPhase("Failed"));
  const { exitCode, reason, message } = bad.status.containerStatuses?.[0]?.state.terminated ?? {};
  assert.deepEqual([exitCode, reason, message], [3, "Error", "why"]);
  await removePod("good");
  await removePod("bad");
});

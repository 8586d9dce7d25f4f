import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Pod } from "@atoll/client/builtin";
import type { Client } from "@atoll/client/client";
import { toKey } from "@atoll/client/resource";
import {
  TransportFailed,
  type Transport,
  type TransportRequest,
  type TransportResponse,
} from "@atoll/client/transport";
import { clientOf, makeNamespace, transportTo } from "@atoll/harness/client";
import { ManualClock } from "@atoll/harness/clock";
import { type Harness, startHarness } from "@atoll/harness/server";
import { gatherUsage } from "./usage.ts";

let harness: Harness;
let client: Client;

before(async () => {
  harness = await startHarness();
  client = clientOf(harness);
  await makeNamespace(client, "shop");
});

after(() => harness.close());

/** The cluster, whose metrics API answers so. */
function clusterWith(metrics: (request: TransportRequest) => Promise<TransportResponse>): Client {
  const inner = transportTo(harness);
  const isMetrics = ({ path }: TransportRequest) => path.startsWith("/apis/metrics.k8s.io/");
  const transport: Transport = {
    request: (request) => (isMetrics(request) ? metrics(request) : inner.request(request)),
    close: () => inner.close(),
  };
  return clientOf(harness, transport);
}

async function answering(status: number, body: object): Promise<TransportResponse> {
  const bytes = Buffer.from(JSON.stringify(body));
  return {
    status,
    headers: { "content-type": "application/json" },
    body: (async function* () {
      yield bytes;
    })(),
  };
}

async function makePod(name: string, spec: object, phase?: "Succeeded"): Promise<void> {
  const pod = await client.create(Pod, { metadata: { name, namespace: "shop" }, spec } as unknown as Pod);
  if (phase !== undefined) await client.setStatus(Pod, { object: pod, status: { phase } });
}

const container = (name: string, requests: object, more: object = {}) => ({
  name,
  image: "i",
  resources: { requests },
  ...more,
});

test("what bound pods ask for is counted as the scheduler does, and what is over is not", async () => {
  const web = container("web", { cpu: "250m", memory: "64Mi" });
  const sidecar = container("proxy", { cpu: "100m" }, { restartPolicy: "Always" });
  const greedy = container("init", { cpu: "1", memory: "16Mi" });
  await makePod("one", { nodeName: "n", containers: [web], initContainers: [sidecar, greedy] });
  await makePod("two", { nodeName: "n", containers: [web] });
  await makePod("waiting", { containers: [web] });
  await makePod("over", { nodeName: "n", containers: [web] }, "Succeeded");
  const { requested, used, problem } = await gatherUsage({ cluster: client, clock: new ManualClock() });
  assert.deepEqual(requested, { cpu: "1350m", memory: "128Mi", pods: "2" });
  assert.equal(used, undefined);
  assert.equal(problem, "The cluster serves no metrics.k8s.io.");
  await client.delete(Pod, toKey("shop", "two"), { graceSeconds: 0 });
});

test("what nodes use is summed up", async () => {
  const node = (cpu: string, memory: string) => ({ metadata: { name: "n" }, usage: { cpu, memory } });
  const items = [node("1500m", "1Gi"), node("250123456n", "524289Ki")];
  const cluster = clusterWith(async () => await answering(200, { items }));
  const { used, problem } = await gatherUsage({ cluster, clock: new ManualClock() });
  assert.deepEqual(used, { cpu: "1751m", memory: "1537Mi" });
  assert.equal(problem, undefined);
  const silent = clusterWith(async () => await answering(200, { items: [] }));
  const unknown = await gatherUsage({ cluster: silent, clock: new ManualClock() });
  assert.deepEqual([unknown.used, unknown.problem], [undefined, "The cluster's metrics API tells of no node."]);
});

test("a metrics API that fails or hangs is told of, and takes nothing from the rest", async () => {
  const clock = new ManualClock();
  const failing = clusterWith(async () => await answering(503, { kind: "Status", message: "no endpoints" }));
  const failed = await gatherUsage({ cluster: failing, clock });
  assert.match(failed.problem ?? "", /^The cluster's metrics API failed: /);
  assert.equal(failed.requested["pods"], "1");

  const asked = Promise.withResolvers<void>();
  const hanging = clusterWith(
    ({ signal }) =>
      new Promise((_, fail) => {
        signal?.addEventListener("abort", () => fail(new TransportFailed("given up", { uncertain: false })));
        asked.resolve();
      }),
  );
  const gathering = gatherUsage({ cluster: hanging, clock });
  await asked.promise;
  await clock.advance(5_000);
  const late = await gathering;
  assert.equal(late.problem, "The cluster's metrics API did not answer within 5 s.");
  assert.equal(late.requested["pods"], "1");
});

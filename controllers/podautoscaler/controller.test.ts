import assert from "node:assert/strict";
import test, { after } from "node:test";
import { Deployment, HorizontalPodAutoscaler, Pod } from "@atoll/client/builtin";
import { keyOf, toKey } from "@atoll/client/resource";
import type { Transport, TransportResponse } from "@atoll/client/transport";
import { clientOf, eventually, makeNamespace, transportTo } from "@atoll/harness/client";
import { startControllers } from "@atoll/harness/controllers";
import { startHarness } from "@atoll/harness/server";
import { podAutoscalerController } from "./controller.ts";

const harness = await startHarness();
const client = clientOf(harness);
after(() => harness.close());

/** The way to the server, with metrics.k8s.io as a node agent's figures would make it. */
function withMetrics(inner: Transport, cpuOf: () => Readonly<Record<string, string>>): Transport {
  return {
    async request(request): Promise<TransportResponse> {
      if (!request.path.startsWith("/apis/metrics.k8s.io/")) return await inner.request(request);
      const items = Object.entries(cpuOf()).map(([name, cpu]) => ({
        metadata: { name },
        timestamp: "2026-01-01T00:00:00Z",
        window: "15s",
        containers: [{ name: "c", usage: { cpu } }],
      }));
      const body = new TextEncoder().encode(JSON.stringify({ kind: "PodMetricsList", items }));
      const stream = async function* () {
        yield body;
      };
      return {
        status: 200,
        headers: { "content-type": "application/json" },
        body: stream(),
      } as unknown as TransportResponse;
    },
    close: () => inner.close(),
  };
}

async function scene(namespace: string, pods: readonly string[]): Promise<void> {
  await makeNamespace(client, namespace);
  const labels = { app: "web" };
  const resources = { requests: { cpu: "100m" } };
  const podSpec = { containers: [{ name: "c", image: "i", resources }] };
  const spec = {
    replicas: pods.length,
    selector: { matchLabels: labels },
    template: { metadata: { labels }, spec: podSpec },
  };
  await client.create(Deployment, { metadata: { name: "web", namespace }, spec });
  for (const name of pods) {
    const pod = await client.create(Pod, { metadata: { name, namespace, labels }, spec: podSpec });
    const at = "2025-01-01T00:00:00Z";
    const conditions = [{ type: "Ready", status: "True", lastTransitionTime: at }];
    const patch = { type: "strategic", body: { status: { phase: "Running", startTime: at, conditions } } } as const;
    await client.patch(Pod, { key: keyOf(pod), patch, subresource: "status" });
  }
  const metrics = [
    { type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 50 } } },
  ];
  const scaleTargetRef = { apiVersion: "apps/v1", kind: "Deployment", name: "web" };
  await client.create(HorizontalPodAutoscaler, {
    metadata: { name: "web", namespace },
    spec: { scaleTargetRef, minReplicas: 1, maxReplicas: 5, metrics },
  });
}

const replicas = async (namespace: string) => (await client.get(Deployment, toKey(namespace, "web"))).spec.replicas;
async function conditions(namespace: string): Promise<readonly string[]> {
  const { status } = await client.get(HorizontalPodAutoscaler, toKey(namespace, "web"));
  return (status.conditions ?? []).map(({ type, status: value, reason }) => `${type}=${value} ${reason}`);
}

test("an autoscaler scales its target by the use of cpu, and says so", async () => {
  await scene("busy", ["a", "b"]);
  const transport = withMetrics(transportTo(harness), () => ({ a: "90m", b: "60m" }));
  await using workshop = startControllers(harness, [podAutoscalerController()], { transport });
  await eventually("it is scaled", async () => (await replicas("busy")) === 3);
  await eventually("it is told", async () => (await conditions("busy")).includes("AbleToScale=True SucceededRescale"));
  assert.deepEqual(await conditions("busy"), [
    "AbleToScale=True SucceededRescale",
    "ScalingActive=True ValidMetricFound",
    "ScalingLimited=False DesiredWithinRange",
  ]);
  const { status } = await client.get(HorizontalPodAutoscaler, toKey("busy", "web"));
  assert.equal(status.desiredReplicas, 3);
  assert.ok(status.lastScaleTime);
  assert.deepEqual(status.currentMetrics?.[0]?.resource?.current, { averageValue: "75m", averageUtilization: 75 });
  await workshop.quiet(300);
  assert.equal(workshop.faults.writes.length, 2);
});

test("an autoscaler without figures, without a target, and of a target at zero says so and changes nothing", async () => {
  await scene("dark", ["a"]);
  await using _ = startControllers(harness, [podAutoscalerController()], {
    transport: withMetrics(transportTo(harness), () => ({})),
  });
  const failed = "ScalingActive=False FailedGetResourceMetric";
  await eventually("it says that there are none", async () => (await conditions("dark")).includes(failed));
  const key = toKey("dark", "web");
  const { status } = await client.get(HorizontalPodAutoscaler, key);
  assert.equal(
    status.conditions?.find(({ type }) => type === "ScalingActive")?.message,
    "the HPA was unable to compute the replica count: failed to get cpu utilization: " +
      "unable to get metrics for resource cpu: no metrics returned from resource metrics API",
  );
  await client.patch(Deployment, { key, patch: { type: "merge", body: { spec: { replicas: 0 } } } });
  await client.patch(HorizontalPodAutoscaler, { key, patch: { type: "merge", body: { spec: { maxReplicas: 4 } } } });
  const disabled = "ScalingActive=False ScalingDisabled";
  await eventually("it is disabled", async () => (await conditions("dark")).includes(disabled));
  await client.delete(Deployment, key);
  await client.patch(HorizontalPodAutoscaler, { key, patch: { type: "merge", body: { spec: { maxReplicas: 3 } } } });
  const gone = "AbleToScale=False FailedGetScale";
  await eventually("it has nothing to scale", async () => (await conditions("dark")).includes(gone));
});

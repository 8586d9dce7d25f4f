import assert from "node:assert/strict";
import { test } from "node:test";
import type { ApiObject } from "@atoll/machinery/object";
import { decode } from "@atoll/machinery/schema/decode";
import fc from "fast-check";
import { builtinSchema } from "../schemas.ts";
import { autoscalerFromV2, autoscalerToV2 } from "./storage.ts";

const v1 = builtinSchema("autoscaling/v1", "HorizontalPodAutoscaler");
const v2 = builtinSchema("autoscaling/v2", "HorizontalPodAutoscaler");
const target = { kind: "Deployment", name: "d", apiVersion: "apps/v1" };

function autoscaler(version: "v1" | "v2", parts: { spec?: object; status?: object; annotations?: object }): ApiObject {
  const { annotations, spec, status } = parts;
  const given = {
    kind: "HorizontalPodAutoscaler",
    apiVersion: `autoscaling/${version}`,
    metadata: { name: "a", ...(annotations === undefined ? {} : { annotations }) },
    spec: { scaleTargetRef: target, maxReplicas: 5, ...spec },
    status: { currentReplicas: 0, desiredReplicas: 0, ...status },
  };
  return decode(version === "v1" ? v1 : v2, given).value as ApiObject;
}

function cpu(averageUtilization: number): object {
  return { type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization } } };
}

test("a v1 autoscaler is stored with its CPU target as a metric", () => {
  const stored = autoscalerToV2(autoscaler("v1", { spec: { targetCPUUtilizationPercentage: 70 } }));
  assert.deepEqual(stored, autoscaler("v2", { spec: { metrics: [cpu(70)] } }));
});

test("a v1 autoscaler without metrics is stored with 80 % of CPU", () => {
  assert.deepEqual(autoscalerToV2(autoscaler("v1", {})), autoscaler("v2", { spec: { metrics: [cpu(80)] } }));
});

test("what v1 has no field for is shown in annotations, spelled as upstream does", () => {
  const stored = autoscaler("v2", {
    spec: {
      metrics: [
        { type: "Pods", pods: { metric: { name: "rps" }, target: { type: "AverageValue", averageValue: "1k" } } },
      ],
      behavior: {
        scaleDown: { stabilizationWindowSeconds: 10, policies: [{ type: "Pods", value: 1, periodSeconds: 60 }] },
      },
    },
  });
  assert.deepEqual(autoscalerFromV2(stored).metadata.annotations, {
    "autoscaling.alpha.kubernetes.io/metrics":
      '[{"type":"Pods","pods":{"metricName":"rps","targetAverageValue":"1k"}}]',
    "autoscaling.alpha.kubernetes.io/behavior":
      '{"ScaleDown":{"StabilizationWindowSeconds":10,"Policies":[{"Type":"Pods","Value":1,"PeriodSeconds":60}]}}',
  });
});

test("annotations that hold no JSON are dropped, others stay", () => {
  const annotations = {
    "autoscaling.alpha.kubernetes.io/metrics": "{",
    "autoscaling.alpha.kubernetes.io/behavior": "x",
    mine: "1",
  };
  const stored = autoscalerToV2(autoscaler("v1", { annotations }));
  assert.deepEqual(stored, autoscaler("v2", { annotations: { mine: "1" }, spec: { metrics: [cpu(80)] } }));
});

const quantity = fc.constantFrom("1", "500m", "1k", "100Mi");
const selector = fc.constantFrom({}, { selector: { matchLabels: { app: "x" } } });
const metric = fc.tuple(fc.constantFrom("rps", "queue"), selector).map(([name, rest]) => ({ name, ...rest }));
const average = quantity.map((averageValue) => ({ type: "AverageValue", averageValue }));
const value = quantity.map((amount) => ({ type: "Value", value: amount }));
const utilization = fc
  .integer({ min: 1, max: 100 })
  .map((averageUtilization) => ({ type: "Utilization", averageUtilization }));
const anyMetric = fc.oneof(
  fc
    .record({ name: fc.constantFrom("memory", "cpu"), target: fc.oneof(average, utilization) })
    .map((resource) => ({ type: "Resource", resource })),
  fc
    .record({ name: fc.constant("cpu"), target: fc.oneof(average, utilization), container: fc.constant("c") })
    .map((containerResource) => ({ type: "ContainerResource", containerResource })),
  fc.record({ metric, target: average }).map((pods) => ({ type: "Pods", pods })),
  fc.record({ metric, target: fc.oneof(average, value) }).map((external) => ({ type: "External", external })),
  fc
    .record({ describedObject: fc.constant(target), target: value, metric })
    .map((object) => ({ type: "Object", object })),
);
const current = fc.oneof(
  fc
    .record({ averageValue: quantity, averageUtilization: fc.nat(100) })
    .map((now) => ({ type: "Resource", resource: { name: "cpu", current: now } })),
  fc
    .tuple(metric, quantity)
    .map(([id, averageValue]) => ({ type: "Pods", pods: { metric: id, current: { averageValue } } })),
);
const scaling = fc.record({ stabilizationWindowSeconds: fc.nat(60), selectPolicy: fc.constantFrom("Max", "Disabled") });

/** Metrics in the order v1 gives them back: its CPU target, if it has one, comes last. */
const metrics = fc
  .tuple(fc.array(anyMetric, { maxLength: 4 }), utilization)
  .map(([others, own]) => [
    ...others.filter(
      (each) =>
        !JSON.stringify(each).includes('"name":"cpu","target":{"type":"Utilization"') || "containerResource" in each,
    ),
    { type: "Resource", resource: { name: "cpu", target: own } },
  ]);

test("a stored autoscaler comes back from v1 as it was", () => {
  fc.assert(
    fc.property(
      fc.record(
        { metrics, behavior: fc.record({ scaleDown: scaling, scaleUp: scaling }) },
        { requiredKeys: ["metrics"] },
      ),
      fc.record({
        currentMetrics: fc.array(current, { maxLength: 3 }),
        conditions: fc.constantFrom(
          [],
          [{ type: "AbleToScale", status: "True", lastTransitionTime: "2001-02-03T04:05:06Z" }],
        ),
        currentReplicas: fc.nat(3),
      }),
      (spec, status) => {
        const stored = autoscaler("v2", { spec, status });
        const shown = autoscalerFromV2(stored);
        assert.deepEqual(decode(v1, shown), { value: shown, unknown: [] });
        assert.deepEqual(autoscalerToV2(shown), stored);
      },
    ),
    { numRuns: 1_000 },
  );
});

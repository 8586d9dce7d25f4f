import assert from "node:assert/strict";
import { test } from "node:test";
import { parseTime } from "@atoll/machinery/clock";
import type { ApiObject } from "@atoll/machinery/object";
import { formatAmounts } from "./amounts.ts";
import { countedBy, countName, isCovered, measureOf } from "./measure.ts";

function object(fields: object): ApiObject {
  return { apiVersion: "v1", kind: "X", metadata: {}, ...fields } as ApiObject;
}

function needs(requests: object, limits: object = {}): object {
  return { name: "c", resources: { requests, limits } };
}

function usage(plural: string, fields: object, nowMs = 0): Record<string, string> {
  return formatAmounts(measureOf("", plural).usage(object(fields), nowMs));
}

test("a pod counts what its containers hold at once, its overhead, and devices by their requests", () => {
  const spec = {
    initContainers: [{ ...needs({ cpu: "2" }), restartPolicy: "Always" }, needs({ cpu: "3", memory: "1Gi" })],
    containers: [needs({ cpu: "1", "example.com/gpu": "2" }, { cpu: "2" }), needs({ cpu: "500m" })],
    overhead: { cpu: "100m" },
  };
  assert.deepEqual(usage("pods", { spec }), {
    "count/pods": "1",
    cpu: "5100m",
    "limits.cpu": "2100m",
    memory: "1Gi",
    pods: "1",
    "requests.cpu": "5100m",
    "requests.example.com/gpu": "2",
    "requests.memory": "1Gi",
  });
});

test("a pod that is over, or should be, counts as an object alone", () => {
  const spec = { containers: [needs({ cpu: "1" })] };
  const alone = { "count/pods": "1" };
  assert.deepEqual(usage("pods", { spec, status: { phase: "Succeeded" } }), alone);
  assert.deepEqual(usage("pods", { spec, status: { phase: "Failed" } }), alone);
  const metadata = { deletionTimestamp: "2026-01-01T00:00:00Z", deletionGracePeriodSeconds: 30 };
  const atMs = parseTime(metadata.deletionTimestamp);
  assert.equal(usage("pods", { spec, metadata }, atMs + 29_000)["pods"], "1");
  assert.deepEqual(usage("pods", { spec, metadata }, atMs + 31_000), alone);
});

test("a pod being resized counts as much as it has and is to have", () => {
  const spec = { containers: [needs({ cpu: "1" })] };
  const held = { name: "c", resources: { requests: { cpu: "3" } }, allocatedResources: { cpu: "2" } };
  assert.equal(usage("pods", { spec, status: { containerStatuses: [held] } })["cpu"], "3");
  const conditions = [{ type: "PodResizePending", reason: "Infeasible", status: "True" }];
  const large = { containers: [needs({ cpu: "9" })] };
  assert.equal(usage("pods", { spec: large, status: { containerStatuses: [held], conditions } })["cpu"], "3");
});

test("a scope selects pods by their class, end and quality, and by where they look", () => {
  const pods = measureOf("", "pods");
  const isIn = (spec: object, scopeName: string, operator = "Exists", values: string[] = []) =>
    pods.inScope({ scopeName, operator, values }, object({ spec: { containers: [], ...spec } }));
  const high = { priorityClassName: "high" };
  assert.deepEqual(
    [isIn(high, "PriorityClass"), isIn({}, "PriorityClass"), isIn({}, "PriorityClass", "DoesNotExist")],
    [true, false, true],
  );
  assert.deepEqual(
    [
      isIn(high, "PriorityClass", "In", ["high"]),
      isIn(high, "PriorityClass", "In", ["low"]),
      isIn(high, "PriorityClass", "NotIn", ["low"]),
      isIn({}, "PriorityClass", "In", ["high"]),
      isIn({}, "PriorityClass", "NotIn", ["high"]),
    ],
    [true, false, true, false, true],
  );
  assert.deepEqual(
    [isIn({ activeDeadlineSeconds: 0 }, "Terminating"), isIn({}, "Terminating"), isIn({}, "NotTerminating")],
    [true, false, true],
  );
  assert.deepEqual(
    [isIn({}, "BestEffort"), isIn({ containers: [needs({ cpu: "1" })] }, "NotBestEffort")],
    [true, true],
  );
  const term = { topologyKey: "x", namespaces: ["other"] };
  const affinity = { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } };
  assert.deepEqual(
    [isIn({ affinity }, "CrossNamespacePodAffinity"), isIn({}, "CrossNamespacePodAffinity")],
    [true, false],
  );
  const both = {
    scopes: ["BestEffort"],
    scopeSelector: { matchExpressions: [{ scopeName: "PriorityClass", operator: "Exists" }] },
  };
  assert.equal(isCovered(both, pods, object({ spec: { containers: [], ...high } })), true);
  assert.equal(isCovered(both, pods, object({ spec: { containers: [] } })), false);
  assert.equal(isCovered(both, measureOf("", "configmaps"), object({})), false);
});

test("services count ports and balancers, claims their storage in whole bytes", () => {
  const ports = [{ port: 1, nodePort: 30_000 }, { port: 2 }];
  const balancer = { spec: { type: "LoadBalancer", ports, allocateLoadBalancerNodePorts: false } };
  const counted = { "count/services": "1", services: "1" };
  assert.deepEqual(usage("services", balancer), {
    ...counted,
    "services.loadbalancers": "1",
    "services.nodeports": "1",
  });
  assert.equal(usage("services", { spec: { type: "NodePort", ports } })["services.nodeports"], "2");
  assert.equal(usage("services", { spec: { type: "ClusterIP", ports } })["services.nodeports"], "0");
  const spec = { storageClassName: "gold", resources: { requests: { storage: "1500m" } } };
  const of = usage("persistentvolumeclaims", { spec, status: { allocatedResources: { storage: "5" } } });
  assert.deepEqual([of["requests.storage"], of["gold.storageclass.storage.k8s.io/requests.storage"]], ["5", "5"]);
  assert.equal(usage("persistentvolumeclaims", { spec })["requests.storage"], "2");
});

test("any other object counts by its resource's name", () => {
  assert.deepEqual(usage("secrets", {}), { "count/secrets": "1", secrets: "1" });
  const custom = measureOf("example.com", "things");
  assert.deepEqual(formatAmounts(custom.usage(object({}), 0)), { "count/things.example.com": "1" });
  assert.deepEqual(countedBy(countName("example.com", "things")), { group: "example.com", plural: "things" });
  assert.deepEqual(countedBy("configmaps"), { group: "", plural: "configmaps" });
  assert.equal(countedBy("requests.cpu"), undefined);
});

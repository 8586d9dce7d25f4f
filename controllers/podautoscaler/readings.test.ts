import assert from "node:assert/strict";
import test from "node:test";
import type { Pod } from "@atoll/client/builtin";
import { countFor, type Demand, type PodMetrics } from "./readings.ts";

const nowMs = Date.parse("2026-01-01T01:00:00Z");
const long = "2026-01-01T00:00:00Z";

interface Given {
  readonly cpu?: string | undefined;
  readonly request?: string | undefined;
  readonly ready?: boolean;
  readonly phase?: string;
  readonly startTime?: string;
  readonly going?: boolean;
}

function world(given: readonly Given[]): { pods: Pod[]; metrics: PodMetrics[] } {
  const pods = given.map(({ request = "1", ready = true, phase = "Running", startTime = long, going = false }, i) => ({
    metadata: { name: `p${i}`, ...(going && { deletionTimestamp: long }) },
    spec: { containers: [{ name: "c", resources: { requests: request === "" ? {} : { cpu: request } } }] },
    status: {
      phase,
      startTime,
      conditions: [{ type: "Ready", status: ready ? "True" : "False", lastTransitionTime: startTime }],
    },
  })) as unknown as Pod[];
  const metrics = given.flatMap(({ cpu }, i) =>
    cpu === undefined
      ? []
      : [
          {
            metadata: { name: `p${i}` },
            timestamp: "2026-01-01T00:59:30Z",
            window: "15s",
            containers: [{ name: "c", usage: { cpu } }],
          },
        ],
  );
  return { pods, metrics };
}

function count(given: readonly Given[], more: Partial<Demand> = {}) {
  const { pods, metrics } = world(given);
  const tolerance = { up: 0.1, down: 0.1 };
  const demand = {
    resource: "cpu",
    container: undefined,
    target: { utilization: 50 },
    current: given.length,
    tolerance,
    ...more,
  };
  return countFor(pods, metrics, { demand, nowMs });
}

test("countFor() grows and shrinks by how far use is from its target, but not for a tenth", () => {
  assert.deepEqual(count([{ cpu: "1" }, { cpu: "500m" }]), { replicas: 3, utilization: 75, averageMilli: 750 });
  assert.equal(count([{ cpu: "100m" }, { cpu: "100m" }, { cpu: "100m" }]).replicas, 1);
  assert.equal(count([{ cpu: "540m" }, { cpu: "550m" }]).replicas, 2);
  assert.equal(count([{ cpu: "540m" }, { cpu: "550m" }], { tolerance: { up: 0.05, down: 0.1 } }).replicas, 3);
});

test("countFor() takes average values without regard to requests", () => {
  const demand = { target: { averageMilli: 200 } };
  assert.deepEqual(count([{ cpu: "600m", request: "" }], demand), {
    replicas: 3,
    utilization: undefined,
    averageMilli: 600,
  });
});

test("countFor() supposes of Pods that it knows nothing of what keeps things as they are", () => {
  // Growing: a missing Pod uses nothing. Shrinking: it uses all that it asked for.
  assert.equal(count([{ cpu: "900m" }, { cpu: undefined }]).replicas, 2);
  assert.equal(count([{ cpu: "10m" }, { cpu: "10m" }, { cpu: undefined }]).replicas, 3);
  assert.equal(count([{ cpu: "10m" }, { cpu: "10m" }, { cpu: "10m" }, { cpu: undefined }, { cpu: "10m" }]).replicas, 2);
});

test("countFor() leaves out Pods that are starting, failed or going", () => {
  const starting = { cpu: "5", ready: false, startTime: "2026-01-01T00:58:00Z" };
  assert.equal(count([{ cpu: "100m" }, starting]).replicas, 1);
  // Who is starting would use nothing, were more Pods called for.
  assert.equal(count([{ cpu: "900m" }, starting]).replicas, 2);
  assert.equal(count([{ cpu: "1" }, { cpu: "5", phase: "Failed" }]).replicas, 2);
  assert.equal(count([{ cpu: "1" }, { cpu: "5", going: true }]).replicas, 2);
});

test("countFor() says why it cannot tell", () => {
  assert.throws(
    () => count([{ cpu: undefined }]),
    /^Uncountable: unable to get metrics for resource cpu: no metrics returned/,
  );
  assert.throws(
    () => count([{ cpu: "1", request: "" }]),
    /^Uncountable: missing request for cpu in container c of Pod p0$/,
  );
  assert.throws(
    () => count([{ cpu: "1", phase: "Pending" }]),
    /^Uncountable: did not receive metrics for targeted pods \(pods might be unready\)$/,
  );
});

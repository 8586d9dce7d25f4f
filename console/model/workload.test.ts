import assert from "node:assert/strict";
import { test } from "node:test";
import { containersOf, toneOfCondition } from "./workload.ts";

const metadata = { name: "web", uid: "1" };

test("containers of a pod are told with their state; those of a template without", () => {
  const resources = { requests: { cpu: "100m", memory: "64Mi" }, limits: { "example.com/gpu": "1" } };
  const ports = [{ containerPort: 80 }, { containerPort: 53, protocol: "UDP" }];
  const spec = {
    initContainers: [{ name: "first", image: "a:1" }],
    containers: [{ name: "web", image: "b:1", ports, resources }],
  };
  const status = {
    initContainerStatuses: [{ name: "first", restartCount: 0, state: { terminated: { reason: "Completed" } } }],
    containerStatuses: [{ name: "web", restartCount: 2, state: { running: {} } }],
  };
  const inWords = (object: Parameters<typeof containersOf>[0]) =>
    containersOf(object).map((one) => Object.values(one).join(" | "));
  const web = (state: string, restarts: number) =>
    `web | b:1 | ${state} | ${restarts} | 80/TCP, 53/UDP | CPU 100m, memory 64.0 MiB | example.com/gpu 1`;
  assert.deepEqual(inWords({ metadata, spec, status }), ["first | a:1 | Completed | 0 |  |  | ", web("Running", 2)]);
  const template = { spec };
  assert.deepEqual(inWords({ metadata, spec: { template } })[1], web("", 0));
  assert.deepEqual(inWords({ metadata, spec: { jobTemplate: { spec: { template } } } })[1], web("", 0));
  assert.deepEqual(inWords({ metadata, spec: { containers: 3 } }), []);
});

test("a condition is felt by what it says, not by whether it is true", () => {
  const tones = (["Ready", "MemoryPressure", "NetworkUnavailable", "Suspended"] as const).map((type) =>
    ["True", "False", "Unknown"].map((status) => toneOfCondition(type, status)),
  );
  assert.deepEqual(tones, [
    ["good", "warn", "warn"],
    ["warn", "good", "warn"],
    ["warn", "good", "warn"],
    ["good", "plain", "warn"],
  ]);
});

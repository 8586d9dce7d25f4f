import assert from "node:assert/strict";
import { test } from "node:test";
import type { AnyObject } from "./object.ts";
import { known } from "./resources.ts";
import { tasksOf } from "./tasks.ts";

const deployments = known("deployments.apps");
const jobs = known("jobs.batch");

function object(name: string, rest: Omit<Partial<AnyObject>, "metadata"> = {}, metadata: object = {}): AnyObject {
  return {
    ...rest,
    metadata: { name, namespace: "shop", uid: name, creationTimestamp: "2026-01-01T00:00:00Z", ...metadata },
  };
}

test("tasksOf() tells how far a rollout is, and nothing when it is through", () => {
  const status = (replicas: number, updatedReplicas: number, availableReplicas: number) => ({
    status: { replicas, updatedReplicas, availableReplicas },
  });
  const objects = [
    object("through", { spec: { replicas: 2 }, ...status(2, 2, 2) }),
    object("half", { spec: { replicas: 4 }, ...status(5, 3, 2) }),
    object("leftover", { spec: { replicas: 2 }, ...status(3, 2, 2) }),
    object("asleep", { spec: { replicas: 0 }, status: {} }),
  ];
  const tasks = tasksOf([{ resource: deployments, objects }]);
  assert.deepEqual(
    tasks.map((task) => [task.object.metadata.name, task.what, task.done, task.of]),
    [
      ["half", "Rolling out", 2, 4],
      ["leftover", "Rolling out", 2, 2],
    ],
  );
});

test("tasksOf() puts what is stuck first, with why", () => {
  const stuck = {
    conditions: [{ type: "Progressing", status: "False", message: 'ReplicaSet "b" has timed out progressing.' }],
  };
  const objects = [
    object("a", { spec: { replicas: 1 }, status: {} }),
    object("b", { spec: { replicas: 1 }, status: stuck }),
  ];
  const [first] = tasksOf([{ resource: deployments, objects }]);
  assert.deepEqual(
    [first?.object.metadata.name, first?.isStuck, first?.says],
    ["b", true, stuck.conditions[0]?.message],
  );
});

test("a rollout is paused and goes on, a job is suspended and goes on, by the calls that kubectl makes", () => {
  const rolling = object("web", { spec: { replicas: 1 }, status: {} });
  const paused = object("web", { spec: { replicas: 1, paused: true }, status: {} });
  const running = object("steps", {
    spec: { completions: 3 },
    status: { succeeded: 1, active: 1, failed: 2 } as object,
  });
  const ways = tasksOf([
    { resource: deployments, objects: [rolling, paused] },
    { resource: jobs, objects: [running] },
  ]);
  assert.deepEqual(
    ways.map(({ off }) => [off?.title, off?.kubectl, off?.call.body]),
    [
      ["Pause", "kubectl rollout pause deployment/web -n shop", { spec: { paused: true } }],
      ["Go on", "kubectl rollout resume deployment/web -n shop", { spec: { paused: false } }],
      [
        "Suspend",
        `kubectl patch job/steps -n shop --type=merge -p '{"spec":{"suspend":true}}'`,
        { spec: { suspend: true } },
      ],
    ],
  );
  assert.equal(ways[2]?.says, "1 running, 2 failed");
});

test("a job that is over is no task; what is being deleted is one that cannot be called off", () => {
  const done = object("done", { status: { conditions: [{ type: "Complete", status: "True" }] } });
  const going = object("going", {}, { deletionTimestamp: "2026-01-02T00:00:00Z" });
  const tasks = tasksOf([{ resource: jobs, objects: [done, going] }]);
  assert.deepEqual(
    tasks.map(({ object: { metadata }, what, off }) => [metadata.name, what, off]),
    [["going", "Being deleted", undefined]],
  );
});

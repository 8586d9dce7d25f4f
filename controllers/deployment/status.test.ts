import assert from "node:assert/strict";
import test from "node:test";
import type { DeploymentStatus } from "@atoll/api/builtin/apps/v1.types";
import type { Deployment, ReplicaSet } from "@atoll/client/builtin";
import type { Facts } from "./status.ts";
import { stuckInMs, summarise } from "./status.ts";

const startMs = Date.parse("2026-01-01T00:00:00Z");
const labels = { app: "web" };
const template = { metadata: { labels }, spec: { containers: [{ name: "c", image: "i", resources: {} }] } };

function deployment(status: DeploymentStatus = {}, spec: Partial<Deployment["spec"]> = {}): Deployment {
  const strategy = { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } };
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "web", generation: 3 },
    spec: { replicas: 2, selector: { matchLabels: labels }, template, strategy, progressDeadlineSeconds: 60, ...spec },
    status,
  };
}

function replicaSet(status: ReplicaSet["status"]): ReplicaSet {
  return {
    apiVersion: "apps/v1",
    kind: "ReplicaSet",
    metadata: { name: "web-1" },
    spec: { replicas: 2, selector: null, template },
    status,
  };
}

const at = (facts: Partial<Facts> & Pick<Facts, "deployment">, afterMs = 0) =>
  summarise({ replicaSets: [], outcome: {}, nowMs: startMs + afterMs, ...facts });
const progress = (status: DeploymentStatus) => {
  const found = status.conditions?.find(({ type }) => type === "Progressing");
  return found === undefined ? undefined : `${found.status} ${found.reason} ${found.message}`;
};
const half = replicaSet({ replicas: 2, readyReplicas: 1, availableReplicas: 1, terminatingReplicas: 0 });
const whole = replicaSet({ replicas: 2, readyReplicas: 2, availableReplicas: 2, terminatingReplicas: 0 });

test("summarise() counts, and leaves zeros out", () => {
  const { conditions: _, ...counts } = at({ deployment: deployment(), replicaSets: [half] });
  assert.deepEqual(counts, {
    observedGeneration: 3,
    replicas: 2,
    updatedReplicas: 2,
    readyReplicas: 1,
    availableReplicas: 1,
    unavailableReplicas: 1,
    terminatingReplicas: 0,
  });
});

test("summarise() follows a rollout from its ReplicaSet to its end", () => {
  const made = at({ deployment: deployment(), outcome: { made: "web-1" } });
  assert.equal(progress(made), 'True NewReplicaSetCreated Created new replica set "web-1"');
  const going = at({ deployment: deployment(made), replicaSets: [half] }, 10_000);
  assert.equal(progress(going), 'True ReplicaSetUpdated ReplicaSet "web-1" is progressing.');
  const done = at({ deployment: deployment(going), replicaSets: [whole] }, 20_000);
  assert.equal(progress(done), 'True NewReplicaSetAvailable ReplicaSet "web-1" has successfully progressed.');
  const again = at({ deployment: deployment(done), replicaSets: [whole] }, 30_000);
  assert.deepEqual(again, done);
});

test("summarise() says that a rollout is stuck, from its last progress on and not before", () => {
  const going = at({ deployment: deployment(), replicaSets: [half] });
  assert.equal(stuckInMs(deployment(), going, startMs), 61_000);
  const waiting = at({ deployment: deployment(going), replicaSets: [half] }, 59_000);
  assert.deepEqual(waiting, going);
  const stuck = at({ deployment: deployment(going), replicaSets: [half] }, 61_000);
  assert.equal(progress(stuck), 'False ProgressDeadlineExceeded ReplicaSet "web-1" has timed out progressing.');
  assert.equal(stuckInMs(deployment(), stuck, startMs), undefined);
  const after = at({ deployment: deployment(stuck), replicaSets: [whole] }, 70_000);
  assert.match(progress(after) ?? "", /^True NewReplicaSetAvailable/);
});

test("summarise() stops the deadline while paused, and starts it anew after", () => {
  const going = at({ deployment: deployment(), replicaSets: [half] });
  const paused = at({ deployment: deployment(going, { paused: true }), replicaSets: [half] }, 30_000);
  assert.equal(progress(paused), "Unknown DeploymentPaused Deployment is paused");
  const later = at({ deployment: deployment(paused, { paused: true }), replicaSets: [half] }, 300_000);
  assert.deepEqual(later, paused);
  const resumed = at({ deployment: deployment(later), replicaSets: [half] }, 310_000);
  assert.equal(progress(resumed), "Unknown DeploymentResumed Deployment is resumed");
  assert.equal(stuckInMs(deployment(), resumed, startMs + 310_000), 61_000);
});

test("summarise() says whether enough is available, and why a ReplicaSet fails", () => {
  const failing = [
    { type: "ReplicaFailure", status: "True", reason: "FailedCreate", message: "quota", lastTransitionTime: null },
  ];
  const { conditions = [] } = at({
    deployment: deployment(),
    replicaSets: [replicaSet({ replicas: 0, conditions: failing })],
  });
  const spelled = conditions.map(({ type, status, reason }) => `${type} ${status} ${reason}`);
  assert.deepEqual(spelled.slice(0, 2), [
    "Available False MinimumReplicasUnavailable",
    "ReplicaFailure True FailedCreate",
  ]);
  const good = at({ deployment: deployment({ conditions }), replicaSets: [whole] });
  assert.deepEqual(
    good.conditions?.map(({ type, status }) => `${type} ${status}`),
    ["Available True", "Progressing True"],
  );
});

test("summarise() without a deadline tells no progress", () => {
  const status = at({ deployment: deployment({}, { progressDeadlineSeconds: 2 ** 31 - 1 }), replicaSets: [half] });
  assert.equal(progress(status), undefined);
});

test("summarise() counts names that were taken", () => {
  assert.equal(at({ deployment: deployment({ collisionCount: 1 }), outcome: { collided: true } }).collisionCount, 2);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Deployment, Job, Node, ResourceQuota } from "@atoll/client/builtin";
import { deploymentItem, deprecatedItem, jobItem, nodeItem, quotaItem } from "./censusitems.ts";

const metadata = { name: "a", namespace: "shop" };
const condition = (type: string, status: "True" | "False", reason = "") => ({ type, status, reason });

test("a node that is short of something, or not ready, is unhealthy; one that is closed is not", () => {
  const node = (spec: object, ...conditions: object[]) => {
    const status = { conditions, nodeInfo: { kubeletVersion: "v1.36.0" } };
    const { state, healthy, version } = nodeItem({ metadata: { name: "n" }, spec, status } as unknown as Node);
    return [state, healthy, version];
  };
  assert.deepEqual(node({}, condition("Ready", "True")), ["Ready", true, "v1.36.0"]);
  assert.deepEqual(node({ unschedulable: true }, condition("Ready", "True"))[0], "Ready,SchedulingDisabled");
  assert.deepEqual(node({}, condition("Ready", "True"), condition("DiskPressure", "True")).slice(0, 2), [
    "Ready,DiskPressure",
    false,
  ]);
  assert.deepEqual(node({}, condition("Ready", "False"))[0], "NotReady");
});

test("a Deployment tells its images once each, and why it is stuck", () => {
  const containers = [
    { name: "a", image: "web:1" },
    { name: "b", image: "web:1" },
  ];
  const spec = { replicas: 3, template: { spec: { containers, initContainers: [{ name: "c", image: "init:2" }] } } };
  const status = { availableReplicas: 2, conditions: [condition("Progressing", "False", "ProgressDeadlineExceeded")] };
  assert.deepEqual(deploymentItem({ metadata, spec, status } as unknown as Deployment), {
    namespace: "shop",
    name: "a",
    version: "web:1,init:2",
    state: "2/3 ready, ProgressDeadlineExceeded",
    healthy: false,
  });
  const whole = { metadata, spec, status: { availableReplicas: 3 } } as unknown as Deployment;
  assert.equal(deploymentItem(whole).healthy, true);
  assert.equal(deploymentItem({ metadata } as Deployment).state, "0/1 ready");
});

test("a Job that failed is unhealthy", () => {
  const job = (...conditions: object[]) => jobItem({ metadata, status: { conditions } } as unknown as Job);
  assert.deepEqual([job().state, job().healthy], ["Running, 0 active", true]);
  const failed = job(condition("Failed", "True", "BackoffLimitExceeded"));
  assert.deepEqual([failed.state, failed.healthy], ["Failed: BackoffLimitExceeded", false]);
  assert.equal(job(condition("Complete", "True")).state, "Complete");
});

test("a quota tells what is nearest to its limit, and is unhealthy from four fifths on", () => {
  const quota = (hard: object, used: object) =>
    quotaItem({ metadata, status: { hard, used } } as unknown as ResourceQuota);
  const half = quota({ pods: "10", "limits.cpu": "2" }, { pods: "5", "limits.cpu": "500m" });
  assert.deepEqual([half.state, half.healthy], ["50% of pods (5 of 10)", true]);
  const near = quota({ pods: "10", "limits.memory": "1Gi" }, { pods: "8", "limits.memory": "900Mi" });
  assert.deepEqual([near.state, near.healthy], ["87% of limits.memory (900Mi of 1Gi); also pods", false]);
  assert.equal(quota({ pods: "0" }, { pods: "0" }).healthy, true);
  assert.equal(quotaItem({ metadata } as ResourceQuota).state, "not counted yet");
});

test("a deprecated version is read from an API server's metrics, in whatever order of labels", () => {
  const series = "apiserver_requested_deprecated_apis";
  const line = `${series}{group="batch",removed_release="1.25",resource="cronjobs",subresource="status",version="v1beta1"} 1`;
  assert.deepEqual(deprecatedItem(line), {
    namespace: "",
    name: "cronjobs.batch/status",
    version: "v1beta1",
    state: "goes in 1.25",
    healthy: false,
  });
  const stays = deprecatedItem(
    `${series}{group="",version="v1",resource="endpoints",subresource="",removed_release=""} 1`,
  );
  assert.deepEqual([stays?.name, stays?.state, stays?.healthy], ["endpoints", "deprecated", true]);
  assert.equal(deprecatedItem(`${series}{group="",version="v1",resource="endpoints"} 0`), undefined);
  assert.equal(deprecatedItem("apiserver_request_total 3"), undefined);
});

import assert from "node:assert/strict";
import test from "node:test";
import type { Job } from "@atoll/client/builtin";
import { Job as JobKind } from "@atoll/client/builtin";
import { toKey } from "@atoll/client/resource";
import { clientOf, eventually, makeNamespace } from "@atoll/harness/client";
import { startControllers } from "@atoll/harness/controllers";
import { startHarness } from "@atoll/harness/server";
import { formatTime, systemClock } from "@atoll/machinery/clock";
import { expiresAtMs, ttlAfterFinishedController } from "./controller.ts";

const endMs = Date.parse("2026-01-01T00:00:00Z");

function job(ttl: number | undefined, type = "Complete"): Job {
  const conditions = [{ type, status: "True", lastProbeTime: null, lastTransitionTime: formatTime(endMs) }];
  const template = { spec: { containers: [] } } as never;
  const spec = { template, ...(ttl === undefined ? {} : { ttlSecondsAfterFinished: ttl }) };
  return { apiVersion: "batch/v1", kind: "Job", metadata: { name: "j" }, spec, status: { conditions } };
}

test("expiresAtMs() counts from the end of a Job that has one and asks for it", () => {
  assert.equal(expiresAtMs(job(60)), endMs + 60_000);
  assert.equal(expiresAtMs(job(0, "Failed")), endMs);
  assert.equal(expiresAtMs(job(undefined)), undefined);
  assert.equal(expiresAtMs(job(60, "Suspended")), undefined);
  assert.equal(expiresAtMs({ ...job(60), metadata: { deletionTimestamp: formatTime(endMs) } }), undefined);
});

test("a Job that has had its time is deleted, and others are not", async () => {
  await using harness = await startHarness();
  const client = clientOf(harness);
  await using _ = startControllers(harness, [ttlAfterFinishedController]);
  await makeNamespace(client, "ttl");
  const labels = { app: "j" };
  const make = async (name: string, ttlSecondsAfterFinished: number) => {
    const template = {
      metadata: { labels },
      spec: { restartPolicy: "Never", containers: [{ name: "c", image: "i" }] },
    };
    const spec = { manualSelector: true, selector: { matchLabels: labels }, template, ttlSecondsAfterFinished };
    const made = await client.create(JobKind, { metadata: { name, namespace: "ttl" }, spec });
    const now = formatTime(systemClock.nowMs());
    const at = { status: "True", lastProbeTime: now, lastTransitionTime: now };
    const conditions = [
      { type: "SuccessCriteriaMet", ...at },
      { type: "Complete", ...at },
    ];
    const status = { ...made.status, conditions, startTime: now, completionTime: now, succeeded: 1 };
    await client.setStatus(JobKind, { object: made, status });
  };
  await make("keep", 1000);
  await make("go", 1);
  const going = async () =>
    (await client.list(JobKind, { namespace: "ttl" })).items.filter(
      ({ metadata }) => metadata.deletionTimestamp === undefined,
    );
  await eventually("only one stays", async () => (await going()).length === 1);
  assert.equal((await client.get(JobKind, toKey("ttl", "keep"))).metadata.deletionTimestamp, undefined);
});

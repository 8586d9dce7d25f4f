import assert from "node:assert/strict";
import test from "node:test";
import { clientOf } from "@atoll/harness/client";
import { startHarness } from "@atoll/harness/server";
import { StatusError } from "@atoll/machinery/status";
import type { Call } from "./connection.ts";
import { discover, findKind } from "./discovery.ts";

test("discover() learns the same at once and group by group", async (t) => {
  const harness = await startHarness();
  t.after(() => harness.close());
  const client = clientOf(harness);
  const atOnce = await discover(client);
  const stepwise = await discover({ raw: (call) => client.raw({ ...call, headers: {} }) });
  assert.deepEqual(atOnce.failed, []);
  const byName = (a: { group: string; version: string; plural: string }, b: typeof a) =>
    JSON.stringify(a) < JSON.stringify(b) ? -1 : 1;
  const sorted = (found: typeof atOnce) =>
    found.resources
      .map((each) => ({ ...each, verbs: [...each.verbs].sort(), subresources: [...each.subresources].sort() }))
      .sort(byName);
  assert.deepEqual(sorted(atOnce), sorted(stepwise));
  const pods = findKind(atOnce, { group: "", version: "v1", kind: "Pod" });
  assert.deepEqual([pods?.plural, pods?.namespaced, pods?.preferred], ["pods", true, true]);
  assert.ok(pods?.subresources.includes("log"));
  const old = findKind(atOnce, { group: "autoscaling", version: "v1", kind: "HorizontalPodAutoscaler" });
  assert.equal(old?.preferred, false);
});

test("discover() lists a group that cannot be asked as failed, and goes on with the others", async () => {
  const answers: Record<string, unknown> = {
    "/api": { versions: ["v1"] },
    "/api/v1": {
      resources: [
        { name: "pods", kind: "Pod", namespaced: true, verbs: ["get"] },
        { name: "pods/log", kind: "Pod", namespaced: true },
      ],
    },
    "/apis": {
      groups: [
        { name: "metrics.k8s.io", versions: [{ version: "v1" }] },
        { name: "gone.example", versions: [{ version: "v1" }] },
      ],
    },
  };
  const raw = async ({ path }: Call) => {
    if (answers[path] !== undefined) return answers[path];
    if (path.includes("metrics")) throw new StatusError("ServiceUnavailable", "no answer");
    throw new StatusError("NotFound", "no such group");
  };
  const found = await discover({ raw });
  assert.deepEqual(
    found.resources.map(({ plural, subresources }) => [plural, subresources]),
    [["pods", ["log"]]],
  );
  assert.deepEqual(
    found.failed.map(({ group }) => group),
    ["metrics.k8s.io"],
  );
});

import assert from "node:assert/strict";
import { test } from "node:test";
import type { ClusterReport } from "@atoll/api/fleet/v1alpha1/clusterreport";
import type { FleetCluster } from "@atoll/api/fleet/v1alpha1/fleetcluster";
import { formatTime } from "@atoll/machinery/clock";
import { statusOf } from "./plan.ts";

const nowMs = 1_700_000_000_000;
const cluster = (status: object) =>
  ({ metadata: { name: "c", namespace: "default" }, spec: {}, status }) as FleetCluster;
const reportOf = (instance: string) =>
  ({ metadata: {}, spec: { instance, time: formatTime(nowMs), violationsTotal: 0 } }) as unknown as ClusterReport;

/** The cluster's status after reports of these runs, one after another. */
function after(runs: readonly string[], status: object = { agentKey: "k1" }) {
  return runs.reduce<object>(
    (before, run) => statusOf(cluster(before), reportOf(run), { namespace: "n", nowMs }),
    status,
  ) as NonNullable<FleetCluster["status"]>;
}

test("an agent that restarts, often, is the same one", () => {
  const { phase, fencedKey } = after(["a", "a", "b", "b", "c"]);
  assert.deepEqual([phase, fencedKey], ["Ready", undefined]);
});

test("two agents with one identity are fenced and reported, until one registers anew", () => {
  const fenced = after(["a", "b", "a"]);
  assert.deepEqual([fenced.phase, fenced.fencedKey], ["Fenced", "k1"]);
  assert.match(fenced.conditions?.[0]?.message ?? "", /^Two agents use one identity/);
  assert.equal(after(["a"], fenced).phase, "Fenced");
  assert.equal(after(["c"], { ...fenced, agentKey: "k2" }).phase, "Ready");
});

test("what is used stands in the status only while it is known, with when and why not", () => {
  const used = { cpu: "1" };
  const requested = { cpu: "2", pods: "3" };
  const told = (usage: object | undefined, status: object) => {
    const report = reportOf("a");
    const spec = usage === undefined ? report.spec : { ...report.spec, usage };
    return statusOf(cluster(status), { ...report, spec } as ClusterReport, { namespace: "n", nowMs });
  };
  const known = told({ time: "t1", requested, used }, {});
  assert.deepEqual(
    [known.used, known.requested, known.usageTime, known.usageProblem],
    [used, requested, "t1", undefined],
  );
  const unknown = told({ time: "t2", requested, problem: "late" }, known);
  assert.deepEqual([unknown.used, unknown.usageTime, unknown.usageProblem], [undefined, "t2", "late"]);
  assert.deepEqual(told(undefined, known).used, used);
});

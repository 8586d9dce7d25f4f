/**
 * HorizontalPodAutoscaler: every 15 s, as many Pods as keep the use of resources near its target.
 *
 *   scale, metrics.k8s.io ──▶ count for each metric, the highest ──▶ stabilize, limit ──▶ scale, status
 *
 * What was called for lately is kept in memory, as upstream keeps it: a new process begins by keeping what there is.
 * Source: k8s.io/kubernetes/pkg/controller/podautoscaler/horizontal.go
 */
import { HorizontalPodAutoscaler, Pod } from "@atoll/client/builtin";
import type { Key } from "@atoll/client/resource";
import { formatTime } from "@atoll/machinery/clock";
import { parseLabelSelector } from "@atoll/machinery/selectors/labels";
import { consulting, partOf, statusOf } from "@atoll/runtime/claims";
import type { Controller, Reconcile } from "@atoll/runtime/controller";
import { again, defineController, settled } from "@atoll/runtime/controller";
import { limit, type Memory, remember } from "./limits.ts";
import { highest, type Proposal } from "./proposal.ts";
import { Conditions } from "./status.ts";
import { type Target, targetOf } from "./target.ts";

const name = "horizontal-pod-autoscaler";
/** Source: HorizontalPodAutoscalerSyncPeriod */
const everyMs = 15_000;

interface Known extends Memory {
  /** What it was asked for then, as text. */
  spec: string;
  /** When it was last looked after. */
  atMs: number;
}

/** Looks after HorizontalPodAutoscalers. */
export function podAutoscalerController(): Controller {
  const known = new Map<Key, Known>();
  return defineController({
    name,
    for: HorizontalPodAutoscaler,
    reads: [consulting(Pod)],
    writes: [
      statusOf(HorizontalPodAutoscaler),
      partOf(
        "any",
        "scale of what is autoscaled",
        ({ verb, subresource }) => verb === "patch" && subresource === "scale",
      ),
    ],
    async reconcile(key, tools) {
      const hpa = tools.cache.get(HorizontalPodAutoscaler, key);
      if (hpa === undefined) {
        known.delete(key);
        return settled;
      }
      const memory = known.get(key) ?? { calls: [], ups: [], downs: [], spec: "", atMs: 0 };
      known.set(key, memory);
      const spec = JSON.stringify(hpa.spec);
      const leftMs = memory.atMs + everyMs - tools.clock.monotonicMs();
      // Its own status is no news.
      if (memory.spec === spec && leftMs > 0) return again({ afterMs: leftMs });
      await lookAfter(hpa, memory, tools);
      memory.spec = spec;
      memory.atMs = tools.clock.monotonicMs();
      return again({ afterMs: everyMs });
    },
  });
}

async function lookAfter(hpa: HorizontalPodAutoscaler, memory: Memory, tools: Reconcile): Promise<void> {
  const conditions = new Conditions(hpa, tools);
  let target: Target;
  try {
    target = await targetOf(hpa, tools);
  } catch (error) {
    const why = messageOf(error);
    conditions.set("AbleToScale", "False", {
      reason: "FailedGetScale",
      message: `the HPA controller was unable to get the target's current scale: ${why}`,
    });
    tools.events.record(hpa, { type: "Warning", reason: "FailedGetScale", action: "Scale", note: why });
    return await conditions.write({});
  }
  const message = "the HPA controller was able to get the target's current scale";
  conditions.set("AbleToScale", "True", { reason: "SucceededGetScale", message });
  const current = target.scale.spec?.replicas ?? 0;
  if (memory.calls.length === 0) memory.calls.push({ replicas: current, atMs: tools.clock.monotonicMs() });
  const decision = await decide({ hpa, target, current, memory, conditions }, tools);
  if (decision === undefined) return await conditions.write({ currentReplicas: current });
  await scaleTo(decision, { hpa, target, current, memory, conditions }, tools);
}

interface Scene {
  readonly hpa: HorizontalPodAutoscaler;
  readonly target: Target;
  readonly current: number;
  readonly memory: Memory;
  readonly conditions: Conditions;
}

interface Decision {
  readonly replicas: number;
  readonly why: string;
  readonly metrics: Proposal["metrics"];
}

/** @returns undefined when nothing can be said */
async function decide(scene: Scene, tools: Reconcile): Promise<Decision | undefined> {
  const { hpa, current, memory, conditions } = scene;
  const { minReplicas: min = 1, maxReplicas: max, behavior } = hpa.spec;
  if (current === 0 && min !== 0) {
    const message = "scaling is disabled since the replica count of the target is zero";
    conditions.set("ScalingActive", "False", { reason: "ScalingDisabled", message });
    return { replicas: 0, why: "", metrics: [] };
  }
  if (current > max) return { replicas: max, why: "Current number of replicas above Spec.MaxReplicas", metrics: [] };
  if (current < min) return { replicas: min, why: "Current number of replicas below Spec.MinReplicas", metrics: [] };
  const proposal = await propose(scene, tools);
  if (proposal === undefined) return undefined;
  const nowMs = tools.clock.monotonicMs();
  const wish = { current, wanted: proposal.replicas, min, max, behavior, nowMs };
  const { replicas, able, limited } = limit(wish, memory);
  conditions.set("AbleToScale", "True", able);
  conditions.set("ScalingLimited", limited.status, limited);
  const above = proposal.replicas > current ? `${proposal.of} above target` : "All metrics below target";
  return { replicas, why: proposal.replicas === current ? "" : above, metrics: proposal.metrics };
}

async function propose({ hpa, target, current, conditions }: Scene, tools: Reconcile): Promise<Proposal | undefined> {
  const { events, cache } = tools;
  const selector = target.scale.status?.selector ?? "";
  if (selector === "") {
    const message = "the HPA target's scale is missing a selector";
    conditions.set("ScalingActive", "False", { reason: "InvalidSelector", message });
    events.record(hpa, { type: "Warning", reason: "SelectorRequired", action: "Scale", note: "selector is required" });
    return undefined;
  }
  const { namespace = "" } = hpa.metadata;
  const pods = cache.list(Pod, { namespace, labels: parseLabelSelector(selector) });
  const { proposal, failures, invalid } = await highest({ hpa, pods, selector, current }, tools);
  for (const { reason, note } of failures) events.record(hpa, { type: "Warning", reason, action: "Scale", note });
  const [first] = failures;
  if (first !== undefined && (proposal === undefined || proposal.replicas < current)) {
    const message = `the HPA was unable to compute the replica count: ${first.note}`;
    conditions.set("ScalingActive", "False", { reason: first.reason, message });
    events.record(hpa, { type: "Warning", reason: "FailedComputeMetricsReplicas", action: "Scale", note: invalid });
    return undefined;
  }
  if (proposal === undefined) return undefined;
  const message = `the HPA was able to successfully calculate a replica count from ${proposal.of}`;
  conditions.set("ScalingActive", "True", { reason: "ValidMetricFound", message });
  return proposal;
}

async function scaleTo({ replicas, why, metrics }: Decision, scene: Scene, tools: Reconcile): Promise<void> {
  const { hpa, target, current, memory, conditions } = scene;
  const status = { currentReplicas: current, desiredReplicas: replicas, currentMetrics: [...metrics] };
  if (replicas === current) return await conditions.write(status);
  const { resource, scale } = target;
  const note = `New size: ${replicas}; reason: ${why}`;
  try {
    await tools.client.scale(resource, scale, replicas);
  } catch (error) {
    const reason = messageOf(error);
    const message = `the HPA controller was unable to update the target scale: ${reason}`;
    conditions.set("AbleToScale", "False", { reason: "FailedUpdateScale", message });
    const failed = `${note}; error: ${reason}`;
    tools.events.record(hpa, { type: "Warning", reason: "FailedRescale", action: "Scale", note: failed });
    await conditions.write({ currentReplicas: current });
    throw error;
  }
  const message = `the HPA controller was able to update the target scale to ${replicas}`;
  conditions.set("AbleToScale", "True", { reason: "SucceededRescale", message });
  tools.events.record(hpa, { type: "Normal", reason: "SuccessfulRescale", action: "Scale", note });
  remember(memory, { from: current, to: replicas, nowMs: tools.clock.monotonicMs() });
  await conditions.write({ ...status, lastScaleTime: formatTime(tools.clock.nowMs()) });
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

import assert from "node:assert/strict";
import test from "node:test";
import type { Pod, PodDisruptionBudget } from "@atoll/client/builtin";
import { judge } from "./judge.ts";
import { preempt } from "./preemption.ts";
import type { Beside } from "./testing.ts";
import { cpu, nodeOf, placesOf, podOf, worldOf } from "./testing.ts";

const at = (priority: number, amount: string, more: object = {}) => ({ ...cpu(amount), priority, ...more });
const budget = (app: string, disruptionsAllowed: number) =>
  ({
    metadata: { name: app, namespace: "work" },
    spec: { selector: { matchLabels: { app } } },
    status: { disruptionsAllowed },
  }) as unknown as PodDisruptionBudget;

interface Given {
  readonly there: Readonly<Record<string, readonly Pod[]>>;
  readonly budgets?: readonly PodDisruptionBudget[];
  readonly beside?: Beside;
  readonly taints?: readonly object[];
}

/** `node: victims`, or why there is no room to be made. */
function roomFor(pod: Pod, { there, budgets = [], beside = {}, taints = [] }: Given): string {
  const nodes = [nodeOf("n1"), nodeOf("n2", {}, { taints })];
  const world = worldOf(placesOf(nodes, there), beside);
  const room = preempt(pod, { world, judgement: judge(pod, world), budgets });
  return typeof room === "string"
    ? room
    : `${room.place.name}: ${room.victims.map(({ metadata }) => metadata.name).join(" ")}`;
}

test("preempt() lets the fewest and least important go, from where it hurts least", () => {
  const there = {
    n1: [podOf("a", at(5, "400m")), podOf("b", at(1, "400m")), podOf("c", at(2, "200m"))],
    n2: [podOf("d", at(9, "1"))],
  };
  assert.equal(roomFor(podOf("p", at(10, "300m")), { there }), "n1: b");
  assert.equal(roomFor(podOf("p", at(10, "500m")), { there }), "n1: c b");
  assert.equal(roomFor(podOf("p", at(10, "900m")), { there }), "n1: a c b");
});

test("preempt() would rather let others go than those whom a budget wants kept, but lets them if it must", () => {
  const web = { labels: { app: "web" } };
  const there = { n1: [podOf("a", at(1, "1"), web)], n2: [podOf("b", at(5, "1"))] };
  assert.equal(roomFor(podOf("p", at(10, "1")), { there }), "n1: a");
  assert.equal(roomFor(podOf("p", at(10, "1")), { there, budgets: [budget("web", 0)] }), "n2: b");
  assert.equal(roomFor(podOf("p", at(10, "1")), { there, budgets: [budget("web", 1)] }), "n1: a");
  const both = { n1: [podOf("a", at(1, "1"), web)], n2: [podOf("b", at(5, "1"), web)] };
  assert.equal(roomFor(podOf("p", at(10, "1")), { there: both, budgets: [budget("web", 0)] }), "n1: a");
});

test("preempt() says why there is no room to be made", () => {
  const there = { n1: [podOf("a", at(10, "1"))], n2: [] };
  const taints = [{ key: "k", effect: "NoSchedule" }];
  assert.equal(
    roomFor(podOf("p", at(10, "500m")), { there, taints }),
    "0/2 nodes are available: 1 No preemption victims found for incoming pod, 1 Preemption is not helpful for scheduling.",
  );
  // What is more than a node has will not fit, whoever goes.
  const helpless = "0/2 nodes are available: 2 Preemption is not helpful for scheduling.";
  assert.equal(roomFor(podOf("p", at(20, "5")), { there }), helpless);
  const shy = at(20, "1", { preemptionPolicy: "Never" });
  assert.equal(roomFor(podOf("p", shy), { there, taints }), "not eligible due to preemptionPolicy=Never.");
});

test("preempt() waits for those on their way out on the node that the Pod was promised", () => {
  const conditions = [{ type: "DisruptionTarget", status: "True", reason: "PreemptionByScheduler" }];
  const going = { ...podOf("a", at(1, "1"), { deletionTimestamp: "now" }), status: { conditions } } as unknown as Pod;
  const there = { n1: [going], n2: [podOf("b", at(1, "1"))] };
  const pod = { ...podOf("p", at(5, "1")), status: { nominatedNodeName: "n1" } } as unknown as Pod;
  assert.equal(roomFor(pod, { there }), "not eligible due to a terminating pod on the nominated node.");
});

test("preempt() does not take the room that others wait for who matter as much", () => {
  const there = { n1: [podOf("a", at(1, "1"))], n2: [podOf("b", at(2, "1"))] };
  const beside = { nominees: { n1: [podOf("w", at(5, "1"))] } };
  assert.equal(roomFor(podOf("p", at(5, "1")), { there, beside }), "n2: b");
});

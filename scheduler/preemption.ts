/**
 * Whether less important Pods can make room for one that fits nowhere, and which of them must go: the fewest that
 * matter least, and if possible none that a PodDisruptionBudget wants kept.
 * Source: k8s.io/kubernetes/pkg/scheduler/framework/preemption/preemption.go, plugins/defaultpreemption
 */
import type { Pod, PodDisruptionBudget } from "@atoll/client/builtin";
import { parseTime } from "@atoll/machinery/clock";
import type { LabelSelectorObject } from "@atoll/machinery/selectors/labels";
import { matchesLabels, selectorOf } from "@atoll/machinery/selectors/labels";
import type { Judgement } from "./judge.ts";
import { refusalsAt } from "./judge.ts";
import type { Place } from "./places.ts";
import { changed } from "./places.ts";
import { explain } from "./verdict.ts";
import type { Refusal, World } from "./world.ts";
import { priorityOf, withPlace } from "./world.ts";

/** Who must go from where. */
export interface Room {
  readonly place: Place;
  /** The most important first. */
  readonly victims: readonly Pod[];
  /** How many of them a budget wants kept. */
  readonly violations: number;
}

/** What to judge by. */
export interface Scene {
  readonly world: World;
  readonly judgement: Judgement;
  readonly budgets: readonly PodDisruptionBudget[];
}

const notHelpful = "Preemption is not helpful for scheduling";

/** @returns where room is to be made; a text: why nowhere */
export function preempt(pod: Pod, scene: Scene): Room | string {
  const { world, judgement } = scene;
  if (pod.spec.preemptionPolicy === "Never") return "not eligible due to preemptionPolicy=Never.";
  if (isWaitingForRoom(pod, scene)) return "not eligible due to a terminating pod on the nominated node.";
  const rooms: Room[] = [];
  const reasons: (readonly string[])[] = [];
  for (const place of world.places) {
    const refusals = judgement.refused.get(place.name) ?? [];
    const isHopeless = judgement.nowhere !== undefined || refusals.some(({ isFinal }) => isFinal);
    const room = isHopeless ? [{ reason: notHelpful }] : roomAt(pod, place, scene);
    if ("place" in room) rooms.push(room);
    else reasons.push(room.map(({ reason }) => reason));
  }
  return chosen(rooms) ?? explain({ nodes: world.places.length, refusals: reasons });
}

/** Someone is on the way out for this Pod already. */
function isWaitingForRoom(pod: Pod, { world, judgement }: Scene): boolean {
  const nominated = pod.status?.nominatedNodeName ?? "";
  const place = world.places.find(({ name }) => name === nominated);
  if (place === undefined || judgement.refused.get(nominated)?.some(({ isFinal }) => isFinal) === true) return false;
  return [...place.pods.values()].some(
    (other) =>
      priorityOf(other) < priorityOf(pod) && other.metadata.deletionTimestamp !== undefined && isPreempted(other),
  );
}

function isPreempted({ status }: Pod): boolean {
  return (status?.conditions ?? []).some(
    ({ type, status: value, reason }) =>
      type === "DisruptionTarget" && value === "True" && reason === "PreemptionByScheduler",
  );
}

function roomAt(pod: Pod, place: Place, { world, budgets }: Scene): Room | readonly Pick<Refusal, "reason">[] {
  const lower = [...place.pods.values()].filter((other) => priorityOf(other) < priorityOf(pod)).toSorted(moreImportant);
  if (lower.length === 0) return [{ reason: "No preemption victims found for incoming pod" }];
  const add = world
    .nominees(place.name)
    .filter((other) => other.metadata.uid !== pod.metadata.uid && priorityOf(other) >= priorityOf(pod));
  const refusalsWithout = (gone: Iterable<Pod>) => {
    const emptier = changed(place, { add, remove: [...gone] });
    return refusalsAt(pod, emptier, withPlace(world, emptier));
  };
  const gone = new Set(lower);
  const refusals = refusalsWithout(gone);
  if (refusals.length > 0) return refusals;
  const { kept, rest } = byBudget(lower, budgets);
  let violations = 0;
  // One after another is let stay if there is room all the same; those that budgets want kept come first.
  for (const other of [...kept, ...rest]) {
    gone.delete(other);
    if (refusalsWithout(gone).length === 0) continue;
    gone.add(other);
    if (kept.includes(other)) violations += 1;
  }
  return { place, victims: lower.filter((other) => gone.has(other)), violations };
}

const startMs = ({ status }: Pod): number =>
  status?.startTime === undefined ? Number.POSITIVE_INFINITY : parseTime(status.startTime);

/** Higher priority first; among equals, who runs longer. */
function moreImportant(one: Pod, other: Pod): number {
  const difference = priorityOf(other) - priorityOf(one);
  if (difference !== 0) return difference;
  const [a, b] = [startMs(one), startMs(other)];
  return a === b ? 0 : a - b;
}

/** Parts Pods into those whose going a budget forbids, and the rest. Source: filterPodsWithPDBViolation */
function byBudget(pods: readonly Pod[], budgets: readonly PodDisruptionBudget[]) {
  const allowed = new Map(budgets.map((budget) => [budget, budget.status?.disruptionsAllowed ?? 0]));
  const [kept, rest]: [Pod[], Pod[]] = [[], []];
  for (const pod of pods) {
    let isKept = false;
    for (const budget of budgets.filter((each) => guards(each, pod))) {
      const left = (allowed.get(budget) ?? 0) - 1;
      allowed.set(budget, left);
      isKept ||= left < 0;
    }
    (isKept ? kept : rest).push(pod);
  }
  return { kept, rest };
}

function guards({ metadata, spec, status }: PodDisruptionBudget, pod: Pod): boolean {
  if (metadata.namespace !== pod.metadata.namespace) return false;
  const selector = selectorOf(spec?.selector as LabelSelectorObject | undefined);
  if (selector === undefined || selector.length === 0 || !matchesLabels(selector, pod.metadata.labels)) return false;
  return !Object.hasOwn(status?.disruptedPods ?? {}, pod.metadata.name ?? "");
}

const highest = ({ victims: [first] }: Room): number =>
  first === undefined ? Number.NEGATIVE_INFINITY : priorityOf(first);
/** Shifted, so that more Pods are never less than fewer. */
const sum = ({ victims }: Room): number => victims.reduce((total, pod) => total + priorityOf(pod) + 2 ** 31, 0);
/** When the one of the most important that runs longest began. */
const earliest = (room: Room): number =>
  Math.min(...room.victims.filter((pod) => priorityOf(pod) === highest(room)).map(startMs));

/** The place where it hurts least. Source: pickOneNodeForPreemption */
function chosen(rooms: readonly Room[]): Room | undefined {
  const measures: readonly ((room: Room) => number)[] = [
    ({ violations }) => violations,
    highest,
    sum,
    ({ victims }) => victims.length,
    (room) => -earliest(room),
  ];
  let left = rooms;
  for (const measure of measures) {
    if (left.length <= 1) break;
    const least = Math.min(...left.map(measure));
    left = left.filter((room) => measure(room) === least);
  }
  return left[0];
}

/**
 * Which nodes get a Pod, which lose one, and which Pods are replaced by those of a new template. Pure.
 * Source: k8s.io/kubernetes/pkg/controller/daemon (daemon_controller.go, update.go)
 */
import type { DaemonSetStatus } from "@atoll/api/builtin/apps/v1.types";
import type { DaemonSet, Node, Pod } from "@atoll/client/builtin";
import { endedAtMs, isAvailable, isFinished, isReady, nextAvailableInMs } from "../pods/state.ts";
import { isOfHash, judgeNode, nodeOf } from "./pod.ts";

/** The world that a plan is made for. */
export interface World {
  readonly set: DaemonSet;
  readonly nodes: readonly Node[];
  readonly pods: readonly Pod[];
  /** Which template is that of now. */
  readonly hash: string;
  readonly nowMs: number;
}

/** What to do. */
export interface Plan {
  /** Names of nodes that get a Pod. */
  readonly create: readonly string[];
  readonly remove: readonly Pod[];
  readonly afterMs: number | undefined;
}

/** Source: BurstReplicas */
const burst = 250;
/** How long a Pod that ended stays, so that a node which refuses it is not asked every instant, ms. */
const endedStayMs = 10_000;

interface Spot {
  readonly name: string;
  readonly run: boolean;
  readonly stay: boolean;
  /** All Pods there, those that are going included; the oldest first. */
  readonly pods: readonly Pod[];
}

/** What to do next. */
export function plan(world: World): Plan {
  const { set, pods, nowMs } = world;
  const spots = spotsOf(world);
  const afterMs = soonest(nextAvailableInMs(pods, set.spec.minReadySeconds ?? 0, nowMs), nextEndedInMs(pods, nowMs));
  if (set.metadata.deletionTimestamp !== undefined) return { create: [], remove: [], afterMs: undefined };
  const basic = manage(world, spots);
  if (basic.create.length + basic.remove.length > 0 || set.spec.updateStrategy?.type === "OnDelete")
    return { ...basic, afterMs };
  return { ...roll(world, spots), afterMs };
}

function soonest(...delays: readonly (number | undefined)[]): number | undefined {
  const known = delays.filter((delay) => delay !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}

function nextEndedInMs(pods: readonly Pod[], nowMs: number): number | undefined {
  const delays = pods.filter(isFinished).map((pod) => endedAtMs(pod) + endedStayMs - nowMs);
  return soonest(...delays.filter((delay) => delay > 0));
}

const age = ({ metadata }: Pod): string => `${metadata.creationTimestamp} ${metadata.name}`;

function spotsOf({ set, nodes, pods }: World): readonly Spot[] {
  const byNode = new Map<string, Pod[]>();
  for (const pod of [...pods].sort((a, b) => (age(a) < age(b) ? -1 : 1))) {
    const name = nodeOf(pod) ?? "";
    const there = byNode.get(name);
    if (there === undefined) byNode.set(name, [pod]);
    else there.push(pod);
  }
  const known = nodes.map((node): Spot => {
    const name = node.metadata.name ?? "";
    const own = byNode.get(name) ?? [];
    byNode.delete(name);
    return { name, ...judgeNode(set, node), pods: own };
  });
  // Pods meant for nodes that are not there; those bound to one are left to whoever clears away after nodes.
  const lost = [...byNode].map(([name, own]) => ({
    name,
    run: false,
    stay: false,
    pods: own.filter(({ spec }) => (spec.nodeName ?? "") === ""),
  }));
  return [...known, ...lost];
}

function isAlive({ metadata }: Pod): boolean {
  return metadata.deletionTimestamp === undefined;
}

function isNow({ set, nowMs }: World, pod: Pod): boolean {
  return isAvailable(pod, set.spec.minReadySeconds ?? 0, nowMs);
}

/** One Pod on each node that is to have one, none elsewhere. */
function manage(world: World, spots: readonly Spot[]): Pick<Plan, "create" | "remove"> {
  const create: string[] = [];
  const remove: Pod[] = [];
  for (const spot of spots) {
    if (spot.run && spot.pods.length === 0) create.push(spot.name);
    else if (spot.stay) remove.push(...superfluous(world, spot));
    else remove.push(...spot.pods.filter(isAlive));
  }
  return { create: create.slice(0, burst), remove: remove.slice(0, burst) };
}

/** Pods that have ended for a while, and all but one of those that run; while updates surge, one of each template. */
function superfluous(world: World, { pods }: Spot): readonly Pod[] {
  const ended = pods.filter((pod) => isAlive(pod) && isFinished(pod) && endedAtMs(pod) + endedStayMs <= world.nowMs);
  const running = pods.filter((pod) => isAlive(pod) && !isFinished(pod));
  const surges = limits(world).surge > 0;
  const fresh = running.filter((pod) => isOfHash(pod, world.hash));
  const old = running.filter((pod) => !isOfHash(pod, world.hash));
  if (!surges) return [...ended, ...bestFirst(running).slice(1)];
  // The old one may go once the new one serves, or when it does not serve itself.
  const isReplaced = fresh.some((pod) => isNow(world, pod));
  const kept = isReplaced ? [] : bestFirst(old).slice(0, 1);
  return [...ended, ...bestFirst(fresh).slice(1), ...old.filter((pod) => !kept.includes(pod))];
}

/** The one that is on its node already and oldest first. */
function bestFirst(pods: readonly Pod[]): readonly Pod[] {
  const rank = (pod: Pod) => `${(pod.spec.nodeName ?? "") === "" ? 1 : 0} ${isReady(pod) ? 0 : 1} ${age(pod)}`;
  return [...pods].sort((a, b) => (rank(a) < rank(b) ? -1 : 1));
}

function limits({ set, nodes }: World): { surge: number; unavailable: number } {
  const { maxSurge = 0, maxUnavailable = 1 } = set.spec.updateStrategy?.rollingUpdate ?? {};
  if (set.spec.updateStrategy?.type === "OnDelete") return { surge: 0, unavailable: 0 };
  const total = nodes.filter((node) => judgeNode(set, node).run).length;
  const surge = scaled(maxSurge, total);
  const unavailable = scaled(maxUnavailable, total);
  return { surge, unavailable: surge === 0 && unavailable === 0 ? 1 : unavailable };
}

function scaled(value: number | string, total: number): number {
  const percent = typeof value === "string" ? /^(\d+)%$/.exec(value) : null;
  return percent === null ? Number(value) || 0 : Math.ceil((Number(percent[1]) * total) / 100);
}

/** Replaces Pods of old templates: by deleting the old first, or by making the new first where updates surge. */
function roll(world: World, spots: readonly Spot[]): Pick<Plan, "create" | "remove"> {
  const { surge, unavailable } = limits(world);
  const running = spots.filter(({ run }) => run);
  return surge > 0 ? rollSurging(world, running, surge) : rollReplacing(world, running, unavailable);
}

function rollReplacing(world: World, spots: readonly Spot[], unavailable: number): Pick<Plan, "create" | "remove"> {
  const broken: Pod[] = [];
  const serving: Pod[] = [];
  let missing = 0;
  for (const { pods } of spots) {
    const [pod] = pods.filter(isAlive);
    const isServing = pod !== undefined && isNow(world, pod);
    if (!isServing) missing++;
    if (pod === undefined || isOfHash(pod, world.hash)) continue;
    if (isServing) serving.push(pod);
    else broken.push(pod);
  }
  // One that does not serve may be replaced at no cost.
  return { create: [], remove: [...broken, ...serving.slice(0, Math.max(0, unavailable - missing))] };
}

function rollSurging(world: World, spots: readonly Spot[], surge: number): Pick<Plan, "create" | "remove"> {
  let room = surge;
  const create: string[] = [];
  const at = spots.map((spot) => {
    const alive = spot.pods.filter((pod) => isAlive(pod) && !isFinished(pod));
    const fresh = alive.filter((pod) => isOfHash(pod, world.hash));
    return { name: spot.name, fresh, old: alive.filter((pod) => !fresh.includes(pod)) };
  });
  room -= at.filter(({ fresh, old }) => fresh.length > 0 && old.length > 0).length;
  for (const { name, fresh, old } of at) {
    if (fresh.length > 0 || old.length === 0) continue;
    const isBroken = !old.some((pod) => isNow(world, pod));
    if (!isBroken && room-- <= 0) continue;
    create.push(name);
  }
  return { create: create.slice(0, burst), remove: [] };
}

/** What the status says. */
export function summarise(world: World, collisionCount: number): DaemonSetStatus {
  const { set, hash, nowMs } = world;
  const spots = spotsOf(world);
  const wanted = spots.filter(({ run }) => run);
  const filled = wanted.filter(({ pods }) => pods.length > 0);
  const best = filled.flatMap(({ pods }) => bestFirst(pods).slice(0, 1));
  const numberAvailable = best.filter((pod) => isAvailable(pod, set.spec.minReadySeconds ?? 0, nowMs)).length;
  const optional = {
    observedGeneration: set.metadata.generation ?? 0,
    updatedNumberScheduled: filled.filter(({ pods }) => pods.some((pod) => isOfHash(pod, hash))).length,
    numberAvailable,
    numberUnavailable: wanted.length - numberAvailable,
  };
  const nonZero = Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== 0));
  const conditions = set.status?.conditions;
  return {
    currentNumberScheduled: filled.length,
    numberMisscheduled: spots.filter(({ run, pods }) => !run && pods.length > 0).length,
    desiredNumberScheduled: wanted.length,
    numberReady: best.filter(isReady).length,
    ...nonZero,
    ...(collisionCount > 0 && { collisionCount }),
    ...(conditions !== undefined && { conditions }),
  };
}

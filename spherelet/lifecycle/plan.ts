/**
 * What is to be done for a Pod now. Pure: the driver does it, and asks again after every change.
 * Source: k8s.io/kubernetes/pkg/kubelet/kuberuntime (computePodActions, computeInitContainerActions), KEP-753
 */
import type { Pod } from "@atoll/client/builtin";
import { restartMs, shouldRestart } from "./restart.ts";
import { castOf, isAlive, type Cast, type ContainerWorld, newContainer, type PodWorld } from "./world.ts";

/** One thing to do. */
export type Step =
  | { readonly do: "startMachine" }
  | { readonly do: "start"; readonly name: string }
  | { readonly do: "stop"; readonly name: string; readonly graceMs: number; readonly reason: string }
  | { readonly do: "endMachine" };

/** What to do now, and when to look again without any news. */
export interface Plan {
  readonly steps: readonly Step[];
  /** ms since the epoch. */
  readonly wakeMs: number;
  /** Nothing runs and nothing will. */
  readonly done: boolean;
}

const defaultGraceSeconds = 30;

interface Entry extends Cast {
  readonly world: ContainerWorld;
}

interface Sight {
  readonly pod: Pod;
  readonly world: PodWorld;
  readonly entries: readonly Entry[];
  readonly nowMs: number;
}

/** Plans for a Pod. */
export function planPod(pod: Pod, world: PodWorld, nowMs: number): Plan {
  const entries = castOf(pod).map((cast) => {
    return { ...cast, world: world.containers.get(cast.container.name) ?? newContainer(cast.container.name) };
  });
  const sight = { pod, world, entries, nowMs };
  if (world.ending !== undefined) return windDown(sight, world.ending.deadlineMs);
  if (isFinished(sight)) return windDown(sight, nowMs + graceSecondsOf(pod) * 1000);
  if (world.machine === "none") return startMachine(world, nowMs);
  if (world.machine === "stopping") return waitFor([]);
  // What a container needs besides is fetched while the machine starts.
  return keepRunning(sight);
}

/** The Pod's own grace period, s. */
export function graceSecondsOf({ spec }: Pod): number {
  return spec.terminationGracePeriodSeconds ?? defaultGraceSeconds;
}

/** Whether every main container has ended for good, or an init container has failed for good. */
export function isOver(pod: Pod, world: PodWorld): boolean {
  const entries = castOf(pod).map((cast) => {
    return { ...cast, world: world.containers.get(cast.container.name) ?? newContainer(cast.container.name) };
  });
  return isFinished({ pod, world, entries, nowMs: 0 });
}

function startMachine({ machineRetryMs }: PodWorld, nowMs: number): Plan {
  return machineRetryMs > nowMs ? waitFor([], machineRetryMs) : waitFor([{ do: "startMachine" }]);
}

function waitFor(steps: readonly Step[], wakeMs = Number.POSITIVE_INFINITY): Plan {
  return { steps, wakeMs, done: false };
}

function isFinished({ pod, world, entries }: Sight): boolean {
  const endedForGood = (entry: Entry) =>
    entry.world.run.phase === "ended" && !shouldRestart(pod, entry, entry.world.run.end);
  const hasFailed = (entry: Entry) =>
    endedForGood(entry) && entry.world.run.phase === "ended" && entry.world.run.end.exitCode !== 0;
  const mains = entries.filter(({ role }) => role === "main");
  if (mains.every(endedForGood)) return true;
  return !world.initialized && entries.some((entry) => entry.role === "init" && hasFailed(entry));
}

// ---- ending

/** Main containers end together, then the sidecars from the last to the first, then the machine. */
function windDown({ world, entries, nowMs }: Sight, deadlineMs: number): Plan {
  const alive = entries.filter((entry) => isAlive(entry.world));
  if (alive.length === 0) {
    if (world.machine === "none") return { steps: [], wakeMs: Number.POSITIVE_INFINITY, done: true };
    return waitFor([{ do: "endMachine" }]);
  }
  if (world.machine !== "running") return waitFor([]);
  const others = alive.filter(({ role }) => role !== "sidecar");
  const next = others.length > 0 ? others : alive.slice(-1);
  const graceMs = Math.max(deadlineMs - nowMs, 0);
  return waitFor(next.map(({ container }) => ({ do: "stop", name: container.name, graceMs, reason: "" })));
}

// ---- running

function keepRunning(sight: Sight): Plan {
  const { entries } = sight;
  const steps: Step[] = [];
  let wakeMs = Number.POSITIVE_INFINITY;
  const consider = (entry: Entry) => {
    const verdict = startOf(sight, entry);
    if (verdict === "now") steps.push({ do: "start", name: entry.container.name });
    else wakeMs = Math.min(wakeMs, verdict);
  };
  for (const entry of entries) if (entry.world.unfit !== undefined) steps.push(...stopUnfit(sight, entry));
  const inits = entries.filter(({ role }) => role === "init" || role === "sidecar");
  const mains = entries.filter(({ role }) => role === "main");
  let initialized = true;
  for (const entry of inits) {
    // What initialized this machine is not asked again; sidecars run until the end.
    if (sight.world.initialized && entry.role === "init") continue;
    const passed = hasPassed(entry);
    if (!passed || entry.role === "sidecar") consider(entry);
    if (passed || sight.world.initialized) continue;
    initialized = false;
    break;
  }
  if (initialized) mains.forEach(consider);
  for (const entry of entries) if (entry.role === "ephemeral") consider(entry);
  return waitFor(steps, wakeMs);
}

/** Whether the init containers after this one may start. */
function hasPassed({ role, world: { run, started } }: Entry): boolean {
  if (role === "sidecar") return run.phase === "running" && started;
  return run.phase === "ended" && run.end.exitCode === 0;
}

/** When a container is to be started; infinity when not at all. */
function startOf({ pod, nowMs }: Sight, entry: Entry): "now" | number {
  const { run, backOff, obstacle } = entry.world;
  if (run.phase !== "none" && run.phase !== "ended") return Number.POSITIVE_INFINITY;
  if (run.phase === "ended" && !shouldRestart(pod, entry, run.end)) return Number.POSITIVE_INFINITY;
  const dueMs = Math.max(obstacle?.retryMs ?? 0, run.phase === "ended" ? restartMs(backOff, run.end) : 0);
  return dueMs <= nowMs ? "now" : dueMs;
}

function stopUnfit({ pod }: Sight, { world, container }: Entry): Step[] {
  if (world.unfit === undefined || world.run.phase !== "running") return [];
  const { graceSeconds = graceSecondsOf(pod), message } = world.unfit;
  return [{ do: "stop", name: container.name, graceMs: graceSeconds * 1000, reason: message }];
}

/**
 * What the API is told of a Pod. Pure: the object, what is known of its containers, and what was told last.
 * Source: k8s.io/kubernetes/pkg/kubelet (kubelet_pods.go getPhase and convertToAPIContainerStatuses, status/generate.go)
 */
import type { ContainerState, ContainerStatus, PodCondition, PodStatus } from "@atoll/api/builtin/core/v1.types";
import type { Pod } from "@atoll/client/builtin";
import { formatTime } from "@atoll/machinery/clock";
import { isOver } from "./plan.ts";
import { qosOf } from "./qos.ts";
import { restartMs, shouldRestart } from "./restart.ts";
import {
  castOf,
  isAlive,
  type Cast,
  type ContainerWorld,
  newContainer,
  type PodWorld,
  type Termination,
} from "./world.ts";

/** What else a status is made of. */
export interface StatusFacts {
  readonly nowMs: number;
  readonly hostIP: string;
  /** "" while there is none. */
  readonly podIP: string;
  /** What was told last; transition times are kept from it. */
  readonly before: PodStatus | undefined;
}

type Phase = "Pending" | "Running" | "Succeeded" | "Failed";

interface Entry extends Cast {
  readonly world: ContainerWorld;
}

/** The status of a Pod. */
export function statusOf(pod: Pod, world: PodWorld, facts: StatusFacts): PodStatus {
  const entries = castOf(pod).map((cast) => {
    return { ...cast, world: world.containers.get(cast.container.name) ?? newContainer(cast.container.name) };
  });
  const phase = phaseOf(pod, world, entries);
  const hasInits = entries.some(({ role }) => role === "init" || role === "sidecar");
  const statuses = (...roles: readonly string[]) =>
    entries.filter(({ role }) => roles.includes(role)).map((entry) => containerStatus(pod, entry, { hasInits, facts }));
  const failure = phase === "Failed" ? world.ending?.failure : undefined;
  const initContainerStatuses = statuses("init", "sidecar");
  const ephemeralContainerStatuses = statuses("ephemeral");
  return {
    ...observed(pod),
    phase,
    conditions: conditionsOf(pod, { world, entries, phase, facts }),
    ...(failure === undefined ? {} : failure),
    hostIP: facts.hostIP,
    hostIPs: [{ ip: facts.hostIP }],
    ...(facts.podIP === "" ? {} : { podIP: facts.podIP, podIPs: [{ ip: facts.podIP }] }),
    startTime: formatTime(world.sinceMs),
    ...(initContainerStatuses.length === 0 ? {} : { initContainerStatuses }),
    containerStatuses: statuses("main"),
    ...(ephemeralContainerStatuses.length === 0 ? {} : { ephemeralContainerStatuses }),
    qosClass: pod.status?.qosClass ?? qosOf(pod.spec),
  };
}

/** The status of a Pod that is not run here at all. */
export function refusedStatus(pod: Pod, refusal: { reason: string; message: string }, nowMs: number): PodStatus {
  return {
    ...observed(pod),
    phase: "Failed",
    ...refusal,
    startTime: formatTime(nowMs),
    qosClass: pod.status?.qosClass ?? qosOf(pod.spec),
  };
}

function observed({ metadata: { generation } }: Pod): { observedGeneration?: number } {
  return generation === undefined ? {} : { observedGeneration: generation };
}

// ---- phase

/** A Pod is told to have ended only when nothing of it runs any more. */
function phaseOf(pod: Pod, world: PodWorld, entries: readonly Entry[]): Phase {
  const told = pod.status?.phase;
  if (told === "Succeeded" || told === "Failed") return told;
  const mains = entries.filter(({ role }) => role === "main");
  const hasBegun = mains.some(({ world: { run, last } }) => {
    return (run.phase !== "none" && run.phase !== "starting") || last !== undefined;
  });
  const living: Phase = hasBegun ? "Running" : "Pending";
  if (entries.some((entry) => isAlive(entry.world))) return living;
  if (world.ending?.failure !== undefined) return "Failed";
  if (isOver(pod, world)) return succeeded(mains) ? "Succeeded" : "Failed";
  // Deleted before it was over: how its containers ended decides.
  if (world.ending !== undefined && hasBegun) return succeeded(mains) ? "Succeeded" : "Failed";
  return living;
}

const succeeded = (mains: readonly Entry[]): boolean =>
  mains.every(({ world: { run } }) => run.phase === "ended" && run.end.exitCode === 0);

// ---- containers

interface Context {
  readonly hasInits: boolean;
  readonly facts: StatusFacts;
}

function containerStatus(pod: Pod, entry: Entry, { hasInits, facts }: Context): ContainerStatus {
  const { container, world, role } = entry;
  const { run } = world;
  const state = stateOf(pod, entry, { hasInits, facts });
  const isRunning = run.phase === "running" || run.phase === "stopping";
  // A container that waits for its next run shows the last one as the last.
  const last = run.phase === "ended" && state.terminated === undefined ? run.end : world.last;
  return {
    name: container.name,
    state,
    lastState: last === undefined ? {} : { terminated: terminated(last) },
    ready: role === "init" ? state.terminated?.exitCode === 0 : isRunning && world.ready && world.started,
    restartCount: world.restarts,
    image: container.image ?? "",
    imageID: world.imageId,
    ...(world.containerId === "" ? {} : { containerID: `crx://${world.containerId}` }),
    ...(role === "ephemeral" ? {} : { started: isRunning && world.started, ...resourcesOf(world) }),
  };
}

/** What a container that runs has, and was promised. Source: KEP-1287 */
function resourcesOf({ run, resources }: ContainerWorld): Partial<ContainerStatus> {
  if (resources === undefined || run.phase === "none" || run.phase === "ended") return {};
  const { requests } = resources;
  return { resources, ...(requests === undefined ? {} : { allocatedResources: requests }) };
}

function stateOf(pod: Pod, entry: Entry, { hasInits, facts }: Context): ContainerState {
  const { run, obstacle, backOff } = entry.world;
  if (run.phase === "running" || run.phase === "stopping") {
    return { running: { startedAt: formatTime(run.startedMs) } };
  }
  const { reason = "", message = "" } = obstacle ?? {};
  const waits = reason === "" ? undefined : { reason, message };
  if (run.phase === "ended") {
    if (waits !== undefined) return { waiting: waits };
    const dueMs = restartMs(backOff, run.end);
    const willRestart = dueMs > facts.nowMs && shouldRestart(pod, entry, run.end);
    if (!willRestart || backOff === undefined) return { terminated: terminated(run.end) };
    return { waiting: { reason: "CrashLoopBackOff", message: backOffMessage(pod, entry, backOff.delayMs) } };
  }
  return { waiting: waits ?? { reason: hasInits ? "PodInitializing" : "ContainerCreating" } };
}

function backOffMessage({ metadata }: Pod, { container }: Entry, delayMs: number): string {
  const pod = `${metadata.name}_${metadata.namespace}(${metadata.uid})`;
  return `back-off ${spellDelay(delayMs)} restarting failed container=${container.name} pod=${pod}`;
}

/** As Go spells durations: 10s, 1m20s, 5m0s. */
function spellDelay(delayMs: number): string {
  const seconds = Math.round(delayMs / 1000);
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${seconds % 60}s`;
}

function terminated(end: Termination): NonNullable<ContainerState["terminated"]> {
  return {
    exitCode: end.exitCode,
    ...(end.signal === 0 ? {} : { signal: end.signal }),
    reason: end.reason,
    ...(end.message === "" ? {} : { message: end.message }),
    startedAt: formatTime(end.startedMs),
    finishedAt: formatTime(end.finishedMs),
    containerID: `crx://${end.containerId}`,
  };
}

// ---- conditions

interface Verdict {
  readonly status: "True" | "False";
  readonly reason?: string;
  readonly message?: string;
}

interface ConditionSight {
  readonly world: PodWorld;
  readonly entries: readonly Entry[];
  readonly phase: Phase;
  readonly facts: StatusFacts;
}

function conditionsOf(pod: Pod, sight: ConditionSight): PodCondition[] {
  const { world, facts } = sight;
  const containersReady = containersReadyVerdict(sight);
  const verdicts: Readonly<Record<string, Verdict>> = {
    PodReadyToStartContainers: { status: world.machine === "running" ? "True" : "False" },
    Initialized: initializedVerdict(sight),
    Ready: readyVerdict(pod, containersReady),
    ContainersReady: containersReady,
    PodScheduled: { status: "True" },
    ...resizeVerdicts(world),
  };
  return Object.entries(verdicts).map(([type, verdict]) => {
    const before = facts.before?.conditions?.find((condition) => condition.type === type);
    const isSame = before?.status === verdict.status;
    const lastTransitionTime = isSame ? before.lastTransitionTime : formatTime(facts.nowMs);
    return { type, ...observed(pod), ...verdict, lastProbeTime: null, lastTransitionTime };
  });
}

/** Source: k8s.io/api/core/v1 (PodResizePending, PodResizeInProgress) */
function resizeVerdicts({ resize }: PodWorld): Readonly<Record<string, Verdict>> {
  if (resize === undefined) return {};
  const type = resize.reason === "Error" ? "PodResizeInProgress" : "PodResizePending";
  return { [type]: { status: "True", ...resize } };
}

const completed: Verdict = { status: "False", reason: "PodCompleted" };

function initializedVerdict({ world, entries, phase }: ConditionSight): Verdict {
  const inits = entries.filter(({ role }) => role === "init" || role === "sidecar");
  if (world.initialized || inits.length === 0) return { status: "True" };
  if (phase === "Succeeded") return { status: "True", reason: "PodCompleted" };
  const missing = inits.filter(({ role, world: { run, started } }) => {
    return role === "sidecar"
      ? !(run.phase === "running" && started)
      : !(run.phase === "ended" && run.end.exitCode === 0);
  });
  if (missing.length === 0) return { status: "True" };
  const message = `containers with incomplete status: [${missing.map(({ container }) => container.name).join(" ")}]`;
  return { status: "False", reason: "ContainersNotInitialized", message };
}

function containersReadyVerdict({ entries, phase }: ConditionSight): Verdict {
  if (phase === "Succeeded") return completed;
  if (phase === "Failed") return { status: "False", reason: "PodFailed" };
  const counted = entries.filter(({ role }) => role === "main" || role === "sidecar");
  const unready = counted.filter(({ world: { run, ready, started } }) => {
    return !((run.phase === "running" || run.phase === "stopping") && ready && started);
  });
  if (unready.length === 0) return { status: "True" };
  const message = `containers with unready status: [${unready.map(({ container }) => container.name).join(" ")}]`;
  return { status: "False", reason: "ContainersNotReady", message };
}

function readyVerdict(pod: Pod, containersReady: Verdict): Verdict {
  if (containersReady.status === "False") return containersReady;
  const unmet = (pod.spec.readinessGates ?? []).filter(({ conditionType }) => {
    return pod.status?.conditions?.find(({ type }) => type === conditionType)?.status !== "True";
  });
  if (unmet.length === 0) return { status: "True" };
  const sentences = unmet.map(({ conditionType }) => {
    const known = pod.status?.conditions?.some(({ type }) => type === conditionType) ?? false;
    return known
      ? `the status of pod readiness gate "${conditionType}" is not "True", but False`
      : `corresponding condition of pod readiness gate "${conditionType}" does not exist.`;
  });
  return { status: "False", reason: "ReadinessGatesNotReady", message: sentences.join(", ") };
}

/**
 * A pod in `kubectl get pods`: what it is doing, in a word.
 * Source: k8s.io/kubernetes/pkg/printers/internalversion/printers.go (printPod)
 */
import { parseTime } from "@atoll/machinery/clock";
import type { Container, ContainerStatus, Pod } from "../../builtin/core/v1.types.ts";
import { age, ageColumn, column, humanDuration, nameColumn } from "../../cells.ts";
import type { TableShape } from "../../kind.ts";

export const podTable: TableShape<Pod> = {
  columns: [
    nameColumn,
    column("Ready", "Containers that are ready, of all that should be."),
    column("Status", "What the pod is doing: its phase, or the reason why it does not get on."),
    column("Restarts", "How often containers have been started again, and how long ago the last time."),
    ageColumn,
    column("IP", "Address of the pod.", 1),
    column("Node", "Node the pod runs on.", 1),
    column("Nominated Node", "Node that is being made free for the pod.", 1),
    column("Readiness Gates", "Conditions beyond readiness that hold, of all that must.", 1),
  ],
  cells: (pod, nowMs) => {
    const { ready, total, restarts, lastRestartMs } = countContainers(pod);
    const { metadata, spec, status } = pod;
    return [
      metadata.name ?? "",
      `${ready}/${total}`,
      statusWord(pod),
      lastRestartMs === undefined ? String(restarts) : `${restarts} (${humanDuration(nowMs - lastRestartMs)} ago)`,
      age(metadata.creationTimestamp, nowMs),
      status.podIPs?.[0]?.ip || status.podIP || none,
      spec.nodeName || none,
      status.nominatedNodeName || none,
      gates(pod),
    ];
  },
  conditions: ({ status }) => {
    if (status.phase === "Succeeded") return [finished("Succeeded", "The pod has completed successfully.")];
    return status.phase === "Failed" ? [finished("Failed", "The pod failed.")] : [];
  },
};

const none = "<none>";

function finished(reason: string, message: string) {
  return { type: "Completed", status: "True", reason, message };
}

interface Counts {
  readonly ready: number;
  readonly total: number;
  readonly restarts: number;
  readonly lastRestartMs: number | undefined;
}

/** Sidecars count with the ordinary containers; other init containers only until they are done. */
function countContainers({ spec, status }: Pod): Counts {
  const sidecars = (spec.initContainers ?? []).filter(isSidecar);
  const names = new Set(sidecars.map(({ name }) => name));
  const inits = status.initContainerStatuses ?? [];
  const initializing = initWord(spec.initContainers ?? [], inits) !== undefined && !isInitialized(status.conditions);
  const sidecarStatuses = inits.filter(({ name }) => names.has(name));
  const main = [...sidecarStatuses, ...(status.containerStatuses ?? [])];
  const counted = initializing ? inits : main;
  const restarts = counted.reduce((sum, { restartCount }) => sum + restartCount, 0);
  const times = counted
    .map(({ lastState }) => parseTime(lastState?.terminated?.finishedAt ?? ""))
    .filter((time) => !Number.isNaN(time));
  return {
    ready: initializing ? sidecarStatuses.filter(isRunningReady).length : main.filter(isRunningReady).length,
    total: sidecars.length + (spec.containers ?? []).length,
    restarts,
    lastRestartMs: restarts > 0 && times.length > 0 ? Math.max(...times) : undefined,
  };
}

function isRunningReady({ ready, state, started }: ContainerStatus): boolean {
  return ready && (state?.running !== undefined || started === true);
}

function isSidecar({ restartPolicy }: Container): boolean {
  return restartPolicy === "Always";
}

function isInitialized(conditions: Pod["status"]["conditions"]): boolean {
  return conditions?.some(({ type, status }) => type === "Initialized" && status === "True") === true;
}

function statusWord(pod: Pod): string {
  const { metadata, status } = pod;
  const word = livingWord(pod);
  if (metadata.deletionTimestamp === undefined) return word;
  if (status.reason === "NodeLost") return "Unknown";
  const over = status.phase === "Succeeded" || status.phase === "Failed";
  return over ? word : "Terminating";
}

function livingWord({ spec, status }: Pod): string {
  const gated = status.conditions?.some(({ type, reason }) => type === "PodScheduled" && reason === "SchedulingGated");
  const phase = gated === true ? "SchedulingGated" : status.reason || status.phase || "";
  const init = initWord(spec.initContainers ?? [], status.initContainerStatuses ?? []);
  if (init !== undefined && !isInitialized(status.conditions)) return init;
  return containersWord(status.containerStatuses ?? [], phase, status.conditions);
}

/** What the first init container that is not done says; undefined when all are. */
function initWord(containers: readonly Container[], statuses: readonly ContainerStatus[]): string | undefined {
  for (const [i, { name, state, started }] of statuses.entries()) {
    const spec = containers.find((container) => container.name === name);
    if (state.terminated?.exitCode === 0) continue;
    if (spec !== undefined && isSidecar(spec) && started === true) continue;
    if (state.terminated !== undefined) return `Init:${terminatedWord(state.terminated)}`;
    const waiting = state.waiting?.reason;
    if (waiting && waiting !== "PodInitializing") return `Init:${waiting}`;
    return `Init:${i}/${containers.length}`;
  }
  return undefined;
}

function terminatedWord({ reason, signal, exitCode }: { reason?: string; signal?: number; exitCode: number }): string {
  if (reason) return reason;
  return signal !== undefined && signal !== 0 ? `Signal:${signal}` : `ExitCode:${exitCode}`;
}

/** The reason of the first container that has one; a pod that is partly done but runs is Running. */
function containersWord(
  statuses: readonly ContainerStatus[],
  phase: string,
  conditions: Pod["status"]["conditions"],
): string {
  let word = phase;
  let running = false;
  for (const { state, ready } of [...statuses].reverse()) {
    if (state.waiting?.reason) word = state.waiting.reason;
    else if (state.terminated !== undefined) word = terminatedWord(state.terminated);
    else if (ready && state.running !== undefined) running = true;
  }
  if (word !== "Completed" || !running) return word;
  const isReady = conditions?.some(({ type, status }) => type === "Ready" && status === "True") === true;
  return isReady ? "Running" : "NotReady";
}

function gates({ spec, status }: Pod): string {
  const wanted = spec.readinessGates ?? [];
  if (wanted.length === 0) return none;
  const held = wanted.filter(({ conditionType }) =>
    status.conditions?.some(({ type, status: state }) => type === conditionType && state === "True"),
  );
  return `${held.length}/${wanted.length}`;
}

/**
 * What is known of a Pod's machine and containers: the state that plans are made from. Only the Pod's driver changes it.
 *
 *   none ──▶ starting ──▶ running ──▶ stopping ──▶ ended ──▶ starting …
 *                 └───────────┴──────────────────────▲
 */
import type { Container, EphemeralContainer, ResourceRequirements } from "@atoll/api/builtin/core/v1.types";
import type { Pod } from "@atoll/client/builtin";
import { parseTime } from "@atoll/machinery/clock";

/** How a run of a container ended. Times are ms since the epoch. */
export interface Termination {
  readonly exitCode: number;
  readonly signal: number;
  /** Completed, Error, OOMKilled, StartError, ContainerStatusUnknown. */
  readonly reason: string;
  readonly message: string;
  readonly startedMs: number;
  readonly finishedMs: number;
  readonly containerId: string;
}

/** Where a container is. */
export type Run =
  | { readonly phase: "none" }
  | { readonly phase: "starting" }
  | { readonly phase: "running"; readonly startedMs: number }
  | { readonly phase: "stopping"; readonly startedMs: number }
  | { readonly phase: "ended"; readonly end: Termination };

/** Why a container that should start does not. */
export interface Obstacle {
  /** As in a container's waiting state: ErrImagePull, CreateContainerConfigError. */
  readonly reason: string;
  readonly message: string;
  /** When to try again, ms since the epoch. */
  readonly retryMs: number;
}

/** How long a crashing container is left alone, and since when that is so. */
export interface BackOff {
  readonly delayMs: number;
  readonly setMs: number;
}

/** One container. */
export interface ContainerWorld {
  readonly name: string;
  run: Run;
  /** How the run before this one ended. */
  last: Termination | undefined;
  /** Runs before this one. */
  restarts: number;
  /** Identifies this run; "" before the first. */
  containerId: string;
  /** What the image was found to be; "" before. */
  imageId: string;
  obstacle: Obstacle | undefined;
  backOff: BackOff | undefined;
  /** What its run may use, which is what its Pod says but for a change that is not made; undefined before the first. */
  resources: ResourceRequirements | undefined;
  /** Its startup probe and postStart hook are behind it. */
  started: boolean;
  /** Its readiness probe is content. */
  ready: boolean;
  /** A probe or hook wants it to be stopped, with so much grace. */
  unfit: { readonly reason: string; readonly message: string; readonly graceSeconds: number | undefined } | undefined;
}

/** Where the Pod's machine is. */
export type MachinePhase = "none" | "starting" | "running" | "stopping";

/** Why a Pod is being ended, whatever its containers do. */
export interface Ending {
  /** undefined: it was deleted; otherwise its phase becomes Failed with this reason. */
  readonly failure: { readonly reason: string; readonly message: string } | undefined;
  /** By when its containers are killed, ms since the epoch. */
  readonly deadlineMs: number;
}

/** A change of resources that can never be made here, cannot be made now, or failed and is tried again. */
export interface ResizeObstacle {
  readonly reason: "Infeasible" | "Deferred" | "Error";
  readonly message: string;
}

/** Everything about a Pod that is not in the object. */
export interface PodWorld {
  machine: MachinePhase;
  /** Machines before this one. */
  machines: number;
  /** A machine that could not be started is tried again then, ms since the epoch. */
  machineRetryMs: number;
  /** Init containers of this machine are behind it: a main container was started. */
  initialized: boolean;
  readonly containers: Map<string, ContainerWorld>;
  ending: Ending | undefined;
  /** Why a change of resources is not made. */
  resize: ResizeObstacle | undefined;
  /** When the spherelet first saw the Pod, ms since the epoch. */
  readonly sinceMs: number;
}

/** Part that a container plays in its Pod. */
export type Role = "init" | "sidecar" | "main" | "ephemeral";

/** A container of a Pod and the part it plays. */
export interface Cast {
  readonly container: Container | EphemeralContainer;
  readonly role: Role;
}

/** The containers of a Pod: init containers and sidecars in order, then the main ones, then the ephemeral ones. */
export function castOf({ spec }: Pod): readonly Cast[] {
  const inits = (spec.initContainers ?? []).map((container): Cast => {
    return { container, role: container.restartPolicy === "Always" ? "sidecar" : "init" };
  });
  const mains = (spec.containers ?? []).map((container): Cast => ({ container, role: "main" }));
  const ephemerals = (spec.ephemeralContainers ?? []).map((container): Cast => ({ container, role: "ephemeral" }));
  return [...inits, ...mains, ...ephemerals];
}

/** A container that has not run yet. */
export function newContainer(name: string): ContainerWorld {
  return {
    name,
    run: { phase: "none" },
    last: undefined,
    restarts: 0,
    containerId: "",
    imageId: "",
    obstacle: undefined,
    backOff: undefined,
    resources: undefined,
    started: false,
    ready: false,
    unfit: undefined,
  };
}

/** A Pod that was just seen. */
export function newWorld(sinceMs: number): PodWorld {
  return {
    machine: "none",
    machines: 0,
    machineRetryMs: 0,
    initialized: false,
    containers: new Map(),
    ending: undefined,
    resize: undefined,
    sinceMs,
  };
}

/** The state of a container, made when it is new. */
export function containerOf(world: PodWorld, name: string): ContainerWorld {
  let container = world.containers.get(name);
  if (container === undefined) {
    container = newContainer(name);
    world.containers.set(name, container);
  }
  return container;
}

/** Whether a process of the container may be alive. */
export const isAlive = ({ run }: ContainerWorld): boolean =>
  run.phase === "starting" || run.phase === "running" || run.phase === "stopping";

/** When the Pod began on its node: as was told once, else now. */
export function startMsOf({ status }: Pod, nowMs: number): number {
  const told = parseTime(status?.startTime ?? "");
  return Number.isNaN(told) ? nowMs : told;
}

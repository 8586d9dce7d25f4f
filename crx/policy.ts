/**
 * What may happen to a machine in which phase: pure, and the only place that knows. The driver asks before it acts.
 *
 * planned ──▶ starting ──▶ running ──▶ stopping
 *    │           │            │           │
 *    └───────────┴─── gone ◀──┴───────────┘
 */
import type { ExitRecord } from "./records.ts";

/** How a machine came up. */
export type StartedAs = "clone" | "boot";

/** How a machine ended. `detail` is for people. */
export interface Outcome {
  readonly how:
    | "shutDown" // it went off by itself, or was asked to
    | "killed" // we ended it
    | "leaseLost"
    | "panicked"
    | "crashed" // QEMU ended otherwise
    | "untrusted" // it broke the channel's protocol, and was ended for it
    | "neverStarted"
    | "lost"; // the host restarted, or its records are gone
  readonly detail: string;
  readonly atMs: number;
}

/** Where a machine is in its life. */
export type MachineState =
  | { readonly phase: "planned" }
  | { readonly phase: "starting"; readonly sinceMs: number }
  | { readonly phase: "running"; readonly startedAs: StartedAs; readonly startMs: number; readonly why: string }
  | { readonly phase: "stopping"; readonly sinceMs: number }
  | { readonly phase: "gone"; readonly outcome: Outcome };

/** What can be asked of a machine. */
export type MachineRequest = "attachDisk" | "detachDisk" | "shutDown" | "kill" | "remove";

/** Why not. */
export type Refusal = "notRunning" | "alreadyStopping" | "alreadyGone" | "notGone";

/** A request that does not fit the machine's phase. */
export class NotNow extends Error {
  override readonly name = "NotNow";
  readonly refusal: Refusal;
  constructor(request: MachineRequest, refusal: Refusal) {
    super(`${request}: ${refusal}`);
    this.refusal = refusal;
  }
}

const allowed: Record<MachineRequest, Record<MachineState["phase"], Refusal | undefined>> = {
  attachDisk: {
    planned: "notRunning",
    starting: "notRunning",
    running: undefined,
    stopping: "alreadyStopping",
    gone: "alreadyGone",
  },
  detachDisk: {
    planned: "notRunning",
    starting: "notRunning",
    running: undefined,
    stopping: "alreadyStopping",
    gone: "alreadyGone",
  },
  shutDown: {
    planned: "notRunning",
    starting: "notRunning",
    running: undefined,
    stopping: undefined, // a shorter grace period may be given later
    gone: "alreadyGone",
  },
  kill: { planned: undefined, starting: undefined, running: undefined, stopping: undefined, gone: undefined },
  remove: { planned: "notGone", starting: "notGone", running: "notGone", stopping: "notGone", gone: undefined },
};

/** Why a request must be refused now; undefined when it may run. */
export function refusalOf(state: MachineState, request: MachineRequest): Refusal | undefined {
  return allowed[request][state.phase];
}

/** Whether one state may follow another: the arrows of the drawing above. */
export function mayFollow(from: MachineState["phase"], to: MachineState["phase"]): boolean {
  const arrows: Record<MachineState["phase"], readonly MachineState["phase"][]> = {
    planned: ["starting", "gone"],
    starting: ["running", "gone"],
    running: ["stopping", "gone"],
    stopping: ["gone"],
    gone: [],
  };
  return arrows[from].includes(to);
}

/** What the driver knew when QEMU was gone. */
export interface LastSigns {
  readonly exit: ExitRecord | undefined;
  /** QEMU reported a panic, or the console shows one. */
  readonly panicked: boolean;
  /** How the guest broke the protocol, if it did. */
  readonly broke: string | undefined;
  /** It was running or being stopped, not starting. */
  readonly hadStarted: boolean;
  /** Why the driver gave its start up, if it did. */
  readonly startProblem: string | undefined;
  readonly nowMs: number;
}

/** The truth about an end, from whatever signs there are; the gravest cause wins. */
export function outcomeOf(signs: LastSigns): Outcome {
  const { exit } = signs;
  const atMs = exit?.atMs ?? signs.nowMs;
  if (signs.broke !== undefined) return { how: "untrusted", detail: signs.broke, atMs };
  if (signs.panicked) return { how: "panicked", detail: "the guest's kernel panicked", atMs };
  if (signs.startProblem !== undefined) return { how: "neverStarted", detail: signs.startProblem, atMs };
  if (exit === undefined) return { how: "lost", detail: "no record of its end", atMs };
  if (exit.reason === "lease ran out") return { how: "leaseLost", detail: "its lease was not renewed", atMs };
  if (exit.reason === "stopped") return { how: "killed", detail: "ended by the host", atMs };
  if (exit.reason !== "exited") return { how: "neverStarted", detail: exit.reason, atMs };
  if (exit.signal !== 0) return { how: "crashed", detail: `QEMU was ended by signal ${exit.signal}`, atMs };
  if (exit.code !== 0) {
    const how = signs.hadStarted ? "crashed" : "neverStarted";
    return { how, detail: `QEMU exited with ${exit.code}`, atMs };
  }
  return { how: "shutDown", detail: "it went off", atMs };
}

/** The runs of a Pod's containers in its machine: started, followed, stopped, and taken over from an earlier spherelet. */
import { createHash } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { GuestRefused } from "@atoll/crx/channel/session";
import type { LogRecord } from "@atoll/crx/channel/stream";
import type { Container as GuestContainer, Exit, ProcessSpec } from "@atoll/crx/guest";
import { endsWithin, type Timer } from "@atoll/machinery/clock";
import { nextBackOff, restartMs, shouldRestart } from "../lifecycle/restart.ts";
import { type Cast, castOf, containerOf, type ContainerWorld, type Run, type Termination } from "../lifecycle/world.ts";
import { LogKeeper, removeLog } from "../logs/keeper.ts";
import { tailText } from "../logs/tail.ts";
import { CannotStart } from "../translate/failure.ts";
import type { PodVolumes } from "../volumes/podvolumes.ts";
import { VolumeUnfilled } from "../volumes/contents.ts";
import type { PodContext } from "./context.ts";
import { imageIdOf, obtainImage } from "./imagery.ts";
import { makeSpec, mountImageVolumes, processOf } from "./making.ts";
import { allottedTo } from "./resizing.ts";
import { logFolder } from "./record.ts";
import type { Sandbox } from "./sandbox.ts";

/** A container that is in the machine. */
export interface Live {
  readonly cast: Cast;
  readonly container: GuestContainer;
  /** Resolves when its output is written down. */
  readonly kept: Promise<void>;
  /** Told every piece of output as it comes. */
  readonly taps: Set<(record: LogRecord) => void>;
  readonly keeper: LogKeeper;
  /** What further programs in it run as. */
  process(): Promise<ProcessSpec>;
}

/** The machine that containers run in. */
export interface Place {
  readonly sandbox: Sandbox;
  readonly volumes: PodVolumes;
}

/** What follows the life of each container, as probes and hooks do. */
export interface RunHooks {
  /** It runs; when it has run before this spherelet did, `adopted`. */
  begun(live: Live, place: Place, adopted: boolean): void;
  ended(name: string): void;
  /** Before it is asked to stop, for so long at most. */
  beforeStop(live: Live, place: Place, graceMs: number): Promise<void>;
}

interface Stopping {
  deadlineMs: number;
  timer: Timer | undefined;
}

const terminate = 15;
const usualRetryMs = 10_000;
/** Output of a container that has ended is waited for, ms. */
const drainMs = 5_000;
const leastAfterHookMs = 2_000;
const startErrorCode = 128;
const killedCode = 137;

/** Name of a run in the machine. */
const runName = ({ name, restarts }: Pick<ContainerWorld, "name" | "restarts">): string => `${name}.${restarts}`;

/** The runs of one Pod. */
export class Runs {
  readonly #context: PodContext;
  readonly #hooks: RunHooks;
  readonly #live = new Map<string, Live>();
  readonly #starts = new Map<string, AbortController>();
  readonly #stops = new Map<string, Stopping>();

  constructor(context: PodContext, hooks: RunHooks) {
    this.#context = context;
    this.#hooks = hooks;
  }

  /** The container of that name, if it is in the machine. */
  get(name: string): Live | undefined {
    return this.#live.get(name);
  }

  /** Starts a container; what comes of it is in the world. Never throws. */
  async start(cast: Cast, place: () => Promise<Place>): Promise<void> {
    const { name } = cast.container;
    const { world, changed, host } = this.#context;
    const state = containerOf(world, name);
    const before = state.run;
    const abort = new AbortController();
    this.#starts.set(name, abort);
    state.run = { phase: "starting" };
    try {
      await this.#tryStart(cast, {
        state,
        before,
        place,
        signal: AbortSignal.any([abort.signal, this.#context.signal]),
      });
    } catch (error) {
      if (state.run.phase === "starting") state.run = before;
      // With the machine gone nothing is the container's fault.
      if (!abort.signal.aborted && world.machine === "running")
        state.obstacle = this.#obstacleOf(cast, error, host.clock.nowMs());
    } finally {
      this.#starts.delete(name);
      changed();
    }
  }

  /** Asks a container to stop, and ends it when its time is over. Asked again, an earlier end counts. */
  async stop(cast: Cast, place: Place | undefined, how: { graceMs: number; reason: string }): Promise<void> {
    const { name } = cast.container;
    this.#starts.get(name)?.abort(new Error("the container is no longer wanted"));
    const live = this.#live.get(name);
    if (live === undefined || place === undefined) return;
    const { clock } = this.#context.host;
    // After a hook there is a moment for the container itself. Source: the kubelet's minimumGracePeriodInSeconds
    const hookMs = cast.container.lifecycle?.preStop === undefined ? 0 : leastAfterHookMs;
    const deadlineMs = clock.nowMs() + how.graceMs + hookMs;
    const known = this.#stops.get(name);
    if (known !== undefined) return this.#hasten(known, deadlineMs, live, place);
    const stopping: Stopping = { deadlineMs, timer: undefined };
    this.#stops.set(name, stopping);
    const state = containerOf(this.#context.world, name);
    state.run = { phase: "stopping", startedMs: startedMsOf(live.container) };
    const note = how.reason === "" ? `Stopping container ${name}` : how.reason;
    this.#context.tell({ type: "Normal", reason: "Killing", action: "Killing", note }, cast.container);
    this.#context.changed();
    this.#hasten(stopping, deadlineMs, live, place);
    await this.#hooks.beforeStop(live, place, how.graceMs).catch(() => undefined);
    await place.sandbox.guest.signal(live.container, stopSignalOf(cast)).catch(() => undefined);
  }

  /** Takes over what is in a machine that is running already. */
  async adopt(casts: readonly Cast[], place: Place): Promise<void> {
    const present = place.sandbox.containers();
    for (const cast of casts) {
      const state = containerOf(this.#context.world, cast.container.name);
      const container = present.get(runName(state));
      if (container === undefined) this.#vanished(state);
      else if (state.run.phase !== "ended") await this.#follow(cast, container, { place });
    }
  }

  /** The machine is gone, and with it every container. */
  lost(message: string): void {
    const { world, host } = this.#context;
    for (const state of world.containers.values()) {
      const { run } = state;
      if (!this.#starts.has(state.name)) this.#notThere(state);
      if (run.phase !== "running" && run.phase !== "stopping") continue;
      const finishedMs = host.clock.nowMs();
      const end = { exitCode: killedCode, signal: 0, reason: "Error", message, startedMs: run.startedMs, finishedMs };
      this.#ended(state, { ...end, containerId: state.containerId });
    }
  }

  /** Resolves when all output that there will be is written, or it has been waited for long enough. */
  async drained(): Promise<void> {
    const all = Promise.all([...this.#live.values()].map(({ kept }) => kept));
    await endsWithin(this.#context.host.clock, drainMs, all);
  }

  // ---- starting

  async #tryStart(cast: Cast, how: Start): Promise<void> {
    const { container } = cast;
    const { host, pod, objects } = this.#context;
    const wish = { pod, container, sources: objects, signal: how.signal };
    const tell = (happening: Parameters<PodContext["tell"]>[0]) => this.#context.tell(happening, container);
    await objects.known(host.clock);
    const image = await obtainImage(host.imagery, { ...wish, tell });
    const place = await how.place();
    await place.sandbox.mountImage(image);
    const imageVolumes = await mountImageVolumes(this.#context, place.sandbox, { ...wish, tell });
    how.signal.throwIfAborted();
    const { state } = how;
    const restarts = this.#nextRun(how);
    const run = runName({ name: container.name, restarts });
    const resources = allottedTo(this.#context, cast, place.sandbox);
    const allotted = { ...cast, container: { ...container, resources } };
    const spec = makeSpec(this.#context, allotted, { image, run, sandbox: place.sandbox, imageVolumes });
    this.#commit(how, restarts, imageIdOf(image));
    state.resources = resources;
    await this.#context.save();
    tell({ type: "Normal", reason: "Created", action: "Creating", note: "Container created" });
    const begunMs = host.clock.nowMs();
    try {
      const made = await place.sandbox.run(spec);
      const { process = {} } = spec;
      const follow = this.#follow(cast, made, { place, process: () => Promise.resolve(process) });
      // What cannot be followed is not left to run by itself.
      await follow.catch(async (error: unknown) => {
        await place.sandbox.kill(made).catch(() => undefined);
        throw error;
      });
    } catch (error) {
      if (!(error instanceof GuestRefused)) throw error;
      tell({ type: "Warning", reason: "Failed", action: "Starting", note: `Error: ${error.message}` });
      const end = { exitCode: startErrorCode, signal: 0, reason: "StartError", message: error.message };
      const times = { startedMs: begunMs, finishedMs: host.clock.nowMs() };
      this.#ended(state, { ...end, ...times, containerId: state.containerId });
    }
  }

  /** Runs before the one that is about to begin. */
  #nextRun({ state, before }: Start): number {
    return before.phase === "ended" || state.containerId !== "" ? state.restarts + 1 : state.restarts;
  }

  /** From here on the run counts. */
  #commit({ state, before }: Start, restarts: number, imageId: string): void {
    const { pod, host } = this.#context;
    if (before.phase === "ended") {
      state.backOff = nextBackOff(state.backOff, before.end, host.clock.nowMs());
      state.last = before.end;
    }
    state.restarts = restarts;
    state.imageId = imageId;
    state.containerId = createHash("sha256").update(`${pod.metadata.uid}/${state.name}/${restarts}`).digest("hex");
    state.obstacle = undefined;
    state.unfit = undefined;
    state.started = false;
    state.ready = false;
  }

  #obstacleOf({ container }: Cast, error: unknown, nowMs: number): NonNullable<ContainerWorld["obstacle"]> {
    if (error instanceof CannotStart) {
      const { reason, message, retryAfterMs = usualRetryMs } = error;
      if (reason === "CreateContainerConfigError") {
        this.#context.tell(
          { type: "Warning", reason: "Failed", action: "Creating", note: `Error: ${message}` },
          container,
        );
      }
      return { reason, message, retryMs: nowMs + retryAfterMs };
    }
    const message = error instanceof Error ? error.message : String(error);
    if (error instanceof VolumeUnfilled) {
      this.#context.tell({ type: "Warning", reason: "FailedMount", action: "Mounting", note: message });
      return { reason: "", message: "", retryMs: nowMs + (error.retryAfterMs ?? usualRetryMs) };
    }
    this.#context.host.log.warn("a container was not started", {
      pod: this.#context.folder,
      container: container.name,
      error,
    });
    this.#context.tell({ type: "Warning", reason: "Failed", action: "Creating", note: `Error: ${message}` }, container);
    return { reason: "CreateContainerError", message, retryMs: nowMs + usualRetryMs };
  }

  // ---- running

  /** @param how.process what it runs as, if it was begun just now */
  async #follow(
    cast: Cast,
    container: GuestContainer,
    how: { place: Place; process?: () => Promise<ProcessSpec> },
  ): Promise<void> {
    const { name } = cast.container;
    const state = containerOf(this.#context.world, name);
    const folder = logFolder(this.#context.folder, name);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const { logLimits } = this.#context.host;
    if (state.restarts > 1) await removeLog(folder, state.restarts - 2, logLimits);
    const keeper = await LogKeeper.open(folder, state.restarts, logLimits);
    await how.place.sandbox.guest.follow(container, keeper.offset);
    const taps = new Set<(record: LogRecord) => void>();
    const kept = keeper.keep({
      acknowledge: (offset) => container.log.acknowledge(offset),
      [Symbol.asyncIterator]: () => tapped(container.log, taps),
    });
    kept.catch(() => undefined);
    const process = how.process ?? (async () => await processOf(this.#context, cast, how.place.sandbox));
    const live: Live = { cast, container, kept: kept.catch(() => undefined), taps, keeper, process };
    this.#live.set(name, live);
    state.run = { phase: "running", startedMs: startedMsOf(container) };
    const adopted = how.process === undefined;
    if (!adopted) {
      this.#context.tell(
        { type: "Normal", reason: "Started", action: "Starting", note: "Container started" },
        cast.container,
      );
    }
    this.#hooks.begun(live, how.place, adopted);
    void this.#context.save();
    this.#context.changed();
    void this.#awaitEnd(live, how.place);
  }

  async #awaitEnd(live: Live, place: Place): Promise<void> {
    const exit = await live.container.exited.catch(() => undefined);
    // Without an answer the channel is gone; the machine's end says the rest.
    if (exit === undefined) return;
    await endsWithin(this.#context.host.clock, drainMs, live.kept);
    const { name } = live.cast.container;
    const state = containerOf(this.#context.world, name);
    this.#ended(state, await this.#terminationOf(live, exit, state.containerId));
    await this.#context.save();
    await place.sandbox.guest.remove(live.container).catch(() => undefined);
  }

  async #terminationOf({ cast }: Live, exit: Exit, containerId: string): Promise<Termination> {
    const { name, terminationMessagePolicy } = cast.container;
    let message = Buffer.from(exit.message).toString("utf8");
    if (message === "" && exit.code !== 0 && terminationMessagePolicy === "FallbackToLogsOnError") {
      const { restarts } = containerOf(this.#context.world, name);
      message = await tailText(logFolder(this.#context.folder, name), restarts);
    }
    return {
      exitCode: exit.code,
      signal: 0,
      reason: reasonOf(exit),
      message,
      startedMs: Number(exit.startedNs / 1_000_000n),
      finishedMs: Number(exit.finishedNs / 1_000_000n),
      containerId,
    };
  }

  #ended(state: ContainerWorld, end: Termination): void {
    this.#stops.get(state.name)?.timer?.cancel();
    this.#stops.delete(state.name);
    this.#live.delete(state.name);
    state.run = { phase: "ended", end };
    state.unfit = undefined;
    state.started = false;
    state.ready = false;
    this.#hooks.ended(state.name);
    this.#tellBackOff(state, end);
    this.#context.changed();
  }

  /** A container that will be left alone for a while says so. */
  #tellBackOff({ name, backOff }: ContainerWorld, end: Termination): void {
    const { pod, host, world } = this.#context;
    const cast = castOf(pod).find(({ container }) => container.name === name);
    if (cast === undefined || world.ending !== undefined || !shouldRestart(pod, cast, end)) return;
    if (restartMs(backOff, end) <= host.clock.nowMs()) return;
    const { metadata } = pod;
    const note = `Back-off restarting failed container ${name} in pod ${metadata.name}_${metadata.namespace}(${metadata.uid})`;
    this.#context.tell({ type: "Warning", reason: "BackOff", action: "Starting", note }, cast.container);
  }

  /** The machine is there and the container is not: it was removed after it had ended, or never begun. */
  #vanished(state: ContainerWorld): void {
    this.#notThere(state);
    const { run } = state;
    if (run.phase !== "running" && run.phase !== "stopping") return;
    const message = "The container could not be located when the spherelet came back";
    const times = { startedMs: run.startedMs, finishedMs: this.#context.host.clock.nowMs() };
    const end = { exitCode: killedCode, signal: 0, reason: "ContainerStatusUnknown", message, ...times };
    this.#ended(state, { ...end, containerId: state.containerId });
  }

  /** A run that the last spherelet meant to begin, and that never did. */
  #notThere(state: ContainerWorld): void {
    if (state.run.phase !== "starting") return;
    state.run = state.last === undefined ? { phase: "none" } : { phase: "ended", end: state.last };
  }

  #hasten(stopping: Stopping, deadlineMs: number, { container }: Live, { sandbox }: Place): void {
    if (stopping.timer !== undefined && deadlineMs >= stopping.deadlineMs) return;
    const { clock } = this.#context.host;
    stopping.deadlineMs = deadlineMs;
    stopping.timer?.cancel();
    stopping.timer = clock.after(deadlineMs - clock.nowMs(), () => {
      void sandbox.kill(container).catch(() => undefined);
    });
  }
}

interface Start {
  readonly state: ContainerWorld;
  readonly before: Run;
  readonly place: () => Promise<Place>;
  readonly signal: AbortSignal;
}

const startedMsOf = ({ startedNs }: GuestContainer): number => Number(startedNs / 1_000_000n);

function reasonOf({ code, oomKilled }: Exit): string {
  if (oomKilled) return "OOMKilled";
  return code === 0 ? "Completed" : "Error";
}

/** Source: k8s.io/api/core/v1 (Signal); numbers: signal(7) on x86-64 */
const signalNumbers: Readonly<Record<string, number>> = Object.fromEntries(
  "HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS"
    .split(" ")
    .map((name, index) => [name, index + 1]),
);

function stopSignalOf({ container }: Cast): number {
  const { stopSignal } = container.lifecycle ?? {};
  return signalNumbers[(stopSignal ?? "").replace(/^SIG/, "")] ?? terminate;
}

async function* tapped(
  log: AsyncIterable<LogRecord>,
  taps: ReadonlySet<(record: LogRecord) => void>,
): AsyncGenerator<LogRecord> {
  for await (const record of log) {
    for (const tap of taps) tap(record);
    yield record;
  }
}

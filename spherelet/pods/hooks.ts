/**
 * What follows a container's life: its postStart and preStop hooks, and its probes.
 * Sources: k8s.io/kubernetes/pkg/kubelet/prober (worker.go), lifecycle (handlers.go)
 */
import type { LifecycleHandler, Probe } from "@atoll/api/builtin/core/v1.types";
import { containerOf, type ContainerWorld } from "../lifecycle/world.ts";
import { attempt, type Outcome, type Target } from "../probes/attempt.ts";
import { afterResult, filled, firstProbeMs, type ProbeKind, probeOf, untried } from "../probes/policy.ts";
import type { PodContext } from "./context.ts";
import type { Live, Place, RunHooks } from "./runs.ts";

const titles: Readonly<Record<ProbeKind, string>> = {
  startup: "Startup",
  liveness: "Liveness",
  readiness: "Readiness",
};

/** The hooks of one Pod. */
export function podHooks(context: PodContext): RunHooks {
  const followed = new Map<string, AbortController>();
  return {
    begun(live, place, adopted) {
      const ended = new AbortController();
      followed.set(live.cast.container.name, ended);
      const signal = AbortSignal.any([ended.signal, context.signal]);
      void follow(context, { live, place, signal }, adopted);
    },
    ended(name) {
      followed.get(name)?.abort(new Error("the container has ended"));
      followed.delete(name);
    },
    async beforeStop(live, place, graceMs) {
      // A container that is on its way out is asked nothing more.
      followed.get(live.cast.container.name)?.abort(new Error("the container stops"));
      const { preStop } = live.cast.container.lifecycle ?? {};
      if (preStop === undefined || graceMs === 0) return;
      const problem = await runHook(
        context,
        { live, place, signal: context.signal },
        { hook: preStop, limitMs: graceMs },
      );
      if (problem === undefined) return;
      const note = "PreStopHook failed";
      context.tell({ type: "Warning", reason: "FailedPreStopHook", action: "Killing", note }, live.cast.container);
    },
  };
}

interface Sight {
  readonly live: Live;
  readonly place: Place;
  readonly signal: AbortSignal;
}

const targetOf = (context: PodContext, { live, place }: Sight): Target => ({
  guest: place.sandbox.guest,
  container: live.container,
  spec: live.cast.container,
  podIP: context.facts().podIP,
  process: live.process,
});

/** From its start to its end. */
async function follow(context: PodContext, sight: Sight, adopted: boolean): Promise<void> {
  const { container } = sight.live.cast;
  const state = containerOf(context.world, container.name);
  const { postStart } = container.lifecycle ?? {};
  if (!adopted && postStart !== undefined) {
    const problem = await runHook(context, sight, { hook: postStart, limitMs: Number.POSITIVE_INFINITY });
    if (sight.signal.aborted) return;
    if (problem !== undefined) {
      context.tell(
        { type: "Warning", reason: "FailedPostStartHook", action: "Starting", note: "PostStartHook failed" },
        container,
      );
      return makeUnfit(context, state, { message: "FailedPostStartHook", graceSeconds: undefined });
    }
  }
  if (!adopted) state.ready = container.readinessProbe === undefined;
  if (container.startupProbe === undefined) state.started = true;
  context.changed();
  if (!state.started) await keepProbing(context, sight, "startup");
  if (sight.signal.aborted || !state.started) return;
  void keepProbing(context, sight, "liveness");
  void keepProbing(context, sight, "readiness");
}

function makeUnfit(
  context: PodContext,
  state: ContainerWorld,
  { message, graceSeconds }: { message: string; graceSeconds: number | undefined },
): void {
  state.unfit = { reason: "Unhealthy", message, graceSeconds };
  context.changed();
}

/** Probes until the container ends; a startup probe until it is content. */
async function keepProbing(context: PodContext, sight: Sight, kind: ProbeKind): Promise<void> {
  const { container } = sight.live.cast;
  const probe = probeOf(container, kind);
  if (probe === undefined) return;
  const { clock } = context.host;
  const state = containerOf(context.world, container.name);
  const sinceMs = clock.nowMs() - Number(sight.live.container.startedNs / 1_000_000n);
  let stands = untried;
  let waitMs = Math.max(firstProbeMs(probe) - sinceMs, 0);
  for (;;) {
    await clock.sleep(waitMs, sight.signal).catch(() => undefined);
    if (sight.signal.aborted) return;
    const outcome = await probeOnce(context, sight, probe);
    if (sight.signal.aborted || outcome === undefined) return;
    if (!outcome.succeeded) tellUnhealthy(context, sight, { kind, output: outcome.output });
    stands = afterResult(probe, stands, outcome.succeeded);
    if (settle(context, { state, kind, probe }, stands.verdict) === "over") return;
    waitMs = filled(probe).periodSeconds * 1000;
  }
}

/** What a verdict does to the container. */
function settle(
  context: PodContext,
  { state, kind, probe }: { state: ContainerWorld; kind: ProbeKind; probe: Probe },
  verdict: boolean | undefined,
): "over" | "on" {
  if (verdict === undefined) return "on";
  if (kind === "readiness") {
    if (state.ready !== verdict) context.changed();
    state.ready = verdict;
    return "on";
  }
  if (!verdict) {
    const message = `Container ${state.name} failed ${kind} probe, will be restarted`;
    makeUnfit(context, state, { message, graceSeconds: probe.terminationGracePeriodSeconds });
    return "over";
  }
  if (kind === "liveness") return "on";
  state.started = true;
  context.changed();
  return "over";
}

/** One attempt within its time; undefined when the container is gone meanwhile. */
async function probeOnce(context: PodContext, sight: Sight, probe: Probe): Promise<Outcome | undefined> {
  const { timeoutSeconds } = filled(probe);
  const outcome = await within(context, sight, {
    limitMs: timeoutSeconds * 1000,
    work: async (signal) => await attempt(probe, targetOf(context, sight), signal),
  });
  if (outcome !== "late") return outcome;
  const command = probe.exec?.command?.join(" ");
  const late = `command timed out: "${command}" timed out after ${timeoutSeconds}s`;
  const slow = "context deadline exceeded (Client.Timeout exceeded while awaiting headers)";
  return { succeeded: false, output: command === undefined ? slow : late };
}

/** @returns what was wrong; undefined when the hook did well */
async function runHook(
  context: PodContext,
  sight: Sight,
  { hook, limitMs }: { hook: LifecycleHandler; limitMs: number },
): Promise<string | undefined> {
  const outcome = await within(context, sight, {
    limitMs,
    work: async (signal) => {
      if (hook.sleep === undefined) return await attempt(hook, targetOf(context, sight), signal);
      await context.host.clock.sleep(hook.sleep.seconds * 1000, signal);
      return { succeeded: true, output: "" };
    },
  });
  if (outcome === "late") return "it took too long";
  return outcome === undefined || outcome.succeeded ? undefined : outcome.output;
}

async function within(
  context: PodContext,
  { signal }: Sight,
  { limitMs, work }: { limitMs: number; work: (signal: AbortSignal) => Promise<Outcome> },
): Promise<Outcome | "late" | undefined> {
  const late = new AbortController();
  const timer = Number.isFinite(limitMs)
    ? context.host.clock.after(limitMs, () => late.abort(new Error("late")))
    : undefined;
  const either = AbortSignal.any([late.signal, signal]);
  const aborted = new Promise<never>((_, reject) => {
    either.addEventListener("abort", () => reject(either.reason as Error), { once: true });
  });
  aborted.catch(() => undefined);
  try {
    return await Promise.race([work(either), aborted]);
  } catch (error) {
    if (signal.aborted) return undefined;
    if (late.signal.aborted) return "late";
    return { succeeded: false, output: error instanceof Error ? error.message : String(error) };
  } finally {
    timer?.cancel();
  }
}

function tellUnhealthy(
  context: PodContext,
  { live }: Sight,
  { kind, output }: { kind: ProbeKind; output: string },
): void {
  const note = `${titles[kind]} probe failed: ${output}`;
  context.tell({ type: "Warning", reason: "Unhealthy", action: "Probing", note }, live.cast.container);
}

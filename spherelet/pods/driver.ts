/**
 * One Pod's one driver: asks the plan what to do, does it, and tells the API what came of it. Everything that happens ends
 * in a turn; a turn decides nothing itself.
 */
import { join } from "node:path";
import type { Container, EphemeralContainer } from "@atoll/api/builtin/core/v1.types";
import { Pod } from "@atoll/client/builtin";
import { isConflict, isNotFound } from "@atoll/client/errors";
import { keyOf } from "@atoll/client/resource";
import type { Machine } from "@atoll/crx/machine";
import type { Attachment } from "@atoll/net/network";
import type { Timer } from "@atoll/machinery/clock";
import type { Happening } from "@atoll/runtime/events";
import { identityOf } from "../network/policies.ts";
import { endingOf } from "../lifecycle/ending.ts";
import { graceSecondsOf, isOver, planPod, type Step } from "../lifecycle/plan.ts";
import { statusOf } from "../lifecycle/status.ts";
import { castOf, containerOf, newWorld, type PodWorld, startMsOf } from "../lifecycle/world.ts";
import type { NodeFacts } from "../translate/fields.ts";
import { hasClaims } from "../volumes/claims.ts";
import { PodObjects } from "../volumes/references.ts";
import { removeOwnDisks } from "../volumes/owndisk.ts";
import { PodVolumes } from "../volumes/podvolumes.ts";
import { Tokens } from "../volumes/tokens.ts";
import type { PodContext } from "./context.ts";
import type { PodHost } from "./host.ts";
import { type PodRecord, RecordKeeper, worldOf } from "./record.ts";
import { StatusReporter } from "./reporter.ts";
import { Resizer } from "./resizing.ts";
import { type Place, type RunHooks, Runs } from "./runs.ts";
import { Sandbox } from "./sandbox.ts";
import { startSandbox } from "./start.ts";

/** A Pod that an earlier spherelet ran. */
export interface Earlier {
  readonly record: PodRecord;
  /** Its machine, running or gone; undefined when there is none. */
  readonly machine: Machine | undefined;
}

const machineRetry = { firstMs: 2_000, longestMs: 60_000 } as const;
const deleteRetryMs = 1_000;
const longestTimerMs = 3_600_000;
/** How long a guest whose containers have ended may take to unmount. */
const unmountMs = 10_000;

/** Where a container stands in its Pod. Source: k8s.io/kubernetes/pkg/kubelet/container/ref.go */
function pathOf({ spec }: Pod, { name }: Container | EphemeralContainer): string {
  const lists = ["initContainers", "ephemeralContainers"] as const;
  const list = lists.find((each) => spec[each]?.some((other) => other.name === name)) ?? "containers";
  return `spec.${list}{${name}}`;
}

/** Runs one Pod, from its first moment on the node to its last. */
export class PodDriver {
  readonly #host: PodHost;
  readonly #world: PodWorld;
  readonly #record: RecordKeeper;
  readonly #reporter: StatusReporter;
  readonly #objects: PodObjects;
  readonly #tokens: Tokens;
  readonly #context: PodContext;
  readonly #runs: Runs;
  readonly #resizer: Resizer;
  readonly #folder: string;
  readonly #stop = new AbortController();
  readonly #underway = new Set<string>();
  readonly #done = Promise.withResolvers<void>();
  #pod: Pod;
  #attachment: Attachment | undefined;
  #place: Promise<Place> | undefined;
  #ready: Place | undefined;
  #timer: Timer | undefined;
  #machineFailures = 0;
  #isDue = false;
  #isRemoved = false;
  #isAtRest = false;
  #isClosed = false;

  constructor(host: PodHost, pod: Pod, hooks: (context: PodContext) => RunHooks, earlier?: Earlier) {
    this.#host = host;
    this.#pod = pod;
    this.#world = earlier === undefined ? newWorld(startMsOf(pod, host.clock.nowMs())) : worldOf(earlier.record);
    this.#folder = join(host.folder, pod.metadata.uid ?? "");
    this.#record = new RecordKeeper(this.#folder);
    this.#reporter = new StatusReporter(host, pod, earlier === undefined ? undefined : pod.status);
    this.#objects = new PodObjects(host.objects, pod, () => this.#sourcesChanged());
    this.#tokens = new Tokens(host, pod, () => this.#sourcesChanged());
    this.#context = this.#makeContext();
    this.#runs = new Runs(this.#context, hooks(this.#context));
    this.#resizer = new Resizer(this.#context, this.#runs, () => this.#ready?.sandbox);
    if (earlier === undefined) this.#wake();
    else void this.#resume(earlier.machine);
  }

  /** The Pod as it is known now. */
  get pod(): Pod {
    return this.#pod;
  }

  /** What is known of it. */
  get world(): PodWorld {
    return this.#world;
  }

  get runs(): Runs {
    return this.#runs;
  }

  /** Its machine, when it runs. */
  get sandbox(): Sandbox | undefined {
    return this.#ready?.sandbox;
  }

  get folder(): string {
    return this.#folder;
  }

  /** The API has it no more. */
  get isRemoved(): boolean {
    return this.#isRemoved;
  }

  /** Everything has ended, and what it needed is given back. */
  get isAtRest(): boolean {
    return this.#isAtRest;
  }

  /** Resolves when nothing is left of the Pod on this node. */
  get done(): Promise<void> {
    return this.#done.promise;
  }

  /**
   * The object has changed.
   * @param lack what the node is too full for now, of a change of resources
   */
  update(pod: Pod, lack?: string): void {
    this.#pod = pod;
    void this.#resizer.see(lack);
    if (!this.#isAtRest) this.#objects.update(pod);
    this.#sourcesChanged();
  }

  /** The object is no more. */
  remove(): void {
    this.#isRemoved = true;
    this.#wake();
  }

  /** Ends the Pod for a reason of the node's: its phase becomes Failed. */
  fail(failure: { reason: string; message: string }, graceSeconds = graceSecondsOf(this.#pod)): void {
    if (this.#world.ending !== undefined) return;
    this.#world.ending = { failure, deadlineMs: this.#host.clock.nowMs() + graceSeconds * 1000 };
    this.#wake();
  }

  /** Lets go of the Pod without ending it, as a spherelet that stops does. */
  async release(): Promise<void> {
    this.#isClosed = true;
    this.#timer?.cancel();
    this.#stop.abort(new Error("the spherelet stops"));
    this.#tokens.release();
    this.#objects.release();
    this.#reporter.close();
    await this.#record.save(this.#pod, this.#world);
  }

  #makeContext(): PodContext {
    const driver = () => this.#pod;
    return {
      host: this.#host,
      get pod() {
        return driver();
      },
      world: this.#world,
      folder: this.#folder,
      objects: this.#objects,
      tokens: this.#tokens,
      signal: this.#stop.signal,
      facts: () => this.#facts(),
      tell: (happening, container) =>
        this.#tell(container === undefined ? happening : { ...happening, fieldPath: pathOf(this.#pod, container) }),
      changed: () => this.#wake(),
      save: async () => {
        if (!this.#isClosed) await this.#record.save(this.#pod, this.#world);
      },
    };
  }

  #facts(): NodeFacts {
    const { hostIP, allocatable } = this.#host;
    return { hostIP, allocatable, podIP: this.#podIP() };
  }

  /** A Pod that is over keeps showing the address that it had. */
  #podIP(): string {
    return this.#attachment?.address ?? this.#pod.status.podIP ?? "";
  }

  #tell(happening: Happening): void {
    if (!this.#isClosed) this.#host.recorder.record(this.#pod, happening);
  }

  // ---- turns

  /** Something has changed: a turn follows, one for everything that changes at the moment. */
  #wake(): void {
    if (this.#isDue || this.#isClosed) return;
    this.#isDue = true;
    setImmediate(() => {
      this.#isDue = false;
      if (!this.#isClosed) this.#turn();
    });
  }

  #turn(): void {
    const { clock } = this.#host;
    const nowMs = clock.nowMs();
    this.#timer?.cancel();
    this.#timer = undefined;
    const { ending, wakeMs } = endingOf(this.#pod, this.#world, { nowMs, isRemoved: this.#isRemoved });
    this.#world.ending = ending;
    const plan = planPod(this.#pod, this.#world, nowMs);
    for (const step of plan.steps) this.#begin(step);
    this.#report(nowMs);
    if (plan.done) return this.#begin({ do: "finish" });
    const nextMs = Math.min(plan.wakeMs, wakeMs) - nowMs;
    if (nextMs !== Number.POSITIVE_INFINITY) {
      this.#timer = clock.after(Math.min(Math.max(nextMs, 0), longestTimerMs), () => this.#wake(), { unref: true });
    }
  }

  #report(nowMs: number): void {
    const { hostIP } = this.#host;
    const podIP = this.#podIP();
    const before = this.#reporter.last ?? this.#pod.status;
    this.#reporter.offer(statusOf(this.#pod, this.#world, { nowMs, hostIP, podIP, before }));
  }

  #begin(step: Step | { readonly do: "finish" }): void {
    const id = "name" in step ? `${step.do} ${step.name}` : step.do;
    // Stopping may be asked again, with less time.
    if (this.#underway.has(id) && step.do !== "stop") return;
    this.#underway.add(id);
    const work = this.#act(step).catch((error: unknown) => {
      if (!this.#isClosed) this.#host.log.error("a step of a pod failed", { pod: keyOf(this.#pod), step: id, error });
    });
    void work.then(() => {
      this.#underway.delete(id);
      // A stop tells its own changes; the plan asks for it again and again.
      if (step.do !== "finish" && step.do !== "stop") this.#wake();
    });
  }

  async #act(step: Step | { readonly do: "finish" }): Promise<void> {
    switch (step.do) {
      case "startMachine":
        return await this.#startMachine();
      case "start":
        return await this.#startContainer(step.name);
      case "stop":
        return await this.#runs.stop(this.#cast(step.name), this.#ready, step);
      case "endMachine":
        return await this.#endMachine();
      case "finish":
        return await this.#finish();
    }
  }

  #cast(name: string) {
    const cast = castOf(this.#pod).find(({ container }) => container.name === name);
    if (cast === undefined) throw new Error(`no container ${name}`);
    return cast;
  }

  async #startContainer(name: string): Promise<void> {
    const cast = this.#cast(name);
    if (cast.role === "main") this.#world.initialized = true;
    await this.#runs.start(cast, async () => {
      const place = await this.#place;
      if (place === undefined) throw new Error("the machine is gone");
      await this.#tokens.asked();
      await place.volumes.bringUp(this.#pod);
      return place;
    });
  }

  // ---- the machine

  async #startMachine(): Promise<void> {
    this.#world.machine = "starting";
    this.#world.machines += 1;
    const coming = Promise.withResolvers<Place>();
    coming.promise.catch(() => undefined);
    this.#place = coming.promise;
    this.#wake();
    try {
      const started = await startSandbox(this.#context, this.#world.machines);
      this.#attachment = started.attachment;
      coming.resolve(this.#furnish(started.sandbox));
    } catch (error) {
      if (this.#isClosed) return;
      this.#lost("");
      coming.reject(error instanceof Error ? error : new Error(String(error)));
      const delayMs = Math.min(machineRetry.firstMs * 2 ** this.#machineFailures++, machineRetry.longestMs);
      this.#world.machineRetryMs = this.#host.clock.nowMs() + delayMs;
      const note = `Failed to create pod sandbox: ${error instanceof Error ? error.message : String(error)}`;
      this.#tell({ type: "Warning", reason: "FailedCreatePodSandBox", action: "Starting", note });
    }
    await this.#context.save();
  }

  #furnish(sandbox: Sandbox): Place {
    const { clock, client, datastore } = this.#host;
    const storage = { client, datastore };
    const folder = this.#folder;
    const parts = { clock, folder, objects: this.#objects, tokens: this.#tokens, facts: () => this.#facts(), storage };
    const place = { sandbox, volumes: new PodVolumes(parts, sandbox) };
    this.#ready = place;
    this.#place = Promise.resolve(place);
    this.#world.machine = "running";
    this.#machineFailures = 0;
    void sandbox.machine.gone.then(async ({ how, detail }) => await this.#machineGone(sandbox, `${how}: ${detail}`));
    this.#wake();
    return place;
  }

  async #machineGone(sandbox: Sandbox, how: string): Promise<void> {
    if (this.#isClosed) return;
    this.#lost(`the machine ended (${how})`);
    await this.#host.machines.remove(sandbox.machine);
    await this.#context.save();
    this.#wake();
  }

  /** Its containers are gone with it, and a next machine has to be initialized again. */
  #lost(message: string): void {
    this.#ready = undefined;
    this.#place = undefined;
    this.#world.machine = "none";
    this.#world.initialized = false;
    this.#runs.lost(message);
    // Of a Pod that is over nothing runs again.
    if (this.#world.ending !== undefined || isOver(this.#pod, this.#world)) return;
    for (const { container, role } of castOf(this.#pod)) {
      const state = containerOf(this.#world, container.name);
      if (role !== "init" || state.run.phase !== "ended") continue;
      state.last = state.run.end;
      state.run = { phase: "none" };
    }
  }

  /** Nothing runs in it any more; what its containers wrote last is taken out before. */
  async #endMachine(): Promise<void> {
    const place = this.#ready;
    if (place === undefined) return;
    this.#world.machine = "stopping";
    await this.#runs.drained();
    // What was written to disks that stay is written out before the machine goes.
    if (hasClaims(this.#pod)) await place.sandbox.machine.shutDown(unmountMs);
    else await place.sandbox.machine.kill();
  }

  // ---- the end

  /** Everything has ended. A Pod that is over stays until it is deleted; one that is deleted goes. */
  async #finish(): Promise<void> {
    await this.#host.network?.detach(this.#pod.metadata.uid ?? "");
    this.#isAtRest = true;
    this.#tokens.release();
    this.#objects.release();
    if (hasClaims(this.#pod)) await this.#host.datastore.release(this.#pod.metadata.uid ?? "");
    await removeOwnDisks(this.#folder);
    if (this.#pod.metadata.deletionTimestamp === undefined && !this.#isRemoved) return;
    if (!this.#isRemoved) await this.#giveUp();
    await this.#leave();
  }

  /** Tells the last status, and lets the object go. */
  async #giveUp(): Promise<void> {
    await this.#reporter.flush();
    const { uid } = this.#pod.metadata;
    for (;;) {
      if (this.#isRemoved || this.#isClosed) return;
      try {
        await this.#host.client.delete(Pod, keyOf(this.#pod), { uid, graceSeconds: 0, signal: this.#stop.signal });
        return;
      } catch (error) {
        if (isNotFound(error) || isConflict(error)) return;
        await this.#host.clock.sleep(deleteRetryMs, this.#stop.signal).catch(() => undefined);
      }
    }
  }

  async #leave(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#stop.abort(new Error("the pod is gone"));
    this.#objects.release();
    this.#reporter.close();
    await this.#record.remove();
    this.#done.resolve();
  }

  // ---- what changes from outside

  /** Something the Pod names has changed: volumes show it, and what waited for it tries again. */
  #sourcesChanged(): void {
    if (this.#isClosed) return;
    for (const state of this.#world.containers.values()) {
      const waits = state.obstacle?.reason === "" || state.obstacle?.reason === "CreateContainerConfigError";
      if (waits && state.obstacle !== undefined) state.obstacle = { ...state.obstacle, retryMs: 0 };
    }
    // While the first container starts, it brings the volumes up by itself.
    const isUsed = [...this.#world.containers.values()].some(({ run }) => run.phase === "running");
    if (isUsed) void this.#refreshVolumes();
    this.#wake();
  }

  /** Volumes of a Pod that is on its way out stay as they are. */
  async #refreshVolumes(): Promise<void> {
    try {
      await this.#objects.known(this.#host.clock);
      await this.#tokens.asked();
      if (this.#world.ending === undefined) await this.#ready?.volumes.bringUp(this.#pod);
    } catch (error) {
      if (this.#ready === undefined) return;
      const note = error instanceof Error ? error.message : String(error);
      this.#tell({ type: "Warning", reason: "FailedMount", action: "Mounting", note });
    }
  }

  /** Makes disks larger that are to hold more. Never rejects. */
  async growDisks(): Promise<void> {
    if (this.#world.ending === undefined && hasClaims(this.#pod)) await this.#ready?.volumes.grow(this.#context);
  }

  async #resume(machine: Machine | undefined): Promise<void> {
    // Nothing is planned until it is known what there is.
    this.#isDue = true;
    try {
      await this.#takeUp(machine);
    } catch (error) {
      this.#host.log.error("a machine was not taken up", { pod: keyOf(this.#pod), error });
      this.#lost("the machine could not be taken up");
      await machine?.kill();
    }
    this.#isDue = false;
    this.#wake();
  }

  async #takeUp(machine: Machine | undefined): Promise<void> {
    const { machine: phase } = this.#world;
    this.#world.machine = "none";
    const isWhole = phase === "running" || phase === "stopping";
    // One that was being furnished when the last spherelet ended is not worth finding out about.
    if (!isWhole) await machine?.kill();
    if (machine?.state.phase === "running") {
      const sandbox = await Sandbox.adopt(machine);
      this.#attachment = await this.#host.network?.attach(identityOf(this.#pod));
      await this.#runs.adopt(castOf(this.#pod), this.#furnish(sandbox));
      this.#sourcesChanged();
    } else {
      if (phase !== "none") this.#lost("the machine ended while nobody looked after it");
      // The host was restarted, or the system stopped: no container's fault, and none waits for it.
      for (const state of this.#world.containers.values()) state.backOff = undefined;
      if (machine !== undefined) await this.#host.machines.remove(machine);
    }
  }
}

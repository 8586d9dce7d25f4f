/**
 * Changes of a running Pod's processor and memory. A machine keeps its size, so what fits into it is done at once, by the
 * containers' control groups; what does not is Infeasible, and what the node has no room for now is Deferred.
 * Source: KEP-1287; k8s.io/kubernetes/pkg/kubelet/allocation
 */
import type { ResourceRequirements } from "@atoll/api/builtin/core/v1.types";
import { deepEqual } from "@atoll/machinery/equal";
import { type Cast, castOf, containerOf, type ResizeObstacle } from "../lifecycle/world.ts";
import { limitsFor } from "../translate/container.ts";
import { cpuMillisOf, bytesOf, machineSize, podRequests } from "../translate/resources.ts";
import type { PodContext } from "./context.ts";
import type { Live } from "./runs.ts";
import type { Sandbox } from "./sandbox.ts";

const retryMs = 10_000;
const killSignal = 9;

/** What a container that begins may use: what its Pod says, or what it had when that cannot be. */
export function allottedTo(context: PodContext, { container }: Cast, sandbox: Sandbox): ResourceRequirements {
  const wanted = container.resources ?? {};
  const known = containerOf(context.world, container.name).resources;
  return known === undefined || infeasible(context, sandbox) === undefined ? wanted : known;
}

/** Makes the changes of one Pod, one after the other. */
export class Resizer {
  readonly #context: PodContext;
  readonly #runs: { get(name: string): Live | undefined };
  readonly #sandbox: () => Sandbox | undefined;
  #lack: string | undefined;
  #working: Promise<void> | undefined;
  #isDue = false;

  /** @param sandbox the Pod's machine, when it runs */
  constructor(context: PodContext, runs: { get(name: string): Live | undefined }, sandbox: () => Sandbox | undefined) {
    this.#context = context;
    this.#runs = runs;
    this.#sandbox = sandbox;
  }

  /** The Pod, or the room on its node, has changed. @param lack what there is no room for now */
  async see(lack: string | undefined): Promise<void> {
    this.#lack = lack;
    this.#isDue = true;
    this.#working ??= this.#work().finally(() => {
      this.#working = undefined;
    });
    await this.#working;
  }

  async #work(): Promise<void> {
    while (this.#isDue && !this.#context.signal.aborted) {
      this.#isDue = false;
      const sandbox = this.#sandbox();
      if (sandbox !== undefined) await this.#settle(sandbox);
    }
  }

  async #settle(sandbox: Sandbox): Promise<void> {
    const changed = castOf(this.#context.pod).filter((cast) => this.#isChanged(cast));
    const before = this.#context.world.resize;
    const obstacle = changed.length === 0 ? undefined : ((await this.#obstacle(sandbox, changed)) ?? undefined);
    this.#context.world.resize = obstacle;
    if (changed.length === 0 && before === undefined) return;
    if (obstacle?.reason === "Error") {
      this.#context.host.clock.after(retryMs, () => void this.see(this.#lack), { unref: true });
    }
    await this.#context.save();
    this.#context.changed();
  }

  #isChanged({ container, role }: Cast): boolean {
    const { run, resources } = containerOf(this.#context.world, container.name);
    if (role === "ephemeral" || run.phase !== "running" || resources === undefined) return false;
    return !deepEqual(resources, container.resources ?? {});
  }

  /** Makes the changes. @returns why not */
  async #obstacle(sandbox: Sandbox, changed: readonly Cast[]): Promise<ResizeObstacle | undefined> {
    const never = infeasible(this.#context, sandbox);
    if (never !== undefined) return { reason: "Infeasible", message: never };
    if (this.#lack !== undefined) return { reason: "Deferred", message: this.#lack };
    try {
      for (const cast of changed) await this.#change(sandbox, cast);
      return undefined;
    } catch (error) {
      return { reason: "Error", message: error instanceof Error ? error.message : String(error) };
    }
  }

  async #change({ guest }: Sandbox, { container }: Cast): Promise<void> {
    const live = this.#runs.get(container.name);
    if (live === undefined) return;
    const state = containerOf(this.#context.world, container.name);
    const wanted = container.resources ?? {};
    const mustRestart = restartsFor(container, state.resources ?? {});
    if (!mustRestart) await guest.limit(live.container, limitsFor({ resources: wanted }));
    state.resources = wanted;
    this.#context.host.log.info("a container was resized", {
      pod: this.#context.pod.metadata.name,
      container: container.name,
    });
    if (mustRestart) await guest.signal(live.container, killSignal, true);
  }
}

/** Why the Pod as it is wanted can never be on this node, in this machine. */
function infeasible({ host, pod }: PodContext, { machine }: Sandbox): string | undefined {
  const { spec } = machine.intent;
  const size = machineSize(pod.spec, host.largest);
  if (size.memoryMiB > spec.memoryMiB)
    return `the Pod's machine has ${spec.memoryMiB} MiB of memory, not ${size.memoryMiB}`;
  if (size.vcpus > spec.vcpus) return `the Pod's machine has ${spec.vcpus} processors, not ${size.vcpus}`;
  const wanted = podRequests(pod.spec);
  const most = { cpu: cpuMillisOf(host.allocatable["cpu"]), memory: bytesOf(host.allocatable["memory"]) };
  if (wanted.cpuMillis > most.cpu)
    return `Node didn't have enough capacity: cpu, requested: ${wanted.cpuMillis}, capacity: ${most.cpu}`;
  if (wanted.memoryBytes > most.memory)
    return `Node didn't have enough capacity: memory, requested: ${wanted.memoryBytes}, capacity: ${most.memory}`;
  return undefined;
}

/** Whether a resource has changed whose policy is to start the container again. */
function restartsFor({ resizePolicy = [], resources }: Cast["container"], before: ResourceRequirements): boolean {
  return resizePolicy.some(({ resourceName, restartPolicy }) => {
    const differs = (["limits", "requests"] as const).some(
      (which) => resources[which]?.[resourceName] !== before[which]?.[resourceName],
    );
    return restartPolicy === "RestartContainer" && differs;
  });
}

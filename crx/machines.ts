/**
 * The machines of a host: creates them, takes them up again after a restart of the driver, and finds what must not
 * be there. The folder is the truth: a machine exists from the moment its intent is on disk until its folder is gone.
 */
import { randomBytes } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { exists } from "./cache.ts";
import { machinesFolder, type MachineHost } from "./host.ts";
import { Machine, type MachineHandlers, type Origin } from "./machine.ts";
import { listMachines, readIntent, writeIntent, type Intent } from "./records.ts";
import { StartFailed } from "./shim.ts";
import { checkSpec, type MachineSpec } from "./spec.ts";
import { Templates } from "./template.ts";

/** A machine of that id is there already. */
export class MachineExists extends Error {
  override readonly name = "MachineExists";
}

/** Most machines on a host: user ids are set aside for so many. */
const mostMachines = 4096;

/** All machines of a host. One object per host's folder. */
export class Machines {
  readonly host: MachineHost;
  readonly templates: Templates;
  readonly #handlers: MachineHandlers;
  readonly #machines = new Map<string, Machine>();
  readonly #followers = new Set<() => void>();

  constructor(host: MachineHost, handlers: MachineHandlers = {}) {
    this.host = host;
    this.templates = new Templates(host);
    this.#handlers = {
      ...handlers,
      changed: (machine) => {
        handlers.changed?.(machine);
        this.#changed();
      },
    };
  }

  /** Calls back after every change of a machine's state, and when one is removed. @returns ends it */
  follow(changed: () => void): () => void {
    this.#followers.add(changed);
    return () => this.#followers.delete(changed);
  }

  #changed(): void {
    for (const tell of this.#followers) tell();
  }

  /** Machines that are not removed, also those that are gone. */
  list(): readonly Machine[] {
    return [...this.#machines.values()];
  }

  /** One machine. */
  get(id: string): Machine | undefined {
    return this.#machines.get(id);
  }

  /**
   * Takes up what an earlier driver left. Machines that ended meanwhile are there too, gone, and say how.
   * @returns the machines found
   */
  async adopt(): Promise<readonly Machine[]> {
    const home = machinesFolder(this.host.home);
    const found: Machine[] = [];
    for (const name of await listMachines(home)) {
      const folder = join(home, name);
      const intent = await readIntent(folder);
      if (intent === undefined || this.#machines.has(name)) continue;
      const machine = new Machine(this.host, { folder, intent }, this.#handlers);
      this.#machines.set(name, machine);
      found.push(machine);
    }
    await Promise.all(found.map((machine) => machine.adopt()));
    return found;
  }

  /**
   * Creates a machine and brings it up: as a copy of a template where there is one, by booting otherwise.
   * @throws {SpecInvalid} @throws {MachineExists} @throws {StartFailed} the machine is gone then, and still to be removed
   */
  async start(spec: MachineSpec): Promise<Machine> {
    const machine = await this.#plan(spec);
    const origin = await this.#originOf(spec);
    try {
      await machine.start(origin);
      return machine;
    } catch (error) {
      if (!("template" in origin)) throw error;
      return await this.#bootInstead(machine, (error as Error).message);
    }
  }

  /** A template that cannot be copied, for whatever reason, keeps no machine from coming up. */
  async #bootInstead(failed: Machine, why: string): Promise<Machine> {
    const { spec } = failed.intent;
    await this.remove(failed);
    await this.templates.discard(spec);
    const machine = await this.#plan(spec);
    await machine.start({ boot: `the copy of the template failed: ${why}` });
    return machine;
  }

  /** Forgets a machine that is gone. @throws {NotNow} */
  async remove(machine: Machine): Promise<void> {
    await machine.remove();
    this.#machines.delete(machine.intent.spec.id);
    this.#changed();
  }

  /** Lets go of all machines without ending any. */
  release(): void {
    for (const machine of this.#machines.values()) machine.release();
    this.#machines.clear();
  }

  async #plan(spec: MachineSpec): Promise<Machine> {
    checkSpec(spec);
    const folder = join(machinesFolder(this.host.home), spec.id);
    if (this.#machines.has(spec.id)) throw new MachineExists(`machine ${spec.id} exists`);
    const intent: Intent = {
      spec,
      uid: this.#freeUid(),
      createdMs: this.host.clock.nowMs(),
      bootId: this.host.bootId,
      accelerator: this.host.verdict.accelerator,
      kernelDigest: this.host.system.kernelDigest,
      initramfsDigest: this.host.system.initramfsDigest,
      machineId: randomBytes(16).toString("hex"),
      hostname: spec.id,
    };
    const machine = new Machine(this.host, { folder, intent }, this.#handlers);
    this.#machines.set(spec.id, machine); // before anything is awaited: the uid is taken
    try {
      if (await exists(folder)) throw new MachineExists(`machine ${spec.id} exists on disk`);
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await writeIntent(folder, intent);
    } catch (error) {
      this.#machines.delete(spec.id);
      throw error;
    }
    return machine;
  }

  /** The lowest user id that no machine has; the first belongs to templates. */
  #freeUid(): number {
    const taken = new Set([...this.#machines.values()].map((machine) => machine.intent.uid));
    for (let uid = this.host.firstUid + 1; uid <= this.host.firstUid + mostMachines; uid++)
      if (!taken.has(uid)) return uid;
    throw new StartFailed(`a host holds at most ${mostMachines} machines`);
  }

  async #originOf(spec: MachineSpec): Promise<Origin> {
    if (spec.start === "boot") return { boot: "a boot was asked for" };
    // Several machines that boot beside a template in the making need longer than that and their copying.
    const template = await this.templates.obtain(spec);
    if (template !== undefined) return { template };
    // The next one of this size shall find it.
    this.templates.ensure(spec).catch(() => undefined);
    return { boot: "there is no template of this size yet" };
  }
}

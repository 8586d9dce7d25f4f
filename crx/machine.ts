/**
 * One machine and its one driver: nothing else changes its state, and what may happen when is decided by policy.ts.
 * QEMU and the shim live on when the driver's process ends; `adopt` takes up where it left.
 */
import { open, rm } from "node:fs/promises";
import { constants } from "node:fs";
import { join } from "node:path";
import { blockNode, descriptors, sharedNode } from "./argv.ts";
import { exists } from "./cache.ts";
import { Guest, type Container } from "./guest.ts";
import type { MachineHost } from "./host.ts";
import type { LaterModule } from "./kernel/modules.ts";
import { diskFile, launch, linkDisk, shapeOf } from "./launch.ts";
import { mayFollow, NotNow, outcomeOf, refusalOf } from "./policy.ts";
import type { MachineRequest, MachineState, Outcome } from "./policy.ts";
import { isAlive, signalProcess } from "./processes.ts";
import { Qmp, type QmpEvent } from "./qmp.ts";
import {
  forget,
  lastLogLine,
  machineFiles,
  readConsole,
  readExit,
  readProcesses,
  readStart,
  writeStart,
} from "./records.ts";
import type { Intent, StartRecord } from "./records.ts";
import { askForDisk, askForLease, type LeaseState, type SharedDisk } from "./shares.ts";
import { connectTo, StartFailed } from "./shim.ts";
import { blockSlots, checkDisk, type DiskSpec } from "./spec.ts";
import { MigrationWatch, setMigrationCapabilities, type Template } from "./template.ts";

/** Deadlines of a machine, in ms. */
const deadlines = {
  /** From the shim's start to the guest's first answer. */
  start: 60_000,
  /** For the shim's record after QEMU is gone. */
  record: 5_000,
  /** From a guest's goodbye to the end of QEMU. */
  powerOff: 3_000,
  /** For a disk on a share to be opened. */
  disk: 30_000,
} as const;

/** What a driver is told. */
export interface MachineHandlers {
  /** After every change of state. */
  changed?(machine: Machine): void;
  /** Something in a container was killed for want of memory. */
  oom?(machine: Machine, container: Container): void;
}

/** Where a machine comes from: a copy of a template, or the reason why it boots. */
export type Origin = { readonly template: Template } | { readonly boot: string };

/** A machine of this host. */
export class Machine {
  readonly intent: Intent;
  readonly folder: string;
  readonly #host: MachineHost;
  readonly #handlers: MachineHandlers;
  readonly #gone = Promise.withResolvers<Outcome>();
  readonly #migration = new MigrationWatch();
  /** Who waits for a device to be gone, by its id. */
  readonly #deletions = new Map<string, () => void>();
  #state: MachineState = { phase: "planned" };
  #qmp: Qmp | undefined;
  #guest: Guest | undefined;
  #panicked = false;
  #saidGoodbye = false;
  #broke: string | undefined;
  #startProblem: string | undefined;
  #hadStarted = false;

  /** Use `Machines`; a machine is nothing without its folder and intent. */
  constructor(host: MachineHost, where: { folder: string; intent: Intent }, handlers: MachineHandlers = {}) {
    this.#host = host;
    this.folder = where.folder;
    this.intent = where.intent;
    this.#handlers = handlers;
  }

  /** Where it is in its life. */
  get state(): MachineState {
    return this.#state;
  }

  /** Resolves with the truth about its end. */
  get gone(): Promise<Outcome> {
    return this.#gone.promise;
  }

  /** What is inside. @throws {NotNow} it is not running */
  get guest(): Guest {
    if (this.#guest === undefined) throw new NotNow("attachDisk", "notRunning");
    return this.#guest;
  }

  /**
   * Brings a planned machine up, to the point where its guest knows who it is.
   * @throws {StartFailed} it is gone then
   */
  async start(origin: Origin): Promise<void> {
    const { clock } = this.#host;
    const beganMs = clock.monotonicMs();
    this.#become({ phase: "starting", sinceMs: clock.nowMs() });
    const signal = AbortSignal.timeout(deadlines.start);
    try {
      await this.#launch(origin);
      await this.#connect({ incoming: "template" in origin, takeOver: false, signal });
      if (this.guest.needsIdentity) await this.guest.identify(this.intent);
    } catch (error) {
      this.#startProblem = (error as Error).message;
      await this.kill();
      const said = await lastLogLine(this.folder);
      throw new StartFailed(said === "" ? this.#startProblem : `${this.#startProblem} (${said})`, { cause: error });
    }
    const how: StartRecord = {
      startedAs: "template" in origin ? "clone" : "boot",
      why: "boot" in origin ? origin.boot : "",
      startMs: Math.round(clock.monotonicMs() - beganMs),
    };
    await writeStart(this.folder, how);
    this.#run(how);
  }

  /**
   * Takes over a machine that an earlier driver started.
   * @returns whether it still runs; otherwise it is gone, and says how
   */
  async adopt(): Promise<boolean> {
    const processes = await readProcesses(this.folder);
    const alive = processes !== undefined && (await isAlive(processes.qemu, processes.qemuStart));
    if (!alive || this.intent.bootId !== this.#host.bootId) {
      await this.#settle();
      return false;
    }
    this.#become({ phase: "starting", sinceMs: processes.atMs });
    try {
      await this.#connect({ incoming: false, takeOver: true, signal: AbortSignal.timeout(deadlines.start) });
      // The driver may have ended between the guest's first answer and telling it who it is.
      if (this.guest.needsIdentity) await this.guest.identify(this.intent);
    } catch (error) {
      this.#startProblem = (error as Error).message;
      await this.kill();
      return false;
    }
    this.#run((await readStart(this.folder)) ?? { startedAs: "boot", why: "its start was not recorded", startMs: 0 });
    return true;
  }

  /**
   * Plugs a disk in. The guest finds it by its serial.
   * @throws {NotNow} @throws {StartFailed} the file cannot be given to the machine
   */
  async attachDisk(disk: DiskSpec): Promise<void> {
    const qmp = this.#require("attachDisk");
    checkDisk(disk, "disk");
    await this.#plug(qmp, disk);
  }

  /**
   * Waits for the lease of a disk that other hosts have too, or looks how the wait goes.
   * @param over a holder that has no right to it any more: its machine is asked to end
   * @throws {NotNow} @throws {StartFailed} the shim is gone
   */
  async leaseOf(disk: SharedDisk, over?: string): Promise<LeaseState> {
    this.#require("attachDisk");
    return await askForLease(this.folder, disk, over);
  }

  /** Gives the guest what it needs for a file system, unless it has it. The guest looks for it when it mounts one. */
  async attachModules(name: LaterModule): Promise<void> {
    const path = this.#host.system.moduleDisks.get(name);
    const serial = `modules-${name}`;
    if (path === undefined || (await exists(join(this.folder, machineFiles.files, diskFile({ serial }))))) return;
    await this.attachDisk({ serial, path, readOnly: true });
  }

  /** Plugs a disk in whose lease is held. @throws {NotNow} @throws {StartFailed} it cannot be opened */
  async attachShared(serial: string): Promise<void> {
    const qmp = this.#require("attachDisk");
    const { clock } = this.#host;
    const giveUpMs = clock.monotonicMs() + deadlines.disk;
    let state = await askForDisk(this.folder, serial);
    while (state.is === "held" && clock.monotonicMs() < giveUpMs) {
      await clock.sleep(20);
      state = await askForDisk(this.folder, serial);
    }
    if (state.is !== "given") throw new StartFailed(state.is === "trouble" ? state.why : "the disk does not open");
    await this.#plugNode(qmp, serial, sharedNode(nodeName({ serial }), state.fdset));
  }

  /** Takes a disk away that `attachDisk` gave; its volume must have been dropped. */
  async detachDisk(serial: string): Promise<void> {
    const qmp = this.#require("detachDisk");
    const node = nodeName({ serial });
    const deleted = Promise.withResolvers<void>();
    this.#deletions.set(`device-${node}`, deleted.resolve);
    await qmp.execute("device_del", { id: `device-${node}` });
    await Promise.race([deleted.promise, this.gone]);
    await qmp.execute("blockdev-del", { "node-name": node });
    await rm(join(this.folder, machineFiles.files, diskFile({ serial })), { force: true });
  }

  /** Makes a disk as large as its file has become; the guest then grows the volume. */
  async resizeDisk(serial: string, bytes: number): Promise<void> {
    const qmp = this.#require("attachDisk");
    const slot = this.intent.spec.disks.slice(0, blockSlots).findIndex((disk) => disk.serial === serial);
    await qmp.execute("block_resize", { "node-name": slot >= 0 ? `slot${slot}` : nodeName({ serial }), size: bytes });
  }

  /**
   * Asks the guest to end: its containers get SIGTERM and the grace period. What does not end in time is killed.
   * @throws {NotNow}
   */
  async shutDown(graceMs: number): Promise<Outcome> {
    this.#require("shutDown");
    const { clock } = this.#host;
    if (this.#state.phase === "running") this.#become({ phase: "stopping", sinceMs: clock.nowMs() });
    const timer = clock.after(graceMs + deadlines.powerOff, () => void this.kill());
    await this.guest.request("shutdown", { graceMs }).catch(() => undefined);
    const outcome = await this.gone;
    timer.cancel();
    return outcome;
  }

  /** Ends QEMU now. Resolves when it is gone; does nothing to a machine that already is. */
  async kill(): Promise<Outcome> {
    if (this.#state.phase === "gone") return this.#state.outcome;
    const processes = await readProcesses(this.folder);
    if (processes === undefined) await this.#settle();
    else await signalProcess(processes.shim, processes.shimStart, "SIGTERM");
    if (this.#qmp === undefined) await this.#settle();
    return await this.gone;
  }

  /** Lets the machine's lease last from now on. @throws the shim is gone */
  async renewLease(): Promise<void> {
    const lease = await open(join(this.folder, machineFiles.lease), constants.O_WRONLY | constants.O_NONBLOCK);
    try {
      await lease.write("\n");
    } finally {
      await lease.close();
    }
  }

  /** Forgets a machine that is gone: its folder, its groups. @throws {NotNow} */
  async remove(): Promise<void> {
    const refusal = refusalOf(this.#state, "remove");
    if (refusal !== undefined) throw new NotNow("remove", refusal);
    await this.#host.groups.remove(this.intent.spec.id, this.#host.clock);
    await forget(this.folder);
  }

  /** Lets go of the machine without ending it, as a driver that stops does. */
  release(): void {
    this.#guest?.close();
    this.#qmp?.close();
  }

  /** What the guest printed lately. For people: nothing in it can be relied upon. */
  console(): Promise<string> {
    return readConsole(this.folder);
  }

  // ---- coming up

  async #launch(origin: Origin): Promise<void> {
    const { spec, uid } = this.intent;
    await launch(this.#host, {
      folder: this.folder,
      name: spec.id,
      uid,
      shape: shapeOf(this.#host, spec),
      birth: "template" in origin ? "clone" : "boot",
      disks: spec.disks.slice(0, blockSlots),
      tap: spec.tap,
      leaseMs: spec.leaseMs,
      template: "template" in origin ? origin.template : undefined,
    });
  }

  async #connect(how: { incoming: boolean; takeOver: boolean; signal: AbortSignal }): Promise<void> {
    const handlers = { event: (event: QmpEvent) => this.#takeEvent(event), close: () => this.#qmpClosed() };
    // Both at once: a guest that boots answers long after QEMU does, a copy at the same time.
    const channel = connectTo(this.folder, "channel");
    channel.catch(() => undefined);
    const qmp = await Qmp.open(await connectTo(this.folder, "qmp"), handlers, how.signal);
    this.#qmp = qmp;
    const guest = Guest.open(await channel, {
      takeOver: how.takeOver,
      clock: this.#host.clock,
      signal: how.signal,
      handlers: {
        oom: (container) => this.#handlers.oom?.(this, container),
        goodbye: () => this.#guestOff(),
        closed: (reason) => this.#channelClosed(reason.cause),
      },
    });
    guest.catch(() => undefined);
    if (how.incoming) await this.#bringIn(qmp);
    this.#guest = await guest;
    if (!how.takeOver) await this.#plugRemaining(qmp);
  }

  /** Carries the template's state over and sets the copy going. */
  async #bringIn(qmp: Qmp): Promise<void> {
    await setMigrationCapabilities(qmp);
    await qmp.execute("migrate-incoming", { uri: `fd:${descriptors.state}` });
    await this.#migration.done;
    await qmp.execute("cont");
  }

  /** Disks beyond the slots. */
  async #plugRemaining(qmp: Qmp): Promise<void> {
    for (const disk of this.intent.spec.disks.slice(blockSlots)) {
      if (qmp.closed) return;
      await this.#plug(qmp, disk);
    }
  }

  async #plug(qmp: Qmp, disk: DiskSpec): Promise<void> {
    await linkDisk({ folder: this.folder, uid: this.intent.uid }, disk);
    const node = blockNode(nodeName(disk), { file: diskFile(disk), readOnly: disk.readOnly });
    await this.#plugNode(qmp, disk.serial, node);
  }

  async #plugNode(qmp: Qmp, serial: string, node: Readonly<Record<string, unknown>>): Promise<void> {
    await qmp.execute("blockdev-add", node);
    const drive = nodeName({ serial });
    const id = `device-${drive}`;
    // Unit 1: for unit 0 the guest would search the whole target, which it is told not to do.
    const place = { bus: "scsi.0", lun: 1 };
    // An error is for the guest to handle; a machine that QEMU stops, nobody would set going again.
    const errors = { rerror: "report", werror: "report" };
    await qmp.execute("device_add", { driver: "scsi-hd", id, ...place, drive, serial, ...errors });
  }

  #run(how: StartRecord): void {
    this.#hadStarted = true;
    if (this.#state.phase === "starting") this.#become({ phase: "running", ...how });
  }

  // ---- coming down

  #takeEvent(event: QmpEvent): void {
    this.#migration.take(event);
    if (event.name === "GUEST_PANICKED") this.#panicked = true;
    const device = event.data["device"];
    if (event.name !== "DEVICE_DELETED" || typeof device !== "string") return;
    this.#deletions.get(device)?.();
    this.#deletions.delete(device);
  }

  /** QEMU's end closes its sockets, whatever the end was. */
  #qmpClosed(): void {
    this.#migration.fail(new StartFailed("QEMU ended"));
    void this.#settle();
  }

  /** A guest that breaks the protocol is not to be trusted with anything else. */
  #channelClosed(cause: unknown): void {
    if (!(cause instanceof Error) || this.#state.phase === "gone") return;
    this.#broke = cause.message;
    void this.kill();
  }

  /** Some kernels cannot switch a machine off; when init has said goodbye, QEMU need not wait for it. */
  #guestOff(): void {
    this.#saidGoodbye = true;
    const qmp = this.#qmp;
    if (qmp !== undefined) this.#host.clock.after(200, () => void qmp.execute("quit").catch(() => undefined));
  }

  /** QEMU is gone, or never was: finds out how it ended. */
  async #settle(): Promise<void> {
    const { clock } = this.#host;
    // Of an earlier boot of the host nothing more will be recorded.
    const waitMs = this.intent.bootId === this.#host.bootId ? deadlines.record : 0;
    const giveUpMs = clock.monotonicMs() + waitMs;
    let exit = await readExit(this.folder);
    while (exit === undefined && clock.monotonicMs() < giveUpMs && (await this.#shimLives())) {
      await clock.sleep(10);
      exit = await readExit(this.folder);
    }
    exit ??= await readExit(this.folder);
    if (this.#state.phase === "gone") return;
    // A guest can write that on its console itself; it then only slanders itself.
    const suspect = exit !== undefined && exit.reason === "exited" && exit.signal === 0 && !this.#saidGoodbye;
    const panicked = this.#panicked || (suspect && /Kernel panic - not syncing/.test(await this.console()));
    const outcome = outcomeOf({
      exit,
      panicked,
      broke: this.#broke,
      hadStarted: this.#hadStarted,
      startProblem: this.#startProblem,
      nowMs: clock.nowMs(),
    });
    this.release();
    this.#become({ phase: "gone", outcome });
    this.#gone.resolve(outcome);
  }

  async #shimLives(): Promise<boolean> {
    const processes = await readProcesses(this.folder);
    return processes !== undefined && (await isAlive(processes.shim, processes.shimStart));
  }

  #require(request: MachineRequest): Qmp {
    const refusal = refusalOf(this.#state, request);
    if (refusal !== undefined) throw new NotNow(request, refusal);
    if (this.#qmp === undefined) throw new NotNow(request, "notRunning");
    return this.#qmp;
  }

  #become(next: MachineState): void {
    if (!mayFollow(this.#state.phase, next.phase)) return;
    this.#state = next;
    this.#handlers.changed?.(this);
  }
}

const nodeName = (disk: { serial: string }): string => `disk-${disk.serial}`;

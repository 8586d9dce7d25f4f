/**
 * Templates: machines that were booted once, stopped when their init was ready, and live on as two sealed pieces of
 * memory, RAM and device state, held by their shim. A copy begins where the template was stopped.
 *
 * Nothing of the host or of any user is in a template: it is identified only after it has been copied.
 */
import { once } from "node:events";
import { chown, copyFile, mkdir, rm, writeFile } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import { digestOf, shortDigest, writeWhole } from "./cache.ts";
import { filesFolder, qemuCommand, type Shape } from "./argv.ts";
import { Guest } from "./guest.ts";
import { templatesFolder, type MachineHost } from "./host.ts";
import { draftFolder, forgetKept, isKept, keptFiles, keptFolder, tidyKept } from "./kept.ts";
import { launch, limitsOf, shapeOf } from "./launch.ts";
import { isAlive, signalProcess } from "./processes.ts";
import { Qmp, type QmpEvent } from "./qmp.ts";
import { forget, listMachines, machineFiles, readExit, readProcesses } from "./records.ts";
import { connectTo, StartFailed, startShim, withShortPath } from "./shim.ts";

/** A template that can be copied. */
export interface Template {
  readonly key: string;
  /** The process that holds it. */
  readonly pid: number;
  readonly start: number;
  /** File with the devices' state. */
  readonly state: string;
}

/** How long a template may take to come up, in ms. */
const bootDeadlineMs = 60_000;
const loadDeadlineMs = 10_000;
/** Containers whose first half of set-up is done ahead. */
const preparedSlots = 2;
const pollMs = 10;

/** A template's key: whatever makes machines different that were copied from it, QEMU's whole command line among it. */
function templateKey(host: MachineHost, shape: Shape): string {
  const backing = { birth: "template", disks: [], tap: false, tscKhz: host.tscKhz } as const;
  const parts = [
    host.qemuVersion,
    host.system.kernelDigest,
    host.system.initramfsDigest,
    host.shim.digest,
    `${preparedSlots}`,
    ...qemuCommand(shape, backing),
  ];
  return shortDigest(digestOf(parts.join("\n")));
}

/** The templates of a host, by size. Each is made at most once at a time. */
export class Templates {
  readonly #host: MachineHost;
  readonly #making = new Map<string, Promise<Template>>();

  constructor(host: MachineHost) {
    this.#host = host;
  }

  /** A finished template for machines of that size; undefined when there is none. */
  async find(size: { memoryMiB: number; vcpus: number }): Promise<Template | undefined> {
    const key = templateKey(this.#host, shapeOf(this.#host, size));
    const folder = join(templatesFolder(this.#host.home), key);
    const [processes, exit] = await Promise.all([readProcesses(folder), readExit(folder)]);
    if (processes === undefined || exit?.reason !== "template") return undefined;
    const { shim: pid, shimStart: start } = processes;
    return (await isAlive(pid, start)) ? { key, pid, start, state: join(folder, stateFile) } : undefined;
  }

  /**
   * A template for that size, made if there is none.
   * @throws {StartFailed} it cannot be made; machines then boot
   */
  async ensure(size: { memoryMiB: number; vcpus: number }): Promise<Template> {
    const found = await this.find(size);
    if (found !== undefined) return found;
    const key = templateKey(this.#host, shapeOf(this.#host, size));
    const running = this.#making.get(key);
    if (running !== undefined) return await running;
    const making = this.#loadOrMake(key, size).finally(() => this.#making.delete(key));
    this.#making.set(key, making);
    return await making;
  }

  /** A template that need not be booted, or is being booted already; undefined when there is none, or it failed. */
  async obtain(size: { memoryMiB: number; vcpus: number }): Promise<Template | undefined> {
    const found = await this.find(size);
    if (found !== undefined) return found;
    const key = templateKey(this.#host, shapeOf(this.#host, size));
    const atHand = this.#making.has(key) || (await isKept(this.#host.cache, key, this.#host.clock.nowMs()));
    return atHand ? await this.ensure(size).catch(() => undefined) : undefined;
  }

  /** Drops the template of a size, which turned out to be no good; the next `ensure` makes a new one. */
  async discard(size: { memoryMiB: number; vcpus: number }): Promise<void> {
    const key = templateKey(this.#host, shapeOf(this.#host, size));
    if (this.#making.has(key)) return;
    await forgetKept(this.#host.cache, key);
    await this.#drop(key);
  }

  /** Drops templates that no machine of this host can be copied from any more. Copies are not affected. */
  async prune(sizes: readonly { memoryMiB: number; vcpus: number }[]): Promise<void> {
    const wanted = new Set(sizes.map((size) => templateKey(this.#host, shapeOf(this.#host, size))));
    for (const key of await listMachines(templatesFolder(this.#host.home)))
      if (!wanted.has(key) && !this.#making.has(key)) await this.#drop(key);
  }

  async #drop(key: string): Promise<void> {
    const folder = join(templatesFolder(this.#host.home), key);
    const processes = await readProcesses(folder);
    if (processes !== undefined) {
      await signalProcess(processes.shim, processes.shimStart, "SIGTERM");
      while (await isAlive(processes.shim, processes.shimStart)) await this.#host.clock.sleep(pollMs);
    }
    await this.#host.groups.remove(groupName(key), this.#host.clock);
    await forget(folder);
  }

  async #loadOrMake(key: string, size: { memoryMiB: number; vcpus: number }): Promise<Template> {
    const { cache, clock } = this.#host;
    if (await isKept(cache, key, clock.nowMs())) {
      const loaded = await this.#load(key, size).catch(() => undefined);
      if (loaded !== undefined) return loaded;
      await forgetKept(cache, key);
    }
    return await this.#make(key, size);
  }

  /** One that an earlier start of the system left on disk. */
  async #load(key: string, size: { memoryMiB: number; vcpus: number }): Promise<Template> {
    await this.#drop(key);
    const kept = keptFolder(this.#host.cache, key);
    const folder = join(templatesFolder(this.#host.home), key);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    try {
      await copyFile(join(kept, keptFiles.state), join(folder, stateFile));
      const shape = shapeOf(this.#host, size);
      await startShim({
        program: this.#host.shim.path,
        folder,
        name: groupName(key),
        uid: this.#host.firstUid,
        kvm: false,
        cgroups: await this.#host.groups.make(groupName(key), limitsOf(shape)),
        templateBytes: shape.memoryMiB * 2 ** 20,
        templateFile: join(kept, keptFiles.ram),
        command: [],
      });
      return await this.#awaitHeld(size, AbortSignal.timeout(loadDeadlineMs));
    } catch (error) {
      await this.#drop(key);
      throw error;
    }
  }

  async #make(key: string, size: { memoryMiB: number; vcpus: number }): Promise<Template> {
    await this.#drop(key);
    const { cache, clock } = this.#host;
    const folder = join(templatesFolder(this.#host.home), key);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await tidyKept(cache, clock.nowMs());
    const draft = await draftFolder(cache);
    const signal = AbortSignal.timeout(bootDeadlineMs);
    try {
      await launch(this.#host, {
        folder,
        name: groupName(key),
        uid: this.#host.firstUid,
        shape: shapeOf(this.#host, size),
        birth: "template",
        disks: [],
        keep: { draft, folder: keptFolder(cache, key) },
      });
      await this.#bootAndSave({ folder, draft }, signal);
      return await this.#awaitHeld(size, signal);
    } catch (error) {
      await rm(draft, { recursive: true, force: true });
      await this.#drop(key);
      throw error instanceof StartFailed ? error : new StartFailed("no template could be made", { cause: error });
    }
  }

  async #bootAndSave({ folder, draft }: { folder: string; draft: string }, signal: AbortSignal): Promise<void> {
    const ended = Promise.withResolvers<void>();
    const migration = new MigrationWatch();
    const handlers = { event: (event: QmpEvent) => migration.take(event), close: () => ended.resolve() };
    const qmp = await Qmp.open(await connectTo(folder, "qmp"), handlers, signal);
    const guest = await Guest.open(await connectTo(folder, "channel"), { clock: this.#host.clock, signal });
    await guest.request("prepare", { slots: preparedSlots });
    guest.close();
    await qmp.execute("stop");
    await setMigrationCapabilities(qmp);
    const state = await receiveState(folder, this.#host.firstUid);
    await qmp.execute("migrate", { uri: `unix:${filesFolder}/${stateSocket}` });
    await migration.done;
    const devices = await state();
    await writeWhole(join(draft, keptFiles.state), devices, 0o600);
    await writeFile(join(folder, stateFile), devices, { mode: 0o600 });
    await qmp.execute("quit");
    await ended.promise;
  }

  /** The shim seals the memory once QEMU is gone, and says so. */
  async #awaitHeld(size: { memoryMiB: number; vcpus: number }, signal: AbortSignal): Promise<Template> {
    for (;;) {
      const template = await this.find(size);
      if (template !== undefined) return template;
      await this.#host.clock.sleep(pollMs, signal);
    }
  }
}

const stateFile = "state";
const stateSocket = "state.sock";
/** Far more than any device state; what is longer is no template. */
const longestState = 16 << 20;

/** Listens where the confined QEMU can reach it, and takes what it sends. */
async function receiveState(folder: string, uid: number): Promise<() => Promise<Buffer>> {
  const server = createServer();
  const files = join(folder, machineFiles.files);
  await withShortPath(files, async (short) => {
    server.listen(join(short, stateSocket));
    await once(server, "listening");
  });
  await chown(join(files, stateSocket), uid, uid);
  const read = async (): Promise<Buffer> => {
    const [socket] = (await once(server, "connection")) as [Socket];
    server.close();
    const parts: Buffer[] = [];
    let length = 0;
    for await (const part of socket as AsyncIterable<Buffer>) {
      parts.push(part);
      length += part.length;
      if (length > longestState) throw new StartFailed("the template's state is too long");
    }
    return Buffer.concat(parts);
  };
  const state = read();
  state.catch(() => undefined); // awaited later
  return () => state; // a promise of a promise would be awaited as one
}

const groupName = (key: string): string => `template-${key}`;

/** RAM is shared by mapping, not copied; progress is told. */
export async function setMigrationCapabilities(qmp: Qmp): Promise<void> {
  const capabilities = ["x-ignore-shared", "events"].map((capability) => ({ capability, state: true }));
  await qmp.execute("migrate-set-capabilities", { capabilities });
}

/** Follows one migration by QEMU's events. */
export class MigrationWatch {
  readonly #end = Promise.withResolvers<void>();

  constructor() {
    this.#end.promise.catch(() => undefined); // it may fail before anyone waits
  }

  /** Resolves when it is completed. @throws {StartFailed} it failed */
  get done(): Promise<void> {
    return this.#end.promise;
  }

  /** Takes every event of the machine. */
  take(event: QmpEvent): void {
    if (event.name !== "MIGRATION") return;
    const status = event.data["status"];
    if (status === "completed") this.#end.resolve();
    if (status === "failed") this.#end.reject(new StartFailed("QEMU could not carry the template's state over"));
  }

  /** QEMU is gone. */
  fail(error: Error): void {
    this.#end.reject(error);
  }
}

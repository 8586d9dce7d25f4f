/** The volumes of one Pod: made in its machine, filled, and filled anew when what they show has changed. */
import type { Volume } from "@atoll/api/builtin/core/v1.types";
import type { Pod } from "@atoll/client/builtin";
import type { Clock } from "@atoll/machinery/clock";
import { dateOf } from "@atoll/machinery/clock";
import { createHash } from "node:crypto";
import type { PodContext } from "../pods/context.ts";
import type { PluggableDisk, Sandbox } from "../pods/sandbox.ts";
import { guestVolume, ownVolumes } from "../translate/container.ts";
import type { NodeFacts } from "../translate/fields.ts";
import { bytesOf } from "../translate/resources.ts";
import { claimOf, type ClaimedDisk, diskOf, type Storage, tellGrown } from "./claims.ts";
import { filesOf, type FillSight, isFilled, type VolumeFile, VolumeUnfilled } from "./contents.ts";
import { diskBytesFor, ownDisk } from "./owndisk.ts";
import type { PodObjects } from "./references.ts";
import { plugShared } from "./shared.ts";
import type { Tokens } from "./tokens.ts";

/** What volumes are made with. */
export interface PodVolumesOptions {
  readonly clock: Clock;
  /** Of the Pod on the host's disk. */
  readonly folder: string;
  readonly objects: PodObjects;
  readonly tokens: Tokens;
  readonly facts: () => NodeFacts;
  readonly storage: Storage;
}

const everyone = 0o777;
const setGid = 0o2000;

/** The volumes of a Pod in one machine. */
export class PodVolumes {
  readonly #options: PodVolumesOptions;
  readonly #sandbox: Sandbox;
  /** What each volume shows, as text to compare. */
  readonly #shown = new Map<string, string>();
  /** Volumes whose disks are in the machine. */
  readonly #plugged = new Set<string>();
  #versions = 0;
  #last: Promise<void> = Promise.resolve();

  constructor(options: PodVolumesOptions, sandbox: Sandbox) {
    this.#options = options;
    this.#sandbox = sandbox;
  }

  /**
   * Makes and fills all volumes of a Pod; those that show the same already are left alone. One call at a time.
   * @throws {VolumeUnfilled} {CannotStart} something is missing
   */
  async bringUp(pod: Pod): Promise<void> {
    const work = this.#last.then(async () => await this.#bringUp(pod));
    this.#last = work.catch(() => undefined);
    await work;
  }

  async #bringUp(pod: Pod): Promise<void> {
    const volumes = pod.spec.volumes ?? [];
    const sight = { pod, sources: this.#options.objects, facts: this.#options.facts(), token: this.#token };
    // Everything is looked at before anything is made: a volume that lacks something is told first.
    const filled = volumes.filter(isFilled).map((volume) => ({ volume, files: contentOf(volume, sight) }));
    const made = volumes.map(async (volume) => await this.#make(pod, volume));
    await Promise.all([...made, ...filled.map(async ({ volume, files }) => await this.#fill(volume, files))]);
  }

  readonly #token: FillSight["token"] = (projection) => this.#options.tokens.get(projection);

  async #make(pod: Pod, { name, emptyDir, ...rest }: Volume): Promise<void> {
    if (rest.image !== undefined) return;
    const claim = claimOf(pod, { name, ...rest });
    if (claim !== undefined) return await this.#plug(pod, name, claim);
    const fsGroup = pod.spec.securityContext?.fsGroup;
    const owned = fsGroup === undefined ? { mode: everyone } : { mode: everyone | setGid, gid: fsGroup };
    const volume = guestVolume(name);
    if (emptyDir?.medium === "Memory") {
      const sizeBytes = BigInt(bytesOf(emptyDir.sizeLimit));
      return await this.#sandbox.addVolume({ name: volume, kind: "tmpfs", sizeBytes, ...owned });
    }
    const limit = bytesOf(emptyDir?.sizeLimit);
    if (limit > 0) {
      const on = await this.#plugSized(name, limit);
      return await this.#sandbox.addVolume({ name: volume, kind: "directory", on, ...owned });
    }
    if (emptyDir !== undefined || !isFilled({ name, ...rest })) {
      return await this.#sandbox.addVolume({ name: volume, kind: "directory", on: ownVolumes.scratch, ...owned });
    }
    await this.#sandbox.addVolume({ name: volume, kind: "directory", on: ownVolumes.memory, ...owned });
  }

  /** A volume with a size is a disk of that size: who fills it hurts nobody else. @returns the volume of the disk */
  async #plugSized(name: string, limit: number): Promise<string> {
    const disk = `sized-${name}`;
    const path = await ownDisk(this.#options.folder, disk, diskBytesFor(limit));
    const serial = serialOf(disk);
    const plug = async ({ machine }: Sandbox) => await machine.attachDisk({ serial, path, readOnly: false });
    await this.#sandbox.addDisk(disk, { serial, content: "ext4", plug });
    return disk;
  }

  /** A disk stays what it is, whatever Pod has it: only its group may become the Pod's. */
  async #plug(pod: Pod, name: string, claim: string): Promise<void> {
    const volume = guestVolume(name);
    if (this.#plugged.has(name)) return;
    try {
      const disk = await diskOf(pod, claim, this.#options.storage.client);
      checkMode(pod, name, disk);
      await this.#sandbox.addDisk(volume, await this.#pluggable(pod, disk));
      await this.#grow(volume, disk);
      const gid = pod.spec.securityContext?.fsGroup;
      if (gid !== undefined && disk.content !== "nothing")
        await this.#sandbox.guest.request("own", { name: volume, gid });
      this.#plugged.add(name);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      const retryAfterMs = error instanceof VolumeUnfilled ? error.retryAfterMs : undefined;
      throw new VolumeUnfilled(`MountVolume.SetUp failed for volume "${name}" : ${why}`, {
        cause: error,
        retryAfterMs,
      });
    }
  }

  /** Makes disks larger whose claims are to hold more. Never rejects. Source: pkg/volume/util/operationexecutor (events) */
  async grow({ pod, tell }: Pick<PodContext, "pod" | "tell">): Promise<void> {
    for (const volume of pod.spec.volumes ?? []) {
      const claim = claimOf(pod, volume);
      if (claim === undefined || !this.#plugged.has(volume.name)) continue;
      try {
        const disk = await diskOf(pod, claim, this.#options.storage.client);
        if (!(await this.#grow(guestVolume(volume.name), disk))) continue;
        const note = `MountVolume.NodeExpandVolume succeeded for volume "${volume.name}"`;
        tell({ type: "Normal", reason: "FileSystemResizeSuccessful", action: "Resizing", note });
      } catch (error) {
        const note = `NodeExpandVolume failed: ${error instanceof Error ? error.message : String(error)}`;
        tell({ type: "Warning", reason: "VolumeResizeFailed", action: "Resizing", note });
      }
    }
  }

  /** While it is in use: first the disk, then the file system on it. */
  async #grow(volume: string, disk: ClaimedDisk): Promise<boolean> {
    if (disk.growsTo === undefined) return false;
    await this.#sandbox.machine.resizeDisk(serialOf(disk.name), disk.bytes);
    if (disk.content !== "nothing") await this.#sandbox.guest.growVolume(volume, disk.bytes);
    await tellGrown(disk, disk.growsTo, this.#options.storage.client);
    return true;
  }

  async #pluggable(pod: Pod, disk: ClaimedDisk): Promise<PluggableDisk> {
    const { datastore } = this.#options.storage;
    const serial = serialOf(disk.name);
    const holder = pod.metadata.uid ?? "";
    const { shared } = disk;
    if (shared !== undefined) {
      const wish = { serial, holder, place: shared, disk };
      const plug = async ({ machine }: Sandbox) =>
        await plugShared(machine, wish, { datastore, clock: this.#options.clock });
      return { serial, content: disk.content, plug };
    }
    const path = await datastore.take(disk, holder);
    const plug = async ({ machine }: Sandbox) => await machine.attachDisk({ serial, path, readOnly: false });
    return { serial, content: disk.content, plug };
  }

  async #fill({ name }: Volume, files: readonly VolumeFile[]): Promise<void> {
    const shown = JSON.stringify(
      files.map((file) => ({ ...file, content: Buffer.from(file.content).toString("base64") })),
    );
    if (this.#shown.get(name) === shown) return;
    this.#shown.set(name, shown);
    const version = this.#version();
    try {
      const volume = guestVolume(name);
      await this.#sandbox.guest.request("files", { volume, atomic: true, version, files: [...files] });
    } catch (error) {
      this.#shown.delete(name);
      throw error;
    }
  }

  /** As the kubelet names the folders, but for a counter in place of chance. */
  #version(): string {
    const now = dateOf(this.#options.clock.nowMs()).toISOString().slice(0, 19);
    return `${now.replaceAll(/[-:T]/g, "_")}.${++this.#versions}`;
  }
}

/** Source: k8s.io/kubernetes/pkg/kubelet/volumemanager/populator (checkVolumeFSResize, createVolumeSpec: wording) */
function checkMode({ spec }: Pod, name: string, { content }: ClaimedDisk): void {
  const containers = [...(spec.initContainers ?? []), ...(spec.containers ?? [])];
  const isMounted = containers.some(({ volumeMounts = [] }) => volumeMounts.some((each) => each.name === name));
  const isDevice = containers.some(({ volumeDevices = [] }) => volumeDevices.some((each) => each.name === name));
  if (isMounted && content === "nothing")
    throw new VolumeUnfilled(`volume ${name} has volumeMode Block, but is specified in volumeMounts`);
  if (isDevice && content !== "nothing")
    throw new VolumeUnfilled(`volume ${name} has volumeMode Filesystem, but is specified in volumeDevices`);
}

/** A disk's serial number is short, and its volume's name is not. */
const serialOf = (name: string): string => `v${createHash("sha256").update(name).digest("hex").slice(0, 16)}`;

/** The files of a volume; what is missing is told as the kubelet tells it. */
function contentOf(volume: Volume, sight: FillSight): readonly VolumeFile[] {
  try {
    return filesOf(volume, sight);
  } catch (error) {
    if (!(error instanceof VolumeUnfilled)) throw error;
    throw new VolumeUnfilled(`MountVolume.SetUp failed for volume "${volume.name}" : ${error.message}`, {
      cause: error,
    });
  }
}

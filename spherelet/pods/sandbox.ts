/** A Pod's machine: its disks, its address, the volumes that every machine has. */
import { shortDigest } from "@atoll/crx/cache";
import type { DiskContent } from "@atoll/crx/disk";
import type { Container as GuestContainer, ContainerSpec, Guest, VolumeSpec } from "@atoll/crx/guest";
import type { Machine } from "@atoll/crx/machine";
import type { Machines } from "@atoll/crx/machines";
import type { StoredImage } from "@atoll/images/store/store";
import type { Attachment } from "@atoll/net/network";
import type { MachineSize } from "../translate/resources.ts";
import { ownVolumes } from "../translate/container.ts";

/** What a machine is started with. */
export interface SandboxSpec {
  readonly id: string;
  /** For people: `namespace/name`. */
  readonly owner: string;
  readonly size: MachineSize;
  /** Disk for what containers write, an ext4 file system. */
  readonly scratch: string;
  /** Images that are here already. */
  readonly images: readonly StoredImage[];
  readonly attachment: Attachment | undefined;
  /** /etc/hosts and the like. */
  readonly files: Readonly<Record<string, string>>;
  /** Settings of its kernel: all are the Pod's own, as the kernel is. */
  readonly sysctls: readonly { readonly name: string; readonly value: string }[];
}

/** A disk that can be plugged in while the machine runs. */
export interface PluggableDisk {
  readonly serial: string;
  readonly content: DiskContent;
  plug(sandbox: Sandbox): Promise<void>;
}

const diskPatienceMs = 30_000;
const smallFilesBytes = 128n << 20n;
const killSignal = 9;

/** Guest volume, and serial number of the disk, of an image. */
export const imageVolume = ({ stack }: Pick<StoredImage, "stack">): string => `i${shortDigest(stack)}`;

/** A running machine, and what has been put into it. */
export class Sandbox {
  readonly machine: Machine;
  /** Images by volume: there, or on their way. */
  readonly #images = new Map<string, Promise<void>>();
  readonly #volumes: Set<string>;
  #modules: Promise<void> | undefined;

  private constructor(machine: Machine, volumes: readonly string[]) {
    this.machine = machine;
    this.#volumes = new Set(volumes);
  }

  /** Starts a machine. @throws {StartFailed} */
  static async start(machines: Machines, spec: SandboxSpec): Promise<Sandbox> {
    const images = spec.images.map((image) => ({ serial: imageVolume(image), path: image.erofsPath, readOnly: true }));
    const scratch = { serial: ownVolumes.scratch, path: spec.scratch, readOnly: false };
    const machine = await machines.start({
      id: spec.id,
      owner: spec.owner,
      ...spec.size,
      disks: [scratch, ...images],
      ...(spec.attachment === undefined ? {} : { tap: spec.attachment.tap }),
    });
    const sandbox = new Sandbox(machine, []);
    for (const { serial } of images) sandbox.#images.set(serial, sandbox.#addImage(serial));
    await sandbox.#furnish(spec);
    return sandbox;
  }

  /** Takes over a machine that another spherelet started. */
  static async adopt(machine: Machine): Promise<Sandbox> {
    const { volumes } = await machine.guest.request("usage", {});
    const names = volumes.map(({ name = "" }) => name);
    const sandbox = new Sandbox(machine, names);
    for (const name of names) sandbox.#images.set(name, Promise.resolve());
    return sandbox;
  }

  /** Volume that takes what containers write. */
  get upper(): string {
    return upperOf(this.machine.intent.spec.id);
  }

  get memoryBytes(): number {
    return this.machine.intent.spec.memoryMiB * 1024 * 1024;
  }

  get guest(): Guest {
    return this.machine.guest;
  }

  /** Containers that the machine knows, by the name of their run. */
  containers(): ReadonlyMap<string, GuestContainer> {
    return new Map(this.guest.containers.map((container) => [container.name, container]));
  }

  /** Makes an image's files available. @returns the volume */
  async mountImage(image: StoredImage): Promise<string> {
    const serial = imageVolume(image);
    const known = this.#images.get(serial);
    if (known !== undefined) {
      await known;
      return serial;
    }
    const adding = this.machine
      .attachDisk({ serial, path: image.erofsPath, readOnly: true })
      .then(async () => await this.#addImage(serial));
    this.#images.set(serial, adding);
    try {
      await adding;
    } catch (error) {
      this.#images.delete(serial);
      throw error;
    }
    return serial;
  }

  /** Makes a volume unless it is there. */
  async addVolume(volume: VolumeSpec): Promise<void> {
    const { name = "" } = volume;
    if (this.#volumes.has(name)) return;
    this.#volumes.add(name);
    await this.guest.addVolume(volume);
  }

  /** Plugs a disk in and mounts it as a volume, unless it is there. */
  async addDisk(name: string, { serial, content, plug }: PluggableDisk): Promise<void> {
    if (this.#volumes.has(name)) return;
    this.#volumes.add(name);
    try {
      // Once, however many disks of that kind come at a time.
      if (content === "xfs") await (this.#modules ??= this.machine.attachModules("xfs"));
      await plug(this);
      const filesystem = content === "nothing" ? "" : content;
      await this.guest.addVolume({ name, kind: "disk", serial, filesystem, timeoutMs: diskPatienceMs });
    } catch (error) {
      this.#volumes.delete(name);
      this.#modules = undefined;
      throw error;
    }
  }

  /** Starts a container. @throws {GuestRefused} */
  async run(spec: ContainerSpec): Promise<GuestContainer> {
    return await this.guest.run(spec);
  }

  /** Ends everything in a container at once. */
  async kill(container: GuestContainer): Promise<void> {
    await this.guest.signal(container, killSignal, true);
  }

  async #addImage(serial: string): Promise<void> {
    const disk = { kind: "disk", serial, filesystem: "erofs", timeoutMs: diskPatienceMs } as const;
    await this.guest.addVolume({ name: serial, ...disk });
  }

  /** All requests at once: the guest carries them out in order. */
  async #furnish({ id, attachment, files, sysctls }: SandboxSpec): Promise<void> {
    const { memory, names, scratch } = ownVolumes;
    const list = Object.entries(files).map(([path, text]) => ({ path, content: Buffer.from(text), mode: 0o644 }));
    await Promise.all([
      // Loopback comes up in any case.
      this.guest.request("network", attachment === undefined ? {} : addressesOf(attachment)),
      ...(sysctls.length === 0 ? [] : [this.guest.request("sysctls", { settings: [...sysctls] })]),
      this.addVolume({ name: memory, kind: "tmpfs", sizeBytes: smallFilesBytes, mode: 0o755 }),
      this.addVolume({ name: names, kind: "directory", on: memory, mode: 0o755 }),
      this.guest.request("files", { volume: names, files: list }),
      this.addVolume({ name: scratch, kind: "disk", serial: scratch, filesystem: "ext4", timeoutMs: diskPatienceMs }),
    ]);
    await this.addVolume({ name: upperOf(id), kind: "directory", on: scratch, mode: 0o700 });
  }
}

/** Of each machine a folder of its own: containers of the last one may have left something. */
const upperOf = (id: string): string => `up-${/\d+$/.exec(id)?.[0] ?? ""}`;

function addressesOf({ mac, address, gateway, mtu }: Attachment) {
  const gate = bytesOfAddress(gateway);
  return {
    mac: Uint8Array.from(mac.split(":"), (hex) => Number.parseInt(hex, 16)),
    mtu,
    addresses: [{ address: bytesOfAddress(address), length: 32 }],
    routes: [{ to: { address: gate, length: 32 } }, { gateway: gate }],
  };
}

/** The four bytes of an IPv4 address. */
export const bytesOfAddress = (address: string): Uint8Array => Uint8Array.from(address.split("."), Number);

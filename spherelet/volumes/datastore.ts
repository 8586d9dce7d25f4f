/**
 * A datastore: a folder of this host in which disks of PersistentVolumes are kept, each a raw file with an ext4 file system
 * that only guests ever mount.
 *
 *   disks/NAME/disk.raw   the disk; it comes to be whole or not at all
 *   disks/NAME/holder     uid of the Pod whose machine has it: one machine at a time
 *
 * The Node says which disks there are, and which are to go. Source: docs/rfd/0024-volumes.md
 */
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { disks } from "@atoll/api/volumes/disks";
import { Node } from "@atoll/client/builtin";
import type { Client } from "@atoll/client/client";
import { toKey } from "@atoll/client/resource";
import { exists } from "@atoll/crx/cache";
import { makeDisk } from "@atoll/crx/disk";
import type { Clock } from "@atoll/machinery/clock";
import type { Log } from "@atoll/runtime/log";
import { VolumeUnfilled } from "./contents.ts";

/** What a datastore is opened with. */
export interface DatastoreOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly log: Log;
  /** Name of this host's Node. */
  readonly node: string;
  /** On the file system of the machines. */
  readonly folder: string;
  /** Folder of what is kept of each Pod, by its uid: a Pod that has none is no longer here. */
  readonly pods: string;
}

/** A disk that is wanted. */
export interface DiskWish {
  /** Of the PersistentVolume. */
  readonly name: string;
  readonly bytes: number;
  /** It has been made once; then it is not made anew. */
  readonly wasMade: boolean;
}

const everyMs = 10_000;
const diskFile = "disk.raw";
const holderFile = "holder";

/** The disks of this host. */
export class Datastore {
  readonly #options: DatastoreOptions;
  /** One at a time: whoever asks for a disk must see who has it. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: DatastoreOptions) {
    this.#options = options;
  }

  /**
   * Gives a Pod a disk, which is made when it is wanted for the first time.
   * @returns its file
   * @throws {VolumeUnfilled} another Pod has it, or it is gone
   */
  async take(wish: DiskWish, podUid: string): Promise<string> {
    return await this.#inTurn(async () => {
      const path = join(this.#folderOf(wish.name), diskFile);
      await this.#checkFree(wish.name, podUid);
      if (!(await exists(path))) {
        if (wish.wasMade) throw new VolumeUnfilled(`the disk of volume ${wish.name} is no longer on this host`);
        await this.#make(path, wish);
      }
      await writeFile(join(this.#folderOf(wish.name), holderFile), podUid);
      return path;
    });
  }

  /** A Pod has no machine any more: its disks are free. */
  async release(podUid: string): Promise<void> {
    await this.#inTurn(async () => {
      for (const name of await this.#names()) {
        const holder = join(this.#folderOf(name), holderFile);
        if ((await this.#holderOf(name)) === podUid) await rm(holder, { force: true });
      }
    });
  }

  /** Removes what is to go, and tells what there is, again and again. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#options;
    while (!signal.aborted) {
      try {
        await this.#inTurn(async () => await this.#agree());
      } catch (error) {
        if (!signal.aborted) log.warn("the disks of this host could not be told", { error });
      }
      await clock.sleep(everyMs, signal).catch(() => undefined);
    }
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work, work);
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  #folderOf(name: string): string {
    return join(this.#options.folder, name);
  }

  async #names(): Promise<readonly string[]> {
    return await readdir(this.#options.folder).catch(() => []);
  }

  async #holderOf(name: string): Promise<string> {
    return await readFile(join(this.#folderOf(name), holderFile), "utf8").catch(() => "");
  }

  async #checkFree(name: string, podUid: string): Promise<void> {
    const holder = await this.#holderOf(name);
    if (holder === "" || holder === podUid || !(await exists(join(this.#options.pods, holder)))) return;
    throw new VolumeUnfilled(
      `Multi-Attach error for volume "${name}" Volume is already used by another pod on this host`,
    );
  }

  /** It is told before it is used, so that nobody takes it for one that was never made. */
  async #make(path: string, { name, bytes }: DiskWish): Promise<void> {
    await mkdir(this.#folderOf(name), { recursive: true, mode: 0o700 });
    const draft = `${path}.new`;
    await rm(draft, { force: true });
    await makeDisk(draft, bytes);
    await rename(draft, path);
    await this.#agree();
  }

  async #agree(): Promise<void> {
    const { client, node } = this.#options;
    const key = toKey(undefined, node);
    const { metadata } = await client.get(Node, key);
    for (const name of disks.list(metadata.annotations?.[disks.toRemove])) await this.#remove(name);
    const names = await this.#names();
    const present: string[] = [];
    for (const name of names) if (await exists(join(this.#folderOf(name), diskFile))) present.push(name);
    const text = present.toSorted((a, b) => (a < b ? -1 : 1)).join(",");
    if ((metadata.annotations?.[disks.present] ?? "") === text) return;
    const body = { metadata: { annotations: { [disks.present]: text } } };
    await client.patch(Node, { key, patch: { type: "merge", body } });
  }

  async #remove(name: string): Promise<void> {
    if (!(await this.#names()).includes(name)) return;
    const holder = await this.#holderOf(name);
    if (holder !== "" && (await exists(join(this.#options.pods, holder)))) return;
    await rm(this.#folderOf(name), { recursive: true, force: true });
  }
}

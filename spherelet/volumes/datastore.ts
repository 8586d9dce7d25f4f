/**
 * A datastore: a folder of this host in which disks of PersistentVolumes are kept, each a raw file with an ext4 file system
 * that only guests ever mount.
 *
 *   disks/NAME/disk.raw   the disk; it comes to be whole or not at all
 *   disks/NAME/holder     uid of the Pod whose machine has it: one machine at a time
 *   disks/NAME/shared     instead of both: folder of a disk that other hosts have, too, and this one has used
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
import { type DiskContent, makeDisk } from "@atoll/crx/disk";
import type { Clock } from "@atoll/machinery/clock";
import type { Log } from "@atoll/runtime/log";
import { VolumeUnfilled } from "./contents.ts";
import { removeShared } from "./sharedfiles.ts";

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
  readonly content: DiskContent;
}

/** A Pod of this host waits for a disk that another's machine has; both by their uids. */
export interface Waiting {
  readonly waiter: string;
  readonly holder: string;
}

const everyMs = 10_000;
const diskFile = "disk.raw";
const holderFile = "holder";
const sharedFile = "shared";

/** The disks of this host. */
export class Datastore {
  readonly #options: DatastoreOptions;
  /** Disks on shares that Pods of this host wait for, and which Pods have them. */
  readonly #waiting = new Map<string, Waiting>();
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
    for (const [name, { waiter }] of this.#waiting) if (waiter === podUid) this.#waiting.delete(name);
    await this.#inTurn(async () => {
      for (const name of await this.#names()) {
        const holder = join(this.#folderOf(name), holderFile);
        if ((await this.#holderOf(name)) === podUid) await rm(holder, { force: true });
      }
    });
  }

  /** A disk on a share is there, and this host has used it: it is told, so that nobody takes it for one never made. */
  async noteShared(name: string, folder: string): Promise<void> {
    await this.#inTurn(async () => {
      const path = join(this.#folderOf(name), sharedFile);
      if (await exists(path)) return;
      await mkdir(this.#folderOf(name), { recursive: true, mode: 0o700 });
      await writeFile(path, folder);
      await this.#agree();
    });
  }

  /** Tells whom a Pod of this host waits for, or that it waits no more: only the API knows whether that one may go on. */
  async tellWaiting(name: string, waiting: Waiting | undefined): Promise<void> {
    if (this.#waiting.get(name)?.holder === waiting?.holder) return;
    if (waiting === undefined) this.#waiting.delete(name);
    else this.#waiting.set(name, waiting);
    await this.#inTurn(async () => await this.#agree());
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
  async #make(path: string, { name, bytes, content }: DiskWish): Promise<void> {
    await mkdir(this.#folderOf(name), { recursive: true, mode: 0o700 });
    const draft = `${path}.new`;
    await rm(draft, { force: true });
    await makeDisk(draft, bytes, content);
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
    for (const name of names) {
      const files = [diskFile, sharedFile].map((file) => exists(join(this.#folderOf(name), file)));
      if ((await Promise.all(files)).includes(true)) present.push(name);
    }
    const waiting = [...this.#waiting].map(([name, { holder }]) => `${name}=${holder}`);
    const words = { [disks.present]: wordOf(present), [disks.waiting]: wordOf(waiting) };
    if (Object.entries(words).every(([key_, word]) => (metadata.annotations?.[key_] ?? "") === word)) return;
    await client.patch(Node, { key, patch: { type: "merge", body: { metadata: { annotations: words } } } });
  }

  async #remove(name: string): Promise<void> {
    if (!(await this.#names()).includes(name)) return;
    const holder = await this.#holderOf(name);
    if (holder !== "" && (await exists(join(this.#options.pods, holder)))) return;
    const shared = await readFile(join(this.#folderOf(name), sharedFile), "utf8").catch(() => undefined);
    try {
      if (shared !== undefined) await removeShared(shared);
      await rm(this.#folderOf(name), { recursive: true, force: true });
    } catch (error) {
      this.#options.log.warn("a disk could not be removed", { disk: name, error });
    }
  }
}

const wordOf = (names: readonly string[]): string => names.toSorted((a, b) => (a < b ? -1 : 1)).join(",");

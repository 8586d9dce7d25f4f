/**
 * What is kept on disk of a Pod, so that a spherelet that starts again goes on where the last one was. It survives a kill
 * of the process; after a crash of the host the machines are gone anyway, and the API knows the rest.
 */
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Pod } from "@atoll/client/builtin";
import type { ContainerWorld, PodWorld } from "../lifecycle/world.ts";

/** A Pod and what is known of it. */
export interface PodRecord {
  readonly pod: Pod;
  readonly world: Omit<PodWorld, "containers"> & { readonly containers: readonly ContainerWorld[] };
}

const recordName = "pod.json";

/** Folder of a container's logs. */
export const logFolder = (folder: string, container: string): string => join(folder, "logs", container);

/** Keeps one Pod's record, writing the last state only. */
export class RecordKeeper {
  readonly #folder: string;
  #wanted: PodRecord | undefined;
  #writing: Promise<void> | undefined;
  #removed = false;

  /** @param folder the Pod's own */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Resolves when this state, or a later one, is on disk. */
  async save(pod: Pod, world: PodWorld): Promise<void> {
    const { containers, ...rest } = world;
    this.#wanted = { pod, world: { ...rest, containers: [...containers.values()].map((each) => ({ ...each })) } };
    while (this.#writing !== undefined) await this.#writing;
    if (this.#wanted === undefined || this.#removed) return;
    const record = this.#wanted;
    this.#wanted = undefined;
    this.#writing = this.#write(record).finally(() => {
      this.#writing = undefined;
    });
    await this.#writing;
  }

  /** Removes everything that is kept of the Pod. */
  async remove(): Promise<void> {
    this.#removed = true;
    await this.#writing?.catch(() => undefined);
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #write(record: PodRecord): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const draft = join(this.#folder, `.${recordName}`);
    await writeFile(draft, JSON.stringify(record), { mode: 0o600 });
    await rename(draft, join(this.#folder, recordName));
  }
}

/** Reads all records, by uid. What cannot be read, as after a crash of the host, is passed over: the API knows the Pod. */
export async function readRecords(folder: string): Promise<ReadonlyMap<string, PodRecord>> {
  const found = new Map<string, PodRecord>();
  for (const uid of await readdir(folder).catch(() => [])) {
    const text = await readFile(join(folder, uid, recordName), "utf8").catch(() => undefined);
    const record = text === undefined ? undefined : parsed(text);
    if (record !== undefined) found.set(uid, record);
  }
  return found;
}

function parsed(text: string): PodRecord | undefined {
  try {
    return JSON.parse(text) as PodRecord;
  } catch {
    return undefined;
  }
}

/** The state that a record tells of. */
export function worldOf({ world }: PodRecord): PodWorld {
  return { ...world, containers: new Map(world.containers.map((container) => [container.name, { ...container }])) };
}

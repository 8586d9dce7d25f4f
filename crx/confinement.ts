/**
 * Control groups of the host for machines: version 2 where the host has it, version 1 otherwise, and none where
 * there is neither. A machine without one still has its user, its walls and its limits of its own.
 */
import { mkdir, readFile, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "@atoll/machinery/clock";
import { exists } from "./cache.ts";

/** What a machine's process may use on the host. */
export interface HostLimits {
  readonly memoryBytes: number;
  readonly cpus: number;
  readonly processes: number;
}

const periodUs = 100_000;
const mostTries = 200;
const tryPauseMs = 10;

/** Which control groups a host has. */
export type GroupVersion = "v2" | "v1" | "none";

/** The host's control groups. */
export class HostGroups {
  readonly version: GroupVersion;
  /** Name of the group that holds all of them. */
  readonly parent: string;
  readonly #root: string;

  private constructor(version: GroupVersion, where: { parent: string; root: string }) {
    this.version = version;
    this.parent = where.parent;
    this.#root = where.root;
  }

  /**
   * Looks at what the host has.
   * @param parent name for the group that holds all machines' groups
   * @param root where control groups are mounted
   */
  static async open(parent: string, root = "/sys/fs/cgroup"): Promise<HostGroups> {
    const where = { parent, root };
    if (await exists(join(root, "cgroup.controllers"))) return new HostGroups("v2", where);
    if (await exists(join(root, "memory", "cgroup.procs"))) return new HostGroups("v1", where);
    return new HostGroups("none", where);
  }

  /**
   * Makes a machine's groups.
   * @returns files that a process enters them by
   */
  async make(name: string, limits: HostLimits): Promise<readonly string[]> {
    if (this.version === "none") return [];
    const settings = this.version === "v2" ? versionTwo(limits) : versionOne(limits);
    if (this.version === "v2") await this.#delegate();
    for (const [controller, values] of settings) {
      const folder = this.#folder(controller, name);
      await mkdir(folder, { recursive: true });
      for (const [file, value] of values) await writeFile(join(folder, file), value);
    }
    return settings.map(([controller]) => join(this.#folder(controller, name), "cgroup.procs"));
  }

  /**
   * Removes a machine's groups, as soon as its last process has left them.
   * @throws EBUSY: a process stays
   */
  async remove(name: string, clock: Clock): Promise<void> {
    for (const controller of this.version === "v1" ? controllers : [""])
      for (let tries = 0; !(await this.#removeOne(controller, name, tries === mostTries)); tries++)
        await clock.sleep(tryPauseMs);
  }

  /** Removes the group that holds all of them; while one is left, it stays. */
  async close(): Promise<void> {
    for (const controller of this.version === "v1" ? controllers : [""])
      await rmdir(join(this.#root, controller, this.parent)).catch((error: NodeJS.ErrnoException) => {
        if (!["ENOENT", "EBUSY", "ENOTEMPTY"].includes(error.code ?? "")) throw error;
      });
  }

  async #removeOne(controller: string, name: string, last: boolean): Promise<boolean> {
    try {
      await rmdir(this.#folder(controller, name));
      return true;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "ENOENT") return true;
      if (code !== "EBUSY" || last) throw error;
      return false;
    }
  }

  #folder(controller: string, name: string): string {
    return join(this.#root, controller, this.parent, name);
  }

  async #delegate(): Promise<void> {
    const wanted = "+memory +pids +cpu";
    for (const folder of [this.#root, join(this.#root, this.parent)]) {
      await mkdir(folder, { recursive: true });
      const file = join(folder, "cgroup.subtree_control");
      const have = await readFile(file, "utf8");
      if (!["memory", "pids", "cpu"].every((each) => have.includes(each))) await writeFile(file, wanted);
    }
  }
}

const controllers = ["memory", "pids", "cpu"] as const;

type Settings = readonly (readonly [controller: string, values: readonly (readonly [string, string])[]])[];

function versionTwo({ memoryBytes, cpus, processes }: HostLimits): Settings {
  const values = [
    ["memory.max", `${memoryBytes}`],
    ["pids.max", `${processes}`],
    ["cpu.max", `${Math.round(cpus * periodUs)} ${periodUs}`],
  ] as const;
  return [["", values]];
}

function versionOne({ memoryBytes, cpus, processes }: HostLimits): Settings {
  return [
    ["memory", [["memory.limit_in_bytes", `${memoryBytes}`]]],
    ["pids", [["pids.max", `${processes}`]]],
    [
      "cpu",
      [
        ["cpu.cfs_period_us", `${periodUs}`],
        ["cpu.cfs_quota_us", `${Math.round(cpus * periodUs)}`],
      ],
    ],
  ];
}

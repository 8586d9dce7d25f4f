/**
 * Templates on disk, below the cache folder: the RAM and the devices' state of each, by its key. They spare the next start
 * of a system the boot of a template. Only root writes there, as with the kernels beside them.
 */
import { randomUUID } from "node:crypto";
import { mkdir, readdir, rm, stat, utimes } from "node:fs/promises";
import { join } from "node:path";
import { dateOf } from "@atoll/machinery/clock";
import { exists } from "./cache.ts";

/** Files of one. */
export const keptFiles = { ram: "ram", state: "state" } as const;

/** Most that are kept: a few sizes for a kernel, and those of the kernel before. */
const mostKept = 12;
const draftPrefix = ".draft-";
const draftLifeMs = 3_600_000;

const home = (cache: string): string => join(cache, "templates");

/** Folder of a template on disk. */
export const keptFolder = (cache: string, key: string): string => join(home(cache), key);

/** Whether one is there. It is then taken for used now. */
export async function isKept(cache: string, key: string, nowMs: number): Promise<boolean> {
  const folder = keptFolder(cache, key);
  if (!(await exists(join(folder, keptFiles.ram)))) return false;
  await utimes(folder, dateOf(nowMs), dateOf(nowMs)).catch(() => undefined);
  return true;
}

/** A new folder in which one is put together. */
export async function draftFolder(cache: string): Promise<string> {
  const folder = join(home(cache), `${draftPrefix}${randomUUID()}`);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  return folder;
}

/** Removes one. */
export async function forgetKept(cache: string, key: string): Promise<void> {
  await rm(keptFolder(cache, key), { recursive: true, force: true });
}

/** Removes those that were not used for the longest time, and drafts that nobody finished. */
export async function tidyKept(cache: string, nowMs: number): Promise<void> {
  const names = await readdir(home(cache)).catch(() => []);
  const found = await Promise.all(
    names.map(async (name) => ({
      name,
      usedMs: (await stat(join(home(cache), name)).catch(() => undefined))?.mtimeMs ?? 0,
    })),
  );
  const isDraft = ({ name }: { name: string }) => name.startsWith(draftPrefix);
  const stale = found.filter((each) => isDraft(each) && nowMs - each.usedMs > draftLifeMs);
  const kept = found.filter((each) => !isDraft(each)).toSorted((a, b) => b.usedMs - a.usedMs);
  for (const { name } of [...stale, ...kept.slice(mostKept)]) await forgetKept(cache, name);
}

/** Runs conversions in tests through the real worker process. */
import { closeSync, openSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { type Digest, digestOf } from "../digest.ts";
import { ErofsReader, type FoundInode } from "../erofs/reader.ts";
import type { Converted } from "../job.ts";
import { defaultLimits, type Limits } from "../limits.ts";
import { probeConfinement, runConversion } from "../worker.ts";

/** A layer: its blob, and what it expands to where that differs. */
export interface TestLayer {
  readonly blob: Buffer;
  readonly expanded?: Buffer;
  readonly diffId?: Digest;
}

/** Converts layers into `dir/NAME`, and says what came of it. */
export async function convertLayers(
  image: string,
  layers: readonly TestLayer[],
  limits: Partial<Limits> = {},
): Promise<Converted> {
  const files = layers.map(({ blob }, index) => {
    writeFileSync(`${image}.layer${index}`, blob);
    return openSync(`${image}.layer${index}`, "r");
  });
  const fds = [openSync(image, "w+"), openSync(`${image}.spool`, "w+"), ...files];
  const described = layers.map((layer) => ({
    size: layer.blob.length,
    diffId: layer.diffId ?? digestOf(layer.expanded ?? layer.blob),
  }));
  const uuid = digestOf(JSON.stringify(described)).slice(7, 39);
  const confinement = await probeConfinement();
  try {
    const job = { task: "convert", layers: described, uuid, limits: { ...defaultLimits, ...limits } } as const;
    return await runConversion(job, fds, { confinement });
  } finally {
    for (const fd of fds) closeSync(fd);
  }
}

async function described(reader: ErofsReader, inode: FoundInode): Promise<string> {
  const text = async () => (await reader.contents(inode, 1 << 20)).toString("latin1");
  if (inode.kind === "file") return `file ${await text()}`;
  return inode.kind === "symlink" ? `-> ${await text()}` : inode.kind;
}

/** Every path of an image with a word on what it is: `f` size and content, `l` target, `d`, and so on. */
export async function listing(image: string): Promise<Record<string, string>> {
  const file = await open(image, "r");
  try {
    const reader = await ErofsReader.open(file);
    const found: Record<string, string> = {};
    const todo: [string, number][] = [["", reader.superBlock.rootNid]];
    for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
      const [path, nid] = next;
      const inode = await reader.inode(nid);
      const children = inode.kind === "directory" ? await reader.entries(inode) : [];
      for (const [name, child] of children) todo.push([join(path, name), child]);
      found[path] = await described(reader, inode);
    }
    delete found[""];
    return found;
  } finally {
    await file.close();
  }
}

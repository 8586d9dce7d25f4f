/**
 * The worker process: the only place where bytes of strangers are taken apart. It gets descriptors and no path, becomes an
 * unprivileged user before it reads the first byte, and does one job. worker.ts starts it and says what else holds it.
 */
import { createHash } from "node:crypto";
import { readFileSync, writeSync } from "node:fs";
import { ErofsWriter } from "./erofs/writer.ts";
import { Outlet } from "./erofs/outlet.ts";
import { ImageRefused } from "./errors.ts";
import {
  type Answer,
  type ConvertJob,
  type Converted,
  firstLayerFd,
  type Indexed,
  type IndexedEntry,
  type Identity,
  type IndexJob,
  type Job,
  mainFd,
  spoolFd,
} from "./job.ts";
import { expand, packingOf } from "./layers/expand.ts";
import { LayerMerger } from "./layers/merge.ts";
import { TarReader, type TarSink } from "./layers/tar.ts";
import { within } from "./limits.ts";
import { readFully } from "./erofs/outlet.ts";

const mostArchiveEntries = 10_000;

/** Gives up every privilege; all modules are loaded by now, so nothing needs reading any more. */
function become(identity: Identity | undefined): void {
  if (identity === undefined) return;
  process.setgroups?.([]);
  process.setgid?.(identity.gid);
  process.setuid?.(identity.uid);
  if (process.getuid?.() !== identity.uid) throw new Error("still privileged");
}

async function convert(job: ConvertJob): Promise<Converted> {
  const writer = new ErofsWriter({ imageFd: mainFd, spoolFd });
  const merger = new LayerMerger(writer, job.limits);
  let expandedBytes = 0;
  for (const [index, layer] of job.layers.entries()) {
    merger.nextLayer();
    const blob = { fd: firstLayerFd + index, size: layer.size };
    try {
      expandedBytes += await readLayer({ blob, diffId: layer.diffId, before: expandedBytes }, merger, job);
    } catch (cause) {
      throw located(cause, `layer ${index + 1} of ${job.layers.length}`);
    }
  }
  const uuid = Buffer.from(job.uuid, "hex");
  return { ...writer.finish(merger.root, { uuid, timeS: 0 }), expandedBytes, dropped: merger.dropped };
}

interface LayerToRead {
  readonly blob: { readonly fd: number; readonly size: number };
  readonly diffId: string;
  readonly before: number;
}

async function readLayer(layer: LayerToRead, sink: TarSink, job: ConvertJob): Promise<number> {
  const reader = new TarReader(sink, job.limits);
  const hash = createHash(layer.diffId.split(":", 1)[0] ?? "");
  let bytes = 0;
  for await (const chunk of expand(layer.blob, job.limits, layer.before)) {
    hash.update(chunk);
    bytes += chunk.length;
    reader.push(chunk);
  }
  reader.finish();
  const found = hash.digest("hex");
  if (!layer.diffId.endsWith(`:${found}`)) {
    throw new ImageRefused("DigestMismatch", `expands to ${found}, the config says ${layer.diffId}`);
  }
  return bytes;
}

function located(cause: unknown, where: string): unknown {
  return cause instanceof ImageRefused ? new ImageRefused(cause.code, `${where}: ${cause.message}`, { cause }) : cause;
}

async function index(job: IndexJob): Promise<Indexed> {
  const entries: IndexedEntry[] = [];
  const sink: TarSink = {
    entry({ path, kind, linkTarget, size, offset, sparse }) {
      if (sparse) throw new ImageRefused("Unsupported", "archive: a sparse file");
      entries.push({ path, kind, linkTarget, size, offset });
      within(entries.length, mostArchiveEntries, "entries of the archive");
      return undefined;
    },
  };
  const head = Buffer.alloc(Math.min(4, job.size));
  readFully(mainFd, head, 0);
  const copy = packingOf(head) === "tar" ? undefined : new Outlet(spoolFd, 0);
  const reader = new TarReader(sink, job.limits);
  for await (const chunk of expand({ fd: mainFd, size: job.size }, job.limits)) {
    copy?.append(chunk);
    reader.push(chunk);
  }
  reader.finish();
  copy?.flush();
  return { inSpool: copy !== undefined, entries };
}

async function answer(): Promise<Answer> {
  try {
    const job = JSON.parse(readFileSync(0, "utf8")) as Job;
    become(job.become);
    return { done: await (job.task === "convert" ? convert(job) : index(job)) };
  } catch (cause) {
    if (cause instanceof ImageRefused) return { refused: { code: cause.code, message: cause.message } };
    return { failed: cause instanceof Error ? cause.message : String(cause) };
  }
}

function reply(text: string): void {
  const bytes = Buffer.from(text);
  let done = 0;
  while (done < bytes.length) done += writeSync(1, bytes, done);
}

reply(JSON.stringify(await answer()));

/**
 * Starts the worker process (convert.ts) and confines it.
 *
 * Always: resource limits, no_new_privs, no environment, Node's permission model with nothing but this package's code to
 * read. Started by root also: an unprivileged user of the caller's choice, network, IPC and process namespaces of its own. It
 * keeps the right to read files until it has loaded its code, which may lie in a directory only root enters.
 * Source: reliability promises on parsers (docs/rfd/0011-images.md); util-linux prlimit(1), unshare(1), setpriv(1)
 */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { join } from "node:path";
import { type Clock, systemClock } from "@atoll/machinery/clock";
import { ConversionFailed, ImageRefused } from "./errors.ts";
import type { Answer, Converted, ConvertJob, Identity, Indexed, IndexJob, Job } from "./job.ts";

/** How the worker is held. */
export interface Confinement {
  /** The user it becomes; undefined when the caller is not root. */
  readonly become: Identity | undefined;
  /** Whether namespaces of its own can be had. */
  readonly namespaces: boolean;
}

/** What a caller may say about a run. */
export interface WorkerOptions {
  readonly confinement: Confinement;
  readonly signal?: AbortSignal;
  readonly clock?: Clock;
}

/** Descriptors the worker inherits: main, spool, then layers. */
export type WorkerFds = readonly number[];

const nobody: Identity = { uid: 65534, gid: 65534 };
const heapMiB = 1_536;
const dataBytes = 3 * 2 ** 30;
const mostOutputBytes = 16 * 2 ** 20;
const mostErrorBytes = 64 * 1024;
const namespaceArguments = ["--net", "--ipc", "--pid", "--fork", "--kill-child"];

/** What this process can do to confine a worker. Ask once. @param identity for root: whom the worker becomes */
export async function probeConfinement(identity: Identity = nobody): Promise<Confinement> {
  if (process.getuid?.() !== 0) return { become: undefined, namespaces: false };
  const namespaces = await new Promise<boolean>((resolve) => {
    execFile("unshare", [...namespaceArguments, "true"], (error) => resolve(error === null));
  });
  return { become: identity, namespaces };
}

/** Runs a conversion. @throws {ImageRefused} what the layers did wrong @throws {ConversionFailed} what the host did */
export async function runConversion(job: ConvertJob, fds: WorkerFds, options: WorkerOptions): Promise<Converted> {
  return (await run(job, fds, options)) as Converted;
}

/** Lists an archive. @throws {ImageRefused} {ConversionFailed} as above */
export async function runIndex(job: IndexJob, fds: WorkerFds, options: WorkerOptions): Promise<Indexed> {
  return (await run(job, fds, options)) as Indexed;
}

function commandLine(job: Job, confinement: Confinement): string[] {
  const { limits } = job;
  const largestFile = Math.max(limits.imageBytes, limits.expandedBytes) + 2 ** 30;
  // The soft limit's signal says what happened; the hard one just kills.
  const cpu = Math.ceil(limits.seconds);
  const resources = [`--cpu=${cpu}:${cpu + 5}`, `--data=${dataBytes}`, `--fsize=${largestFile}`, "--nofile=512"];
  const bounding = "--bounding-set=-all,+setuid,+setgid,+dac_read_search";
  const privileges = confinement.become === undefined ? [] : ["--inh-caps=-all", bounding];
  const namespaces = confinement.namespaces ? ["unshare", ...namespaceArguments] : [];
  const permissions = ["--permission", `--allow-fs-read=${import.meta.dirname}/*`];
  const node = [process.execPath, `--max-old-space-size=${heapMiB}`, ...permissions];
  const program = join(import.meta.dirname, "convert.ts");
  const confined = ["setpriv", "--no-new-privs", ...privileges, ...node, program];
  return ["prlimit", "--core=0", ...resources, ...namespaces, ...confined];
}

async function run(job: Job, fds: WorkerFds, options: WorkerOptions): Promise<Converted | Indexed> {
  const { confinement, clock = systemClock } = options;
  options.signal?.throwIfAborted();
  const [program = "", ...args] = commandLine(job, confinement);
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "pipe", ...fds], env: {} });
  const kill = () => void child.kill("SIGKILL");
  let late = false;
  const deadline = clock.after(job.limits.seconds * 1000, () => {
    late = true;
    kill();
  });
  options.signal?.addEventListener("abort", kill, { once: true });
  try {
    const asked = confinement.become === undefined ? job : { ...job, become: confinement.become };
    const ended = await talk(child, JSON.stringify(asked));
    options.signal?.throwIfAborted();
    return understand(ended, late);
  } finally {
    deadline.cancel();
    options.signal?.removeEventListener("abort", kill);
  }
}

interface Ended {
  readonly output: string;
  readonly errors: string;
  readonly how: string;
}

async function talk(child: ChildProcess, question: string): Promise<Ended> {
  const output = gather(child, "stdout", mostOutputBytes);
  const errors = gather(child, "stderr", mostErrorBytes);
  // A child that dies early breaks the pipe; its exit tells why.
  child.stdin?.on("error", () => {});
  child.stdin?.end(question);
  const how = await new Promise<string>((resolve, reject) => {
    child.once("error", (cause) => reject(new ConversionFailed(`worker: ${cause.message}`, { cause })));
    child.once("close", (code, signal) => resolve(signal ?? `exit ${code}`));
  });
  return { output: output(), errors: errors(), how };
}

function gather(child: ChildProcess, stream: "stdout" | "stderr", mostBytes: number): () => string {
  const chunks: Buffer[] = [];
  let bytes = 0;
  child[stream]?.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes <= mostBytes) chunks.push(chunk);
    else if (stream === "stdout") child.kill("SIGKILL");
  });
  return () => Buffer.concat(chunks).toString("utf8");
}

function understand({ output, errors, how }: Ended, late: boolean): Converted | Indexed {
  if (late || how === "SIGXCPU") throw new ImageRefused("LimitExceeded", "took too long to convert");
  const answer = parse(output);
  if (answer === undefined) {
    // Node ends itself by one of these when it runs out of memory.
    if (/^(SIGABRT|SIGTRAP|exit 13[34])$/.test(how) && /out of memory|heap/i.test(errors)) {
      throw new ImageRefused("LimitExceeded", "took too much memory to convert");
    }
    throw new ConversionFailed(`worker ended by ${how}: ${errors.slice(0, 2000)}`);
  }
  if ("refused" in answer) throw new ImageRefused(answer.refused.code, answer.refused.message);
  if ("failed" in answer) throw new ConversionFailed(`worker: ${answer.failed}`);
  return answer.done;
}

function parse(output: string): Answer | undefined {
  try {
    return JSON.parse(output) as Answer;
  } catch {
    return undefined;
  }
}

/** What a server keeps when its process is killed, and that nothing is acknowledged before the disk has it. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { Agent } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { sendThrough } from "@atoll/harness/server";
import { chance, systemClock } from "@atoll/machinery/clock";
import { checkAll, Ledger, listed, type Place, WatchFollower, Writer } from "./ledger.ts";

const nightly = process.env["ATOLL_NIGHTLY"] === "1";
const kills = nightly ? 1_000 : 20;
const loadMs = 250;
const main = join(import.meta.dirname, "..", "processes", "main.ts");
const recorded = join(import.meta.dirname, "recorded-server.ts");
const quiet = "--disable-warning=ExperimentalWarning";

interface Running {
  readonly child: ChildProcess;
  readonly place: Place;
}

async function startProcess(data: string): Promise<Running> {
  const child = spawn(process.execPath, [quiet, main, "server", "--data", data, "--api-port", "0"], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  const url = await firstLine(child, "ready ");
  const config = JSON.parse(await readFile(join(data, "admin.kubeconfig"), "utf8"));
  const pem = (text: string) => Buffer.from(text, "base64").toString();
  const { user } = config.users[0];
  const ca = pem(config.clusters[0].cluster["certificate-authority-data"]);
  const tls = { ca, cert: pem(user["client-certificate-data"]), key: pem(user["client-key-data"]) };
  return { child, place: { port: Number(new URL(url).port), tls } };
}

/** The rest of the first line that begins so. */
function firstLine(child: ChildProcess, opening: string): Promise<string> {
  return new Promise((resolve, reject) => {
    if (child.stdout === null) return reject(new TypeError("no output"));
    createInterface({ input: child.stdout }).on("line", (line) => {
      if (line.startsWith(opening)) resolve(line.slice(opening.length));
    });
    child.once("exit", (code) => reject(new Error(`the server ended with ${code}`)));
  });
}

async function kill(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  child.removeAllListeners("exit");
  const gone = once(child, "exit");
  child.kill(signal);
  await gone;
}

test("kill -9 of the server at any moment loses no acknowledged write, reuses no revision, and watchers miss nothing", {
  timeout: nightly ? 7_000_000 : 600_000,
}, async (t) => {
  const data = await mkdtemp(join(tmpdir(), "atoll-crash-"));
  t.after(() => rm(data, { recursive: true, force: true }));
  const ledger = new Ledger();
  let running = await startProcess(data);
  let place: Place | undefined = running.place;
  const { revision } = await listed(running.place);
  const followers = Array.from({ length: 3 }, () => new WatchFollower(() => place, revision));
  const writers = Array.from({ length: 8 }, (_, i) => new Writer(`writer-${i}`, ledger, () => place));
  for (let round = 0; round < kills; round++) {
    const before = ledger.total;
    while (ledger.total === before) await systemClock.sleep(2);
    await systemClock.sleep(chance() * loadMs);
    await kill(running.child, "SIGKILL");
    place = undefined;
    running = await startProcess(data);
    place = running.place;
  }
  for (const writer of writers) await writer.stop();
  await checkAll(ledger, followers, running.place);
  await kill(running.child, "SIGTERM");
  assert.ok(ledger.total > kills * 10, `only ${ledger.total} writes`);
  t.diagnostic(`${ledger.total} writes acknowledged in ${kills} lives, ${ledger.unanswered.size} without an answer`);
});

const writes = 40;

test("no success leaves the server before the sync that covers it", { timeout: 120_000 }, async (t) => {
  if (spawnSync("strace", ["-V"]).status !== 0) return t.skip("strace is not installed");
  assert.equal(await early("FULL"), 0);
  assert.ok((await early("OFF")) > writes / 2, "the recorder does not see a server that never syncs");
});

/** How many of the writes were acknowledged before a sync that covers them had ended. */
async function early(synchronous: "FULL" | "OFF"): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), "atoll-trace-"));
  const trace = join(folder, "trace");
  const how = ["-f", "-y", "-ttt", "-T", "-s", "65536", "-e", "trace=pwrite64,fdatasync,fsync", "-o", trace];
  const program = [process.execPath, quiet, recorded, join(folder, "store.db"), synchronous];
  const child = spawn("strace", [...how, ...program], { stdio: ["ignore", "pipe", "ignore"] });
  try {
    const place: Place = JSON.parse(await firstLine(child, "ready "));
    const answered = await writeAll(place);
    const pid = Number(await readFile(`/proc/${child.pid}/task/${child.pid}/children`, "utf8"));
    process.kill(pid, "SIGTERM");
    await once(child, "exit");
    return earlyIn(await readFile(trace, "utf8"), answered);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Writes objects, four at a time; gives when each was acknowledged, in seconds as strace counts them. */
async function writeAll({ port, tls }: Place): Promise<Map<string, number>> {
  const agent = new Agent({ keepAlive: true, maxSockets: 4, ...tls });
  const answered = new Map<string, number>();
  const path = "/api/v1/namespaces/default/configmaps";
  await Promise.all(
    Array.from({ length: writes }, async (_, i) => {
      const name = `recorded-${i}-end`;
      const body = { apiVersion: "v1", kind: "ConfigMap", metadata: { name } };
      const { status, text } = await sendThrough({ agent, port, method: "POST", path }, { body });
      assert.equal(status, 201, text);
      // Of the millisecond that the clock says, its end: the recorder tells microseconds.
      answered.set(name, (systemClock.nowMs() + 1) / 1000);
    }),
  );
  agent.destroy();
  return answered;
}

/** A name seen going into the write-ahead log is covered by a sync that begins after that. */
function earlyIn(trace: string, answered: ReadonlyMap<string, number>): number {
  const written = new Set<string>();
  const covering = new Map<string, Set<string>>();
  const coveredAt = new Map<string, number>();
  for (const line of trace.split("\n")) {
    const [thread = "", atText = ""] = line.split(/\s+/, 2);
    if (/\bpwrite64\(\d+<[^>]*-wal>/.test(line)) {
      for (const [name] of line.matchAll(/recorded-\d+-end/g)) written.add(name);
    }
    if (/\bf(data)?sync\(\d+<[^>]*-wal>/.test(line)) covering.set(thread, new Set(written));
    if (!/\bf(data)?sync\b.*= 0/.test(line)) continue;
    // A call that was interrupted is told when it ends, one that was not when it begins, with how long it took.
    const took = line.includes("resumed") ? 0 : Number(/<([\d.]+)>$/.exec(line)?.[1] ?? 0);
    for (const name of covering.get(thread) ?? []) {
      if (!coveredAt.has(name)) coveredAt.set(name, Number(atText) + took);
    }
  }
  return [...answered].filter(([name, at]) => !((coveredAt.get(name) ?? Number.POSITIVE_INFINITY) <= at)).length;
}

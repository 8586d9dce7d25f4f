/** `atoll host leave`: takes this host out of the Supervisor that it joined, and everything of it off this host. */
import { readdir, readFile, rm, rmdir, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { Client } from "@atoll/client/client";
import { systemClock } from "@atoll/machinery/clock";
import { openKubeconfig } from "@atoll/runtime/kubeconfig";
import { identityPath } from "@atoll/spherelet/node/joining";
import { clearHost, emptyHost, type Losses, sayLeft } from "@atoll/spherelet/node/leaving";
import { defaultData } from "./datadir.ts";
import { flags, UsageError } from "./flags.ts";
import { accountOf } from "./up/parts.ts";
import { endOrphans, endWhole, readRecord, removeRecord, runs } from "./up/running.ts";
import { step } from "./up/steps.ts";
import { sweep } from "./up/sweep.ts";
import { atollVersion } from "./version.ts";

interface Options extends Losses {
  readonly data: string;
  readonly timeout: number;
  readonly deleteVolumes: boolean;
}

/** Whatever a joined host keeps in its data directory. */
const kept = [
  ...["node.kubeconfig", "node-client.pem", "kubelet.pem"],
  ...["cache", "crx", "disks", "images", "log", "network", "pods", "probe", "run"],
];
const nodeUser = /"system:node:([^"]+)"/;
const patienceMs = 60_000;

/** @param args flags of the verb @throws {LeavingRefused} something would be lost; it says what */
export async function leaveHost(args: readonly string[]): Promise<number> {
  const options = flags("atoll host leave", "Takes this host out of the Supervisor that it joined, its pods first.")
    .option("--data <dir>", "the data directory given to host join", defaultData())
    .option("--force", "also pods that nobody makes anew", false)
    .option("--delete-emptydir-data", "also pods with local storage, which goes with them", false)
    .option("--delete-volumes", "also disks of volumes that are kept on this host", false)
    .option("--timeout <seconds>", "how long pods may take to go", (text) => Number(text), 600)
    .parse(args, { from: "user" })
    .opts<Options>();
  const data = resolve(options.data);
  if (process.getuid?.() !== 0) throw new UsageError("leaving needs root, as joining did");
  if (!(options.timeout > 0)) throw new UsageError("--timeout: a number of seconds");
  const node = await joinedNode(data);
  await checkDisks(data, options);
  const record = await readRecord(data);
  const isUp = record !== undefined && (await runs(record.up));
  if (!isUp) {
    await endOrphans(record);
    await sweep(data);
  }
  const { transport } = await openKubeconfig({ path: accountOf(data, "node"), clock: systemClock });
  const client = new Client({ transport, clock: systemClock, userAgent: `atoll-host-leave/${atollVersion}` });
  const about = { client, clock: systemClock, node, isUp };
  try {
    const timeoutMs = options.timeout * 1_000;
    const say = (line: string) => void process.stdout.write(`  ${line}\n`);
    await step(`pods of ${node} go elsewhere`, async () => await emptyHost({ ...about, ...options, timeoutMs, say }));
    await step("this host stops", async () => {
      if (isUp) await endWhole(record);
      await sweep(data);
    });
    await clearHost(about);
    const isGone = await sayLeft(about, patienceMs);
    if (!isGone) process.stdout.write(`The controllers will remove Node ${node} when they run.\n`);
  } finally {
    transport.close();
  }
  await removeData(data);
  process.stdout.write(`${node} has left; nothing of it is on this host.\n`);
  return 0;
}

/** The Node of a host that joined. @throws {UsageError} it is another data directory */
async function joinedNode(data: string): Promise<string> {
  const isJoined = await stat(identityPath(data)).then(
    () => true,
    () => false,
  );
  const kubeconfig = await readFile(accountOf(data, "node"), "utf8").catch(() => "");
  const [, node] = nodeUser.exec(kubeconfig) ?? [];
  if (isJoined && node !== undefined) return node;
  throw new UsageError(`no host joined with ${data}; what ./atoll up runs ends with ./atoll down`);
}

/** @throws {UsageError} volumes would be lost that nobody said may be */
async function checkDisks(data: string, { deleteVolumes }: Options): Promise<void> {
  const disks = await readdir(join(data, "disks")).catch(() => []);
  if (disks.length === 0 || deleteVolumes) return;
  throw new UsageError(
    `disks of volumes are kept here (--delete-volumes loses them; kubectl get persistentvolumes): ${disks.join(", ")}`,
  );
}

async function removeData(data: string): Promise<void> {
  await removeRecord(data);
  for (const name of kept) await rm(join(data, name), { recursive: true, force: true });
  // Whatever else is there is somebody else's.
  await rmdir(data).catch(() => undefined);
}

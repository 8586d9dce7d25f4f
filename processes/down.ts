/** `atoll down`: stops what `up` started. */
import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { systemClock } from "@atoll/machinery/clock";
import { exitCode, flags } from "./flags.ts";
import { endOrphans, readRecord, removeRecord, runs } from "./running.ts";
import { sweep } from "./sweep.ts";
import { defaultData } from "./datadir.ts";

const patienceMs = 30_000;
const lookEveryMs = 100;

/** @param args `--data DIR` */
export async function run(args: readonly string[]): Promise<number> {
  return await exitCode(async () => {
    const command = flags("atoll down", "Stops what ./atoll up started.");
    command.option("--data <dir>", "the data directory given to up", defaultData()).parse(args, { from: "user" });
    const data = resolve(command.opts<{ data: string }>().data);
    const record = await readRecord(data);
    if (record === undefined || !(await runs(record.up))) {
      // An `up` that was killed leaves its parts and machines.
      await endOrphans(record);
      const left = (await isThere(data)) ? await sweep(data) : 0;
      await removeRecord(data);
      process.stdout.write(left === 0 ? `nothing is up in ${data}\n` : `stopped ${left} machines that were left\n`);
      return 0;
    }
    process.kill(record.up.pid, "SIGTERM");
    const deadline = systemClock.monotonicMs() + patienceMs;
    while (await runs(record.up)) {
      if (systemClock.monotonicMs() > deadline)
        throw new Error(`process ${record.up.pid} does not end; kill it by hand`);
      await systemClock.sleep(lookEveryMs);
    }
    process.stdout.write("stopped\n");
    return 0;
  });
}

async function isThere(data: string): Promise<boolean> {
  return await stat(data).then(
    () => true,
    () => false,
  );
}

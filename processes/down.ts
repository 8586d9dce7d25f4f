/** `atoll down`: stops what `up` started. */
import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { exitCode, flags } from "./flags.ts";
import { endOrphans, endWhole, readRecord, removeRecord, runs } from "./up/running.ts";
import { sweep } from "./up/sweep.ts";
import { defaultData } from "./datadir.ts";

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
    await endWhole(record);
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

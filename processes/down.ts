/** `atoll down`: stops what `up` started. */
import { resolve } from "node:path";
import { systemClock } from "@atoll/machinery/clock";
import { exitCode, flags } from "./flags.ts";
import { readRecord, removeRecord, runs } from "./running.ts";
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
      process.stdout.write(`nothing is up in ${data}\n`);
      await removeRecord(data);
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

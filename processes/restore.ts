/** `atoll restore FILE --data DIR [--store …]`: a backup back into an empty store of either kind. */
import { join, resolve } from "node:path";
import { systemClock } from "@atoll/machinery/clock";
import { type RestoreTarget, restoreBackup } from "@atoll/storage/backup";
import { sqliteTarget } from "@atoll/storage/sqlite/restore";
import { defaultData } from "./datadir.ts";
import { exitCode, flags } from "./flags.ts";
import { openLog } from "./log.ts";
import { etcdReach } from "./store.ts";
import { type StoreFlags, withStoreFlags } from "./storeflags.ts";

/** @param args `FILE`, `--data DIR`, `--store` */
export async function run(args: readonly string[]): Promise<number> {
  return await exitCode(async () => {
    const command = flags("atoll restore", "A backup back into an empty store, with uids and revisions kept.");
    command.argument("<file>", "the backup");
    command.option("--data <dir>", "the data directory of the server, which must not run", defaultData());
    withStoreFlags(command).parse(args, { from: "user" });
    const { data, ...store } = command.opts<StoreFlags & { data: string }>();
    const backup = await restoreBackup(resolve(command.args[0] ?? ""), await target(resolve(data), store));
    process.stdout.write(`${backup.entries} objects restored, as of revision ${backup.revision}\n`);
    return 0;
  });
}

async function target(data: string, wish: StoreFlags): Promise<RestoreTarget> {
  const reach = await etcdReach(wish);
  if (reach === undefined) return sqliteTarget({ file: join(data, "store.db"), clock: systemClock });
  const { etcdTarget } = await import("@atoll/storage/etcd/restore");
  return etcdTarget({ ...reach, clock: systemClock, log: openLog("restore") });
}

/** `atoll backup --data DIR FILE`: a consistent copy of the store, while it runs or not. */
import { join, resolve } from "node:path";
import { systemClock } from "@atoll/machinery/clock";
import { type Backup, type BackupSource, writeBackup } from "@atoll/storage/backup";
import { openSqliteSnapshot } from "@atoll/storage/sqlite/snapshot";
import { defaultData } from "./datadir.ts";
import { exitCode, flags } from "./flags.ts";
import { openLog } from "./log.ts";
import { etcdReach } from "./store.ts";
import { type StoreFlags, withStoreFlags } from "./storeflags.ts";

/** @param args `FILE`, `--data DIR`, `--store` */
export async function run(args: readonly string[]): Promise<number> {
  return await exitCode(async () => {
    const command = flags("atoll backup", "A consistent copy of the store, while it runs or not.");
    command.argument("<file>", "the file to write; it must not be there");
    command.option("--data <dir>", "the data directory of the server", defaultData());
    withStoreFlags(command).parse(args, { from: "user" });
    const { data, ...store } = command.opts<StoreFlags & { data: string }>();
    const file = resolve(command.args[0] ?? "");
    const done = await copy(resolve(data), store, file);
    process.stdout.write(`${done.entries} objects as of revision ${done.revision} in ${file}\n`);
    return 0;
  });
}

async function copy(data: string, wish: StoreFlags, file: string): Promise<Backup> {
  const source: BackupSource & { close(): Promise<void> | void } = await open(data, wish);
  try {
    return await writeBackup(source, file);
  } finally {
    await source.close();
  }
}

async function open(data: string, wish: StoreFlags): Promise<BackupSource & { close(): Promise<void> | void }> {
  const reach = await etcdReach(wish);
  if (reach === undefined) return openSqliteSnapshot(join(data, "store.db"));
  const { openEtcd } = await import("@atoll/storage/etcd");
  return openEtcd({ ...reach, clock: systemClock, log: openLog("backup") });
}

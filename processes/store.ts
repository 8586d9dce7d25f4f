/** From `--store` to an open store. */
import { join } from "node:path";
import { systemClock } from "@atoll/machinery/clock";
import { openSqlite } from "@atoll/storage/sqlite";
import type { Store } from "@atoll/storage/store";
import { UsageError } from "./flags.ts";
import type { Logger } from "./log.ts";

/**
 * @param wish `sqlite` (a file in the data directory), or `etcd=URL,URL…`
 * @throws {UsageError}
 */
export async function openStore(wish: string, data: string, log: Logger): Promise<Store> {
  if (wish === "sqlite") return await openSqlite({ file: join(data, "store.db"), clock: systemClock, log });
  throw new UsageError(`--store ${wish}: must be sqlite or etcd=URL,URL…`);
}

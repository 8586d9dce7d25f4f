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
  const endpoints = etcdEndpoints(wish);
  if (endpoints === undefined) return await openSqlite({ file: join(data, "store.db"), clock: systemClock, log });
  // The gRPC library is not loaded where nobody asks for it.
  const { openEtcd } = await import("@atoll/storage/etcd");
  return openEtcd({ endpoints, clock: systemClock, log });
}

/**
 * The members that `--store` names; undefined for the file in the data directory.
 * @throws {UsageError}
 */
export function etcdEndpoints(wish: string): string[] | undefined {
  if (wish === "sqlite") return undefined;
  if (!wish.startsWith("etcd=")) throw new UsageError(`--store ${wish}: must be sqlite or etcd=URL,URL…`);
  const urls = wish.slice("etcd=".length).split(",");
  const bad = urls.find((url) => !/^https?:\/\/[^/]+$/.test(url));
  if (bad !== undefined) throw new UsageError(`--store etcd=…: ${bad || "an empty entry"} is no URL of an etcd member`);
  return urls;
}

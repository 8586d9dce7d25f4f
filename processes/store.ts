/** From the flags of the store to an open one. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { systemClock } from "@atoll/machinery/clock";
import type { EtcdTls } from "@atoll/storage/etcd/members";
import { openSqlite } from "@atoll/storage/sqlite";
import type { Store } from "@atoll/storage/store";
import { UsageError } from "./flags.ts";
import type { Logger } from "./log.ts";
import type { StoreFlags } from "./storeflags.ts";

/** Opens it. @throws {UsageError} */
export async function openStore(flags: StoreFlags, data: string, log: Logger): Promise<Store> {
  const reach = await etcdReach(flags);
  if (reach === undefined) return await openSqlite({ file: join(data, "store.db"), clock: systemClock, log });
  // The gRPC library is not loaded where nobody asks for it.
  const { openEtcd } = await import("@atoll/storage/etcd");
  return openEtcd({ ...reach, clock: systemClock, log });
}

/**
 * The members that the flags name, and what to show them; undefined for the file in the data directory.
 * @throws {UsageError}
 */
export async function etcdReach(
  flags: StoreFlags,
): Promise<{ readonly endpoints: string[]; readonly tls: EtcdTls } | undefined> {
  const { store, etcdCafile, etcdCertfile, etcdKeyfile } = flags;
  if ((etcdCertfile === undefined) !== (etcdKeyfile === undefined))
    throw new UsageError("--etcd-certfile and --etcd-keyfile go together");
  if (store === "sqlite") return undefined;
  if (!store.startsWith("etcd=")) throw new UsageError(`--store ${store}: must be sqlite or etcd=URL,URL…`);
  const endpoints = store.slice("etcd=".length).split(",");
  const bad = endpoints.find((url) => !/^https?:\/\/[^/]+$/.test(url));
  if (bad !== undefined) throw new UsageError(`--store etcd=…: ${bad || "an empty entry"} is no URL of an etcd member`);
  const plain = endpoints.find((url) => url.startsWith("http:"));
  if (plain !== undefined && (etcdCafile ?? etcdCertfile) !== undefined)
    throw new UsageError(`--store etcd=…: ${plain} is not https: certificates would be of no use there`);
  const [ca, cert, key] = await Promise.all([etcdCafile, etcdCertfile, etcdKeyfile].map(read));
  return { endpoints, tls: { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) } };
}

/** @throws {UsageError} */
async function read(file: string | undefined): Promise<Buffer | undefined> {
  if (file === undefined) return undefined;
  return await readFile(file).catch((cause: unknown) => {
    throw new UsageError(`${file} cannot be read: ${(cause as Error).message}`);
  });
}

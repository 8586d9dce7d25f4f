import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import { after, before } from "node:test";
import path from "node:path";
import { systemClock } from "@atoll/machinery/clock";
import { fetchDebian } from "@atoll/tools/debian";
import { restoreBackup, writeBackup } from "./backup.ts";
import { runConformance } from "./conformance.ts";
import type { Opened } from "./conformance-parts.ts";
import { type EtcdOptions, openEtcd } from "./etcd.ts";
import { type EtcdCluster, startEtcd } from "./etcd-cluster.ts";
import { etcdTarget } from "./etcd-restore.ts";
import { openMemory } from "./memory.ts";
import type { Store } from "./store.ts";

const bin = path.join(await fetchDebian({ suite: "trixie", packages: ["etcd-server", "etcd-client"] }), "usr/bin");
let cluster: EtcdCluster | undefined;
let stores = 0;

before(async () => {
  cluster = await startEtcd({ bin });
});
after(() => cluster?.stop());

runConformance("etcd", () => open(`/conformance-${stores++}`), { histories: 25 });

// Revisions there are not etcd's own.
runConformance(
  "etcd after a restore",
  async () => {
    const prefix = `/conformance-${stores++}`;
    const file = path.join(os.tmpdir(), `atoll-etcd-${process.pid}.backup`);
    const empty = openMemory();
    for (let i = 0; i < 50_000; i++) {
      const { modRevision } = await empty.create("/passing", Buffer.alloc(0));
      await empty.delete("/passing", modRevision);
    }
    await writeBackup(empty, file);
    await restoreBackup(file, etcdTarget(optionsFor(prefix)));
    fs.rmSync(file);
    return open(prefix);
  },
  { histories: 10 },
);

function optionsFor(prefix: string): EtcdOptions {
  assert.ok(cluster !== undefined);
  return { endpoints: cluster.endpoints, prefix, clock: systemClock };
}

async function open(prefix: string): Promise<Opened> {
  const opened: Store[] = [];
  const another = async (): Promise<Store> => {
    const store = await openEtcd(optionsFor(prefix));
    opened.push(store);
    return store;
  };
  return {
    store: await another(),
    peer: another,
    async reopen() {
      await opened.at(-1)?.close();
      return another();
    },
    async dispose() {
      for (const store of opened) await store.close();
    },
  };
}

import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import { after, before } from "node:test";
import path from "node:path";
import { systemClock } from "@atoll/machinery/clock";
import { fetchDebian } from "@atoll/tools/debian";
import { restoreBackup, writeBackup } from "./backup.ts";
import { runConformance } from "./conformance.ts";
import type { Opened } from "./conformance/parts.ts";
import { type EtcdOptions, openEtcd } from "./etcd.ts";
import { type EtcdCluster, startEtcd } from "./etcd/cluster.ts";
import { etcdTarget } from "./etcd/restore.ts";
import { openMemory } from "./memory.ts";
import type { Store } from "./store.ts";

const bin = path.join(await fetchDebian({ suite: "trixie", packages: ["etcd-server", "etcd-client"] }), "usr/bin");
let cluster: EtcdCluster | undefined;
let stores = 0;
const backup = path.join(os.tmpdir(), `atoll-etcd-${process.pid}.backup`);

before(async () => {
  cluster = await startEtcd({ bin });
  await writeFarBackup();
});
after(async () => {
  fs.rmSync(backup, { force: true });
  await cluster?.stop();
});

runConformance("etcd", () => open(`/conformance-${stores++}`), { histories: 15 });

// Revisions there are not etcd's own.
runConformance(
  "etcd after a restore",
  async () => {
    const prefix = `/conformance-${stores++}`;
    await restoreBackup(backup, etcdTarget(optionsFor(prefix)));
    return open(prefix);
  },
  { histories: 8 },
);

// Of an empty store that has come far.
async function writeFarBackup(): Promise<void> {
  const store = openMemory();
  for (let i = 0; i < 50_000; i++) {
    const { modRevision } = await store.create("/passing", Buffer.alloc(0));
    await store.delete("/passing", modRevision);
  }
  await writeBackup(store, backup);
}

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

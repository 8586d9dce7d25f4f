import assert from "node:assert/strict";
import { after, before } from "node:test";
import path from "node:path";
import { systemClock } from "@atoll/machinery/clock";
import { fetchDebian } from "@atoll/tools/debian";
import { runConformance } from "./conformance.ts";
import { openEtcd } from "./etcd.ts";
import { type EtcdCluster, startEtcd } from "./etcd-cluster.ts";
import type { Store } from "./store.ts";

const bin = path.join(await fetchDebian({ suite: "trixie", packages: ["etcd-server", "etcd-client"] }), "usr/bin");
let cluster: EtcdCluster | undefined;
let stores = 0;

before(async () => {
  cluster = await startEtcd({ bin });
});
after(() => cluster?.stop());

runConformance(
  "etcd",
  async () => {
    assert.ok(cluster !== undefined);
    const options = { endpoints: cluster.endpoints, prefix: `/conformance-${stores++}`, clock: systemClock };
    const opened: Store[] = [];
    const open = async (): Promise<Store> => {
      const store = await openEtcd(options);
      opened.push(store);
      return store;
    };
    return {
      store: await open(),
      peer: open,
      async reopen() {
        await opened.at(-1)?.close();
        return open();
      },
      async dispose() {
        for (const store of opened) await store.close();
      },
    };
  },
  { histories: 25 },
);

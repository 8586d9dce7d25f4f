/** One suite of the API on each store: memory, SQLite, two servers on one etcd, and those while members fail. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { type Harness, startHarness } from "@atoll/harness/server";
import { systemClock } from "@atoll/machinery/clock";
import { openEtcd } from "@atoll/storage/etcd";
import { type EtcdCluster, startEtcd } from "@atoll/storage/etcd/cluster";
import { openSqlite } from "@atoll/storage/sqlite";
import { fetchDebian } from "@atoll/tools/debian";
import { checkAll, Ledger, listed, type Place, WatchFollower, Writer } from "./ledger.ts";
import { stories, tell } from "./suite.ts";

const nightly = process.env["ATOLL_NIGHTLY"] === "1";
const account = { metadata: { name: "default" } };

async function ready(harness: Harness): Promise<Harness> {
  await harness.send("POST", "/api/v1/namespaces/default/serviceaccounts", { body: account });
  return harness;
}

async function tellAll(t: TestContext, servers: readonly Harness[]): Promise<void> {
  for (const [name, story] of Object.entries(stories)) {
    await t.test(name, () => tell(story, servers, { unsure: false }));
  }
}

test("the API on memory", async (t) => {
  const harness = await ready(await startHarness());
  await tellAll(t, [harness]);
  await harness.close();
});

test("the API on SQLite", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "atoll-suite-"));
  const store = await openSqlite({ file: join(folder, "store.db"), clock: systemClock });
  const harness = await ready(await startHarness({ store }));
  await tellAll(t, [harness]);
  await harness.close();
  await rm(folder, { recursive: true });
});

async function etcdServers(members: number): Promise<{ cluster: EtcdCluster; servers: readonly [Harness, Harness] }> {
  const root = await fetchDebian({ suite: "trixie", packages: ["etcd-server", "etcd-client"] });
  const cluster = await startEtcd({ bin: join(root, "usr", "bin"), members });
  const options = { endpoints: cluster.endpoints, clock: systemClock, attemptMs: 1_000, timeoutMs: 20_000 };
  const open = async () => startHarness({ store: await openEtcd(options), onError: () => {} });
  const first = await ready(await open());
  return { cluster, servers: [first, await open()] };
}

test("the API through two servers on one etcd", { timeout: 300_000 }, async (t) => {
  const { cluster, servers } = await etcdServers(1);
  await tellAll(t, servers);
  for (const server of servers) await server.close();
  await cluster.stop();
});

/** What can happen to a member, and how it ends. */
function troubles({ members }: EtcdCluster): readonly { begin: () => Promise<void>; end: () => Promise<void> }[] {
  const each = members.flatMap((member) => [
    { begin: () => member.kill(), end: () => member.start() },
    { begin: async () => member.freeze(), end: async () => member.thaw() },
    { begin: async () => member.cut(), end: async () => member.heal() },
  ]);
  return nightly ? each : each.filter((_, i) => i % 4 === 0);
}

test("the API while members of its etcd are killed, frozen and cut off", { timeout: 1_200_000 }, async (t) => {
  const { cluster, servers } = await etcdServers(3);
  const places = servers.map(({ url, tls }): Place => ({ port: Number(new URL(url).port), tls }));
  const [first, second] = places;
  assert.ok(first !== undefined && second !== undefined);
  const ledger = new Ledger();
  const { revision } = await listed(first);
  const followers = places.map((place) => new WatchFollower(() => place, revision));
  const writers = [0, 1, 2, 3].map((i) => new Writer(`writer-${i}`, ledger, () => (i % 2 === 0 ? first : second)));
  for (const { begin, end } of troubles(cluster)) {
    await begin();
    for (const story of Object.values(stories)) await tell(story, servers, { unsure: true });
    await end();
  }
  for (const writer of writers) await writer.stop();
  await checkAll(ledger, followers, first);
  t.diagnostic(`${ledger.total} writes acknowledged, ${ledger.unanswered.size} without an answer`);
  for (const server of servers) await server.close();
  await cluster.stop();
});

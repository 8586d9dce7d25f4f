import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, before, test, type TestContext } from "node:test";
import { systemClock } from "@atoll/machinery/clock";
import { fetchDebian } from "@atoll/tools/debian";
import { restoreBackup, writeBackup } from "../backup.ts";
import { type EtcdOptions, openEtcd } from "../etcd.ts";
import { type EtcdCluster, startEtcd } from "./cluster.ts";
import { etcdTarget } from "./restore.ts";
import { record } from "../recorder.ts";
import { openSqlite } from "../sqlite.ts";
import { sqliteTarget } from "../sqlite/restore.ts";
import { Compacted, type Entry, RevisionMismatch, type Store, StoreRefused } from "../store.ts";

const bin = path.join(await fetchDebian({ suite: "trixie", packages: ["etcd-server", "etcd-client"] }), "usr/bin");
let cluster: EtcdCluster | undefined;
let prefixes = 0;

before(async () => {
  cluster = await startEtcd({ bin });
});
after(() => cluster?.stop());

test("SQLite to etcd and back keeps keys, values and revisions", async (t) => {
  const folder = folderFor(t);
  const { backup, entries } = await sqliteBackup(folder, 1200);
  const etcd = etcdOptions();
  await restoreBackup(backup, etcdTarget(etcd));
  const store = await openEtcd(etcd);
  const page = await store.list("");
  assert.deepEqual(page.entries, entries);
  assert.deepEqual(
    await store.get("/a/7"),
    entries.find(({ key }) => key === "/a/7"),
  );
  assert.ok(page.revision > Math.max(...entries.map(({ modRevision }) => modRevision)));
  const again = path.join(folder, "again");
  await writeBackup(store, again);
  await store.close();
  const sqlite = { file: path.join(folder, "back", "store.db"), clock: systemClock };
  await restoreBackup(again, sqliteTarget(sqlite));
  const back = await openSqlite(sqlite);
  assert.deepEqual((await back.list("")).entries, entries);
  await back.close();
});

test("an object restored into etcd is written at the revision it brought, and at no other", async (t) => {
  const { backup, entries, revision } = await sqliteBackup(folderFor(t), 20);
  const options = etcdOptions();
  await restoreBackup(backup, etcdTarget(options));
  const [store, peer] = await Promise.all([openEtcd(options), openEtcd(options)]);
  const start = await store.revision();
  assert.ok(start >= revision);
  const watch = record(store, "/a/", start);
  const [one, two, three] = entries;
  assert.ok(one !== undefined && two !== undefined && three !== undefined);
  for (const stale of [one.modRevision - 1, one.modRevision + 1, 0, 1, 2, 3, start]) {
    await assert.rejects(store.update(one.key, stale, Buffer.from("stale")), isMismatch(one));
    await assert.rejects(store.delete(one.key, stale), isMismatch(one));
  }
  const changed = await store.update(one.key, one.modRevision, Buffer.from("changed"));
  assert.ok(changed.modRevision > start);
  assert.equal(changed.createRevision, one.createRevision);
  assert.deepEqual(await peer.get(one.key), changed);
  await assert.rejects(peer.update(one.key, one.modRevision, Buffer.from("stale")), isMismatch(changed));
  const twice = await peer.update(one.key, changed.modRevision, Buffer.from("twice"));
  assert.equal(twice.createRevision, one.createRevision);
  assert.deepEqual(await store.get(one.key), twice);
  const races = [store, peer, store].map((by, i) => by.update(two.key, two.modRevision, Buffer.from(`racer ${i}`)));
  const won = (await Promise.allSettled(races)).filter(({ status }) => status === "fulfilled");
  assert.equal(won.length, 1);
  const gone = await store.delete(three.key, three.modRevision);
  const anew = await store.create(three.key, Buffer.from("anew"));
  assert.equal(anew.createRevision, anew.modRevision);
  const told = (await watch.caughtUp(store)).told.filter(({ key }) => key !== two.key);
  assert.deepEqual(told, [
    { key: one.key, revision: changed.modRevision, entry: changed, previous: one },
    { key: one.key, revision: twice.modRevision, entry: twice, previous: changed },
    { key: three.key, revision: gone, entry: undefined, previous: three },
    { key: three.key, revision: anew.modRevision, entry: anew, previous: undefined },
  ]);
  assert.deepEqual((await store.list("/a/", { revision: start })).entries, entries);
  await assert.rejects(store.list("/a/", { revision: revision - 1 }), Compacted);
  assert.ok((await record(store, "/a/", revision - 1).over()) instanceof Compacted);
  await Promise.all([store.close(), peer.close()]);
});

test("a restore into etcd that was interrupted keeps servers out, and runs again", async (t) => {
  const { backup, entries } = await sqliteBackup(folderFor(t), 900);
  const options = etcdOptions();
  for (const share of [0.01, 0.6, 1]) {
    const interrupt = (done: number): void => {
      if (done >= entries.length * share) throw new RangeError("interrupted");
    };
    await assert.rejects(restoreBackup(backup, etcdTarget(options), interrupt), RangeError);
    await assert.rejects(openEtcd(options), refusedAs("half restored"));
  }
  await restoreBackup(backup, etcdTarget(options));
  const store = await openEtcd(options);
  assert.deepEqual((await store.list("")).entries, entries);
  await store.close();
});

test("of two restores at once into one etcd at most one ends well, and what is there is whole", async (t) => {
  const { backup, entries } = await sqliteBackup(folderFor(t), 900);
  const options = etcdOptions();
  const tries = [1, 2].map(() => restoreBackup(backup, etcdTarget(options)));
  const ended = await Promise.allSettled(tries);
  if (ended.every(({ status }) => status === "rejected")) await restoreBackup(backup, etcdTarget(options));
  const store = await openEtcd(options);
  assert.deepEqual((await store.list("")).entries, entries);
  await store.close();
});

test("a restore into an etcd store that holds objects is refused, and changes nothing", async (t) => {
  const { backup } = await sqliteBackup(folderFor(t), 5);
  const options = etcdOptions();
  const store = await openEtcd(options);
  const mine = await store.create("/mine", Buffer.from("mine"));
  await assert.rejects(restoreBackup(backup, etcdTarget(options)), refusedAs("not empty"));
  assert.deepEqual((await store.list("")).entries, [mine]);
  await store.update("/mine", mine.modRevision, Buffer.from("still served"));
  await store.close();
});

test("an empty store that a server holds open while it is restored goes on with what was restored", async (t) => {
  const { backup, entries, revision } = await sqliteBackup(folderFor(t), 300);
  const options = etcdOptions();
  const store = await openEtcd(options);
  const watch = record(store, "/a/", await store.revision());
  await restoreBackup(backup, etcdTarget(options));
  assert.deepEqual((await store.list("")).entries, entries);
  assert.ok((await store.revision()) >= revision);
  assert.ok((await watch.over()) instanceof Error);
  assert.deepEqual(watch.told, []);
  await store.close();
});

async function sqliteBackup(
  folder: string,
  count: number,
): Promise<{ backup: string; entries: Entry[]; revision: number }> {
  const store = await openSqlite({ file: path.join(folder, "from.db"), clock: systemClock });
  await rewrite(store, count);
  const backup = path.join(folder, "backup");
  const { revision } = await writeBackup(store, backup);
  const entries = [...(await store.list("")).entries];
  await store.close();
  return { backup, entries, revision };
}

// Some keys are rewritten, so that their two revisions differ.
async function rewrite(store: Store, count: number): Promise<void> {
  const made = await Promise.all(
    Array.from({ length: count }, (_, i) => store.create(`/a/${i}`, Buffer.alloc((i * 137) % 9000, `v${i}`))),
  );
  for (const { key, modRevision } of made.slice(0, count / 3))
    await store.update(key, modRevision, Buffer.from(`${key} new`));
}

function etcdOptions(): EtcdOptions {
  assert.ok(cluster !== undefined);
  return { endpoints: cluster.endpoints, prefix: `/restore-${prefixes++}`, clock: systemClock };
}

function isMismatch(found: Entry): (error: unknown) => true {
  return (error) => {
    assert.ok(error instanceof RevisionMismatch, String(error));
    assert.deepEqual(error.found, found);
    return true;
  };
}

function refusedAs(reason: string): (error: unknown) => true {
  return (error) => {
    assert.ok(error instanceof StoreRefused, String(error));
    assert.equal(error.reason, reason);
    return true;
  };
}

function folderFor(t: TestContext): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "atoll-restore-"));
  t.after(() => fs.rmSync(folder, { recursive: true }));
  return folder;
}

/** An etcd store while members are killed, frozen, cut off and set back. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import net from "node:net";
import path from "node:path";
import { test } from "node:test";
import { systemClock } from "@atoll/machinery/clock";
import { fetchDebian } from "@atoll/tools/debian";
import { openEtcd } from "../etcd.ts";
import { type EtcdCluster, type EtcdMember, startEtcd } from "./cluster.ts";
import { record, until } from "../recorder.ts";
import {
  type Entry,
  RevisionMismatch,
  RevisionWentBack,
  type Store,
  StoreUnavailable,
  ValueTooLarge,
} from "../store.ts";

const bin = path.join(await fetchDebian({ suite: "trixie", packages: ["etcd-server", "etcd-client"] }), "usr/bin");

test("while members are killed, frozen and cut off, no write is lost and every watch tells every change once", async (t) => {
  const cluster = await startEtcd({ bin, members: 3 });
  t.after(() => cluster.stop());
  const options = { endpoints: cluster.endpoints, clock: systemClock, attemptMs: 1000, timeoutMs: 20_000 };
  const stores = await Promise.all([openEtcd(options), openEtcd(options)]);
  const [store] = stores;
  assert.ok(store !== undefined);
  const start = await store.revision();
  const watches = stores.map((one) => record(one, "/fault/", start));
  const load = new Load(stores);
  for (const fault of faults(cluster)) {
    await load.progresses(`before ${fault.name}`);
    await fault.begin();
    await load.progresses(`during ${fault.name}`);
    await fault.end();
  }
  await load.stop();
  const told = await Promise.all(watches.map(async (watch, i) => (await watch.caughtUp(stores[i] ?? store)).told));
  assert.deepEqual(told[0], told[1]);
  load.check(told[0] ?? []);
  const { entries } = await store.list("/fault/");
  assert.deepEqual(new Map(entries.map(({ key, modRevision }) => [key, modRevision])), load.newest(told[0] ?? []));
  t.diagnostic(`${load.acknowledged.size} writes acknowledged, ${load.uncertain} of unknown outcome`);
  await Promise.all(stores.map((one) => one.close()));
});

interface Fault {
  readonly name: string;
  begin(): Promise<void>;
  end(): Promise<void>;
}

// Each member meets each fault, so that the leader and whoever the servers talk to do.
function faults({ members }: EtcdCluster): Fault[] {
  return members.flatMap((member: EtcdMember, i) => [
    { name: `kill -9 of member ${i}`, begin: () => member.kill(), end: () => member.start() },
    { name: `freezing member ${i}`, begin: async () => member.freeze(), end: async () => member.thaw() },
    { name: `cutting off member ${i}`, begin: async () => member.cut(), end: async () => member.heal() },
  ]);
}

/** Callers that increment counters, each of its own, through either store. */
class Load {
  readonly acknowledged = new Map<number, string>();
  uncertain = 0;
  readonly #stores: readonly Store[];
  readonly #callers: Promise<unknown>[];
  #stopped = false;
  #failure: Error | undefined;

  constructor(stores: readonly Store[]) {
    this.#stores = stores;
    this.#callers = Array.from({ length: 6 }, (_, i) =>
      this.#call(i).catch((error: Error) => void (this.#failure = error)),
    );
  }

  /** Waits until every caller has written. */
  async progresses(when: string): Promise<void> {
    const goal = this.acknowledged.size + 30;
    await until(() => this.acknowledged.size >= goal || this.#failure !== undefined, `writes ${when}`);
    if (this.#failure !== undefined) throw this.#failure;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#callers);
  }

  /** Each acknowledged write was told once, in order, and counters went up by one. */
  check(
    told: readonly { key: string; revision: number; entry: Entry | undefined; previous: Entry | undefined }[],
  ): void {
    const revisions = new Map(told.map(({ revision, key }) => [revision, key]));
    assert.equal(revisions.size, told.length);
    for (const [revision, key] of this.acknowledged) assert.equal(revisions.get(revision), key, `revision ${revision}`);
    const unanswered = told.filter(({ revision }) => !this.acknowledged.has(revision)).length;
    assert.ok(unanswered <= this.uncertain, `${unanswered} writes told that nobody made`);
    for (const { entry, previous } of told) assert.equal(count(entry), count(previous) + 1);
  }

  /** The last revision told of each key. */
  newest(told: readonly { key: string; revision: number }[]): Map<string, number> {
    return new Map(told.map(({ key, revision }) => [key, revision]));
  }

  async #call(i: number): Promise<void> {
    const key = `/fault/${i}`;
    for (let round = 0; !this.#stopped; round++) {
      const store = this.#stores[(i + round) % this.#stores.length];
      try {
        const found = await store?.get(key);
        const value = Buffer.from(String(count(found) + 1));
        const made = await (found ? store?.update(key, found.modRevision, value) : store?.create(key, value));
        assert.ok(made !== undefined && made.modRevision > (found?.modRevision ?? 0));
        this.acknowledged.set(made.modRevision, key);
      } catch (error) {
        if (!(error instanceof StoreUnavailable)) throw error;
        if (error.uncertain) this.uncertain++;
      }
      await systemClock.sleep(5);
    }
  }
}

function count(entry: Entry | undefined): number {
  return entry === undefined ? 0 : Number(entry.value.toString());
}

test("a write whose answer is lost is repeated, and recognises itself", async (t) => {
  const cluster = await startEtcd({ bin });
  t.after(() => cluster.stop());
  const direct = cluster.endpoints[0] ?? "";
  const line = await MutableLine.to(Number(new URL(direct).port));
  t.after(() => line.close());
  const store = await openEtcd({ endpoints: [line.url], clock: systemClock, attemptMs: 400 });
  t.after(() => store.close());
  const observer = await openEtcd({ endpoints: [direct], clock: systemClock });
  t.after(() => observer.close());
  const watch = record(observer, "/a/", await observer.revision());
  const made = await line.losing(() => store.create("/a/1", Buffer.from("one")));
  const changed = await line.losing(() => store.update("/a/1", made.modRevision, Buffer.from("two")));
  assert.equal(changed.createRevision, made.modRevision);
  assert.deepEqual(await observer.get("/a/1"), changed);
  const isUncertain = (error: unknown): boolean => error instanceof StoreUnavailable && error.uncertain;
  await assert.rejects(
    line.losing(() => store.delete("/a/1", changed.modRevision)),
    isUncertain,
  );
  const other = await observer.create("/a/2", Buffer.from("other"));
  const overtaken = line.losing(async () => {
    const write = store.update("/a/2", other.modRevision, Buffer.from("mine"));
    await until(async () => (await observer.get("/a/2"))?.value.toString() === "mine", "the write");
    const mine = await observer.get("/a/2");
    await observer.update("/a/2", mine?.modRevision ?? 0, Buffer.from("overtaken"));
    return write;
  });
  await assert.rejects(overtaken, isUncertain);
  assert.deepEqual((await watch.caughtUp(observer)).texts, [
    "+/a/1=one",
    "+/a/1=two",
    "-/a/1",
    "+/a/2=other",
    "+/a/2=mine",
    "+/a/2=overtaken",
  ]);
});

/** A connection to a port that can lose everything that comes back. */
class MutableLine {
  readonly #server: net.Server;
  readonly #sockets = new Set<net.Socket>();
  #mute = false;

  private constructor(port: number) {
    this.#server = net.createServer((socket) => {
      const upstream = net.connect(port, "127.0.0.1");
      this.#sockets.add(socket);
      socket.pipe(upstream);
      upstream.on("data", (chunk) => void (this.#mute || socket.write(chunk)));
      for (const end of [socket, upstream]) end.on("error", () => end.destroy());
      socket.on("close", () => void (this.#sockets.delete(socket), upstream.destroy()));
    });
  }

  static async to(port: number): Promise<MutableLine> {
    const line = new MutableLine(port);
    line.#server.listen(0, "127.0.0.1");
    await once(line.#server, "listening");
    return line;
  }

  get url(): string {
    const address = this.#server.address();
    assert.ok(address !== null && typeof address !== "string");
    return `http://127.0.0.1:${address.port}`;
  }

  /** Loses the answers to what is done, until the connection has been given up. */
  async losing<T>(work: () => Promise<T>): Promise<T> {
    this.#mute = true;
    const done = work();
    await Promise.race([done.catch(() => {}), systemClock.sleep(600)]);
    this.#mute = false;
    for (const socket of this.#sockets) socket.destroy();
    return done;
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}

test("without a majority everything is refused in time, and goes on when it is back", async (t) => {
  const cluster = await startEtcd({ bin, members: 3 });
  t.after(() => cluster.stop());
  const store = await openEtcd({ endpoints: cluster.endpoints, clock: systemClock, attemptMs: 500, timeoutMs: 1500 });
  t.after(() => store.close());
  const made = await store.create("/a/1", Buffer.from("one"));
  const watch = record(store, "/a/", made.modRevision);
  for (const member of cluster.members.slice(1)) await member.kill();
  const from = systemClock.monotonicMs();
  await assert.rejects(store.get("/a/1"), StoreUnavailable);
  await assert.rejects(store.revision(), StoreUnavailable);
  await assert.rejects(store.healthy(), StoreUnavailable);
  await assert.rejects(store.create("/a/2", Buffer.from("two")), StoreUnavailable);
  assert.ok(systemClock.monotonicMs() - from < 4 * 2500);
  await Promise.all(cluster.members.slice(1).map((member) => member.start()));
  await until(
    async () =>
      store.healthy().then(
        () => true,
        () => false,
      ),
    "health",
  );
  await store.update("/a/1", made.modRevision, Buffer.from("changed"));
  assert.ok((await watch.caughtUp(store)).texts.includes("+/a/1=changed"));
  assert.equal(watch.end, undefined);
});

test("a store that nobody listens for is refused in time", async () => {
  const options = { endpoints: ["http://127.0.0.1:1"], clock: systemClock, timeoutMs: 300 };
  await assert.rejects(openEtcd(options), (error) => error instanceof StoreUnavailable && !error.uncertain);
});

test("etcd set back to an older snapshot ends watches, and no revision is given again", async (t) => {
  const cluster = await startEtcd({ bin });
  t.after(() => cluster.stop());
  const [member] = cluster.members;
  assert.ok(member !== undefined);
  const options = { endpoints: cluster.endpoints, clock: systemClock };
  const [store, other] = await Promise.all([openEtcd(options), openEtcd(options)]);
  t.after(() => Promise.all([store.close(), other.close()]));
  const kept = await store.create("/a/kept", Buffer.from("kept"));
  const snapshot = path.join(member.folder, "..", "snapshot");
  execFileSync(path.join(bin, "etcdctl"), ["--endpoints", member.endpoint, "snapshot", "save", snapshot], {
    stdio: "pipe",
  });
  let newest = kept.modRevision;
  for (let i = 0; i < 20; i++) newest = (await store.create(`/a/lost-${i}`, Buffer.from("lost"))).modRevision;
  const watches = [record(store, "/a/", newest), record(other, "/a/", await other.revision())];
  await watches[0]?.caughtUp(store);
  await member.kill();
  fs.rmSync(member.folder, { recursive: true });
  restoreSnapshot(snapshot, member);
  await member.start();
  const early = await store.get("/a/kept");
  assert.ok(early !== undefined && early.modRevision > newest, `${early?.modRevision} is told after ${newest}`);
  for (const watch of watches) assert.ok((await watch.over()) instanceof RevisionWentBack);
  for (const one of [store, other]) {
    const { entries, revision } = await one.list("/a/");
    assert.deepEqual(
      entries.map(({ key }) => key),
      ["/a/kept"],
    );
    assert.ok(revision > newest);
    assert.ok((entries[0]?.modRevision ?? 0) > newest, "a revision that another write had");
  }
  await assert.rejects(store.update("/a/kept", kept.modRevision, Buffer.from("stale")), RevisionMismatch);
  const found = await other.get("/a/kept");
  assert.ok(found !== undefined);
  const resumed = record(store, "/a/", found.modRevision);
  const changed = await other.update("/a/kept", found.modRevision, Buffer.from("changed"));
  assert.deepEqual((await resumed.caughtUp(store)).told, [
    { key: "/a/kept", revision: changed.modRevision, entry: changed, previous: found },
  ]);
});

function restoreSnapshot(snapshot: string, member: EtcdMember): void {
  const flags = ["--data-dir", member.folder, "--name", "m0", ...member.clusterFlags];
  execFileSync(path.join(bin, "etcdutl"), ["snapshot", "restore", snapshot, ...flags], { stdio: "pipe" });
}

test("servers on one etcd take turns at compacting it, and keep the history of one period", async (t) => {
  const cluster = await startEtcd({ bin });
  t.after(() => cluster.stop());
  const options = { endpoints: cluster.endpoints, clock: systemClock, historyAgeMs: 1000 };
  const stores = await Promise.all([openEtcd(options), openEtcd(options), openEtcd(options)]);
  t.after(() => Promise.all(stores.map((one) => one.close())));
  const [store] = stores;
  assert.ok(store !== undefined);
  const early = await store.create("/a/1", Buffer.from("one"));
  await until(async () => (await store.oldest()) >= early.modRevision, "a compaction");
  const late = await store.create("/a/2", Buffer.from("two"));
  assert.equal((await record(store, "/a/", late.modRevision - 1).caughtUp(store)).told.length, 1);
});

test("a value larger than etcd takes is refused as such", async (t) => {
  const cluster = await startEtcd({ bin });
  t.after(() => cluster.stop());
  const store = await openEtcd({ endpoints: cluster.endpoints, clock: systemClock });
  t.after(() => store.close());
  for (const size of [2, 5]) await assert.rejects(store.create("/a/1", Buffer.alloc(size * 2 ** 20)), ValueTooLarge);
  assert.equal(await store.get("/a/1"), undefined);
});

test("an etcd that has no space left refuses writes, serves reads and says so", async (t) => {
  const cluster = await startEtcd({ bin, flags: ["--quota-backend-bytes", String(2 ** 20)] });
  t.after(() => cluster.stop());
  const store = await openEtcd({ endpoints: cluster.endpoints, clock: systemClock });
  t.after(() => store.close());
  let made = 0;
  const full = async (): Promise<void> => {
    for (; made < 100; made++) await store.create(`/a/${made}`, Buffer.alloc(100_000));
  };
  await assert.rejects(full(), (error) => error instanceof StoreUnavailable && !error.uncertain);
  assert.equal((await store.list("/a/")).entries.length, made);
  await assert.rejects(store.healthy(), /NOSPACE/);
});

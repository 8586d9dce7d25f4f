/** Histories of many clients on a few objects are linearizable, and the checker notices when they are not. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { type Harness, startHarness } from "@atoll/harness/server";
import { systemClock } from "@atoll/machinery/clock";
import { openEtcd } from "@atoll/storage/etcd";
import { startEtcd } from "@atoll/storage/etcd/cluster";
import { openMemory } from "@atoll/storage/memory";
import { openSqlite } from "@atoll/storage/sqlite";
import { fetchDebian } from "@atoll/tools/debian";
import { type Event, isLinearizable, type Operation } from "./linearizable.ts";

const collection = "/api/v1/namespaces/default/configmaps";
const clients = 6;
const rounds = process.env["ATOLL_NIGHTLY"] === "1" ? 200 : 8;
const stepsEach = 25;

interface Seen {
  readonly value: string;
  readonly resourceVersion: string;
}

/** One client's dealings with one object. */
class Client {
  readonly #harness: Harness;
  readonly #name: string;
  readonly #id: number;
  #count = 0;
  #last: Seen | undefined;

  constructor(harness: Harness, name: string, id: number) {
    this.#harness = harness;
    this.#name = name;
    this.#id = id;
  }

  async act(): Promise<Operation> {
    const dice = Math.random();
    if (dice < 0.2) return await this.#create();
    if (dice < 0.35) return await this.#replace(undefined);
    if (dice < 0.55 && this.#last !== undefined) return await this.#replace(this.#last);
    if (dice < 0.65) return await this.#patch();
    if (dice < 0.75) return await this.#delete();
    return dice < 0.9 ? await this.#read() : await this.#list();
  }

  #next(): string {
    return `${this.#id}-${this.#count++}`;
  }

  #body(value: string, resourceVersion?: string) {
    const metadata = { name: this.#name, ...(resourceVersion === undefined ? {} : { resourceVersion }) };
    return { apiVersion: "v1", kind: "ConfigMap", metadata, data: { value } };
  }

  async #create(): Promise<Operation> {
    const value = this.#next();
    const { status } = await this.#harness.send("POST", collection, { body: this.#body(value) });
    return { do: "create", value, result: outcome(status, { 201: "ok", 409: "exists" }) };
  }

  async #replace(seen: Seen | undefined): Promise<Operation> {
    const value = this.#next();
    const body = this.#body(value, seen?.resourceVersion);
    const { status } = await this.#harness.send("PUT", `${collection}/${this.#name}`, { body });
    const result = outcome(status, { 200: "ok", 404: "missing", 409: "conflict" });
    return { do: "replace", value, ...(seen === undefined ? {} : { expected: seen.value }), result };
  }

  async #patch(): Promise<Operation> {
    const value = this.#next();
    const how = { body: { data: { value } }, contentType: "application/merge-patch+json" };
    const { status } = await this.#harness.send("PATCH", `${collection}/${this.#name}`, how);
    return { do: "replace", value, result: outcome(status, { 200: "ok", 404: "missing" }) };
  }

  async #delete(): Promise<Operation> {
    const { status } = await this.#harness.send("DELETE", `${collection}/${this.#name}`);
    return { do: "delete", result: outcome(status, { 200: "ok", 404: "missing" }) };
  }

  async #read(): Promise<Operation> {
    const { status, json } = await this.#harness.send("GET", `${collection}/${this.#name}`);
    return this.#saw(status === 200 ? json : undefined);
  }

  async #list(): Promise<Operation> {
    const { json } = await this.#harness.send("GET", `${collection}?fieldSelector=metadata.name=${this.#name}`);
    return this.#saw((json?.["items"] as Record<string, unknown>[] | undefined)?.[0]);
  }

  #saw(object: Readonly<Record<string, unknown>> | undefined): Operation {
    if (object === undefined) return { do: "read", result: undefined };
    const { value = "" } = object["data"] as Record<string, string>;
    this.#last = { value, resourceVersion: (object["metadata"] as { resourceVersion: string }).resourceVersion };
    return { do: "read", result: value };
  }
}

function outcome<T extends string>(status: number, known: Readonly<Record<number, T>>): T {
  const result = known[status];
  assert.ok(result !== undefined, `unexpected status ${status}`);
  return result;
}

async function record(harness: Harness, name: string, firstId = 0): Promise<Event[]> {
  const history: Event[] = [];
  await Promise.all(
    Array.from({ length: clients }, async (_, id) => {
      const client = new Client(harness, name, firstId + id);
      for (let i = 0; i < stepsEach; i++) {
        const called = performance.now();
        const operation = await client.act();
        history.push({ operation, called, answered: performance.now() });
      }
    }),
  );
  return history;
}

async function check(harness: Harness): Promise<Event[]> {
  let last: Event[] = [];
  for (let round = 0; round < rounds; round++) {
    last = await record(harness, `object-${round}`);
    assert.ok(isLinearizable(last), `history of object-${round}: ${JSON.stringify(last)}`);
  }
  return last;
}

test("histories on memory are linearizable", async () => {
  const harness = await startHarness({ store: openMemory() });
  try {
    await check(harness);
  } finally {
    await harness.close();
  }
});

test("histories on SQLite are linearizable", async () => {
  const folder = await mkdtemp(join(tmpdir(), "atoll-linear-"));
  const harness = await startHarness({ store: await openSqlite({ file: join(folder, "s.db"), clock: systemClock }) });
  try {
    await check(harness);
  } finally {
    await harness.close();
  }
  await rm(folder, { recursive: true });
});

test("histories through two servers on one etcd are linearizable", { timeout: 300_000 }, async () => {
  const root = await fetchDebian({ suite: "trixie", packages: ["etcd-server", "etcd-client"] });
  const cluster = await startEtcd({ bin: join(root, "usr", "bin") });
  const open = async () =>
    startHarness({ store: await openEtcd({ endpoints: cluster.endpoints, clock: systemClock }) });
  const servers = [await open(), await open()] as const;
  try {
    for (let round = 0; round < rounds; round++) {
      const histories = await Promise.all(servers.map((server, i) => record(server, `object-${round}`, i * clients)));
      assert.ok(isLinearizable(histories.flat()), `history of object-${round}: ${JSON.stringify(histories.flat())}`);
    }
  } finally {
    await Promise.all(servers.map((server) => server.close()));
    await cluster.stop();
  }
});

const at = (operation: Operation, called: number): Event => ({ operation, called, answered: called + 0.5 });

test("a stale read is noticed", () => {
  const history = [
    at({ do: "create", value: "a", result: "ok" }, 1),
    at({ do: "replace", value: "b", result: "ok" }, 2),
    at({ do: "read", result: "b" }, 3),
  ];
  assert.ok(isLinearizable(history));
  assert.ok(!isLinearizable([...history, at({ do: "read", result: "a" }, 4)]));
});

test("a lost update is noticed", () => {
  const history = [
    at({ do: "create", value: "a", result: "ok" }, 1),
    at({ do: "replace", value: "b", expected: "a", result: "ok" }, 2),
  ];
  assert.ok(isLinearizable(history));
  assert.ok(!isLinearizable([...history, at({ do: "replace", value: "c", expected: "a", result: "ok" }, 3)]));
});

test("an answer that came late may stand anywhere in between", () => {
  const slow: Event = { operation: { do: "replace", value: "b", result: "ok" }, called: 2, answered: 9 };
  const history = [at({ do: "create", value: "a", result: "ok" }, 1), slow, at({ do: "read", result: "a" }, 3)];
  assert.ok(isLinearizable([...history, at({ do: "read", result: "b" }, 4)]));
  assert.ok(!isLinearizable([...history, at({ do: "read", result: "b" }, 4), at({ do: "read", result: "a" }, 5)]));
});

import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { ConfigMap } from "@atoll/client/builtin";
import { Client } from "@atoll/client/client";
import { toKey } from "@atoll/client/resource";
import { transportTo } from "@atoll/harness/client";
import { startHarness } from "@atoll/harness/server";
import { systemClock } from "@atoll/machinery/clock";
import type { Outgoing } from "./outgoing.ts";
import type { Session } from "./sessions.ts";
import { Tables } from "./tables.ts";
import type { Row } from "./view/rows.ts";
import type { View } from "./view/view.ts";

interface Told {
  readonly seen?: {
    readonly rows: readonly Row[];
    readonly from: number;
    readonly found: number;
    readonly all: number;
    readonly isWhole: boolean;
    readonly stale: string;
  };
  readonly refused?: { readonly code: number };
}

const whole: View = { words: "", sort: "", troubled: false, countBy: [], from: 0, to: 3 };

/** A page before a real server with 1,200 config maps. */
async function setUp(t: TestContext) {
  const harness = await startHarness();
  const transport = transportTo(harness);
  const client = new Client({ transport, clock: systemClock, userAgent: "test" });
  const made = Array.from({ length: 1_200 }, (_, index) => `map-${String(index).padStart(4, "0")}`);
  const make = async (name: string) =>
    await client.create(ConfigMap, { metadata: { name, namespace: "default" }, data: { a: "b" } });
  await Promise.all(made.map(make));
  const tables = new Tables({ transport } as Session, systemClock);
  t.after(async () => {
    tables.close();
    await harness.close();
  });
  /** What was told to a view, and the latest that is so. */
  const look = (view: Partial<View>, path = "/api/v1/namespaces/default/configmaps") => {
    const told: Told[] = [];
    const out = { isBehind: false, send: (text: string) => told.push(JSON.parse(text) as Told) };
    const leave = tables.look(
      { path, query: {} },
      { id: 1, view: { ...whole, ...view }, out: out as unknown as Outgoing },
    );
    const until = async (isSo: (last: Told) => boolean): Promise<Told> => {
      for (;;) {
        const last = told.at(-1);
        if (last !== undefined && isSo(last)) return last;
        await systemClock.sleep(10);
      }
    };
    return { told, leave, until };
  };
  return { client, look };
}

const isWhole = ({ seen }: Told): boolean => seen?.isWhole === true;
const names = ({ seen }: Told): readonly string[] => (seen?.rows ?? []).map(({ metadata }) => metadata.name);

test("a table shows its first rows while the rest is read, and says from the first how many there are", async (t) => {
  const { look } = await setUp(t);
  const { told, until } = look({});
  const last = await until(isWhole);
  assert.deepEqual(names(last), ["map-0000", "map-0001", "map-0002"]);
  assert.deepEqual([last.seen?.found, last.seen?.all], [1_200, 1_200]);
  assert.equal(told[0]?.seen?.isWhole, false);
  assert.equal(told[0].seen.all, 1_200);
  assert.ok(told.every(({ seen }) => (seen?.rows.length ?? 0) <= 3));
});

test("a table finds and sorts all rows, and shows the part that is looked at", async (t) => {
  const { look } = await setUp(t);
  const turned = await look({ sort: "-Name", from: 2, to: 4 }).until(isWhole);
  assert.deepEqual([turned.seen?.from, names(turned)], [2, ["map-1197", "map-1196"]]);
  const found = await look({ words: "map-119" }).until(isWhole);
  assert.deepEqual([found.seen?.found, found.seen?.all], [10, 1_200]);
});

test("a table tells what changes in its window, and nothing when others change", async (t) => {
  const { client, look } = await setUp(t);
  const [{ told, until }, end] = [look({ words: "map-0001" }), look({ words: "map-1199" })];
  await Promise.all([until(isWhole), end.until(isWhole)]);
  const before = told.length;
  await client.delete(ConfigMap, toKey("default", "map-1199"));
  await end.until(({ seen }) => seen?.found === 0);
  await systemClock.sleep(200);
  // Only how many there are has changed.
  assert.ok(told.length <= before + 1);
  await client.patch(ConfigMap, {
    key: toKey("default", "map-0001"),
    patch: { type: "merge", body: { metadata: { labels: { is: "changed" } } } },
  });
  const last = await until(({ seen }) => seen?.rows[0]?.metadata.labels?.["is"] === "changed");
  assert.deepEqual(names(last), ["map-0001"]);
});

test("a table is not told to who has looked away", async (t) => {
  const { client, look } = await setUp(t);
  const [away, here] = [look({}), look({})];
  await Promise.all([away.until(isWhole), here.until(isWhole)]);
  away.leave();
  const before = away.told.length;
  await client.delete(ConfigMap, toKey("default", "map-0000"));
  await here.until(({ seen }) => seen?.all === 1_199);
  assert.equal(away.told.length, before);
});

test("a table that is refused says why, to who looks later too", async (t) => {
  const { look } = await setUp(t);
  const path = "/api/v1/nosuchthings";
  await look({}, path).until(({ refused }) => refused?.code === 404);
  await look({}, path).until(({ refused }) => refused?.code === 404);
});

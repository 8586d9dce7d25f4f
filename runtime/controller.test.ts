import assert from "node:assert/strict";
import test, { after } from "node:test";
import { ConfigMap, Namespace, Secret } from "@atoll/client/builtin";
import { toKey } from "@atoll/client/resource";
import { clientOf, eventually } from "@atoll/harness/client";
import { startControllers } from "@atoll/harness/controllers";
import { startHarness } from "@atoll/harness/server";
import { systemClock } from "@atoll/machinery/clock";
import { ownedBy, statusOf, TwoWriters } from "./claims.ts";
import type { Controller, ControllerShape, Reconcile, Result } from "./controller.ts";
import { again, defineController, settled, terminal } from "./controller.ts";

const harness = await startHarness();
const client = clientOf(harness);
after(() => harness.close());

let count = 0;

/** Makes as many Secrets as a ConfigMap's data.n says, and deletes what is too many. */
function secretsController(): Controller {
  return defineController({
    name: "secrets",
    for: ConfigMap,
    reads: [ownedBy(Secret, ConfigMap)],
    writes: [ownedBy(Secret, ConfigMap)],
    async reconcile(key, { cache, client: writer }) {
      const want = cache.get(ConfigMap, key);
      const wanted = Number(want?.data?.["n"] ?? "");
      if (want === undefined || Number.isNaN(wanted)) return settled;
      const have = cache.list(Secret, { owner: want });
      const ownerReferences = [
        {
          apiVersion: "v1",
          kind: "ConfigMap",
          name: want.metadata.name ?? "",
          uid: want.metadata.uid ?? "",
          controller: true,
        },
      ];
      const { namespace = "", name = "" } = want.metadata;
      for (let i = have.length; i < wanted; i++) {
        await writer.create(Secret, { metadata: { generateName: `${name}-`, namespace, ownerReferences } });
      }
      for (const extra of have.slice(wanted)) await writer.delete(extra);
      return settled;
    },
  });
}

async function freshNamespace(): Promise<string> {
  const namespace = `runtime-${++count}`;
  await client.create(Namespace, { metadata: { name: namespace } });
  return namespace;
}

const secrets = async (namespace: string) => (await client.list(Secret, { namespace })).items.length;
const want = (namespace: string, n: number) =>
  client.create(ConfigMap, { metadata: { name: "want", namespace }, data: { n: String(n) } });
const touch = (namespace: string, data: Record<string, string>) =>
  client.patch(ConfigMap, { key: toKey(namespace, "want"), patch: { type: "merge", body: { data } } });

test("a controller makes what is wanted, and again when it goes", async () => {
  const namespace = await freshNamespace();
  await using workshop = startControllers(harness, [secretsController()]);
  await want(namespace, 3);
  await eventually("all are made", async () => (await secrets(namespace)) === 3);
  await client.deleteCollection(Secret, { namespace });
  await eventually("all are made again", async () => (await secrets(namespace)) === 3);
  await workshop.quiet(200);
  assert.equal(await secrets(namespace), 3);
});

test("a controller with a stale view does not make things twice", async () => {
  const namespace = await freshNamespace();
  await using workshop = startControllers(harness, [secretsController()]);
  await want(namespace, 0);
  await workshop.quiet();
  // The Secrets' watch stalls, the ConfigMaps' does not: each change wakes the controller, which does not see its children.
  workshop.faults.stallWatches("secrets");
  await touch(namespace, { n: "3" });
  await eventually("all are made", async () => (await secrets(namespace)) === 3);
  for (let i = 0; i < 3; i++) await touch(namespace, { touched: String(i) });
  await systemClock.sleep(300);
  assert.equal(await secrets(namespace), 3);
  await touch(namespace, { n: "5" });
  await systemClock.sleep(100);
  assert.equal(await secrets(namespace), 3);
  workshop.faults.resumeWatches();
  await eventually("the rest is made", async () => (await secrets(namespace)) === 5);
  await workshop.quiet(200);
  assert.equal(await secrets(namespace), 5);
});

test("a controller whose create is not answered finds out what became of it", async () => {
  const namespace = await freshNamespace();
  await using workshop = startControllers(harness, [secretsController()]);
  workshop.faults.fate = (_, n) => (n % 2 === 1 ? "lose answer" : "pass");
  await want(namespace, 6);
  await eventually("all are made", async () => (await secrets(namespace)) >= 6);
  await workshop.quiet(200);
  assert.equal(await secrets(namespace), 6);
});

test("a controller may write only what it claims, and read only what it declares", async () => {
  const namespace = await freshNamespace();
  const done = new Map<string, unknown>();
  const shape: ControllerShape<ConfigMap> = {
    name: "trespasser",
    for: ConfigMap,
    reads: [],
    writes: [ownedBy(Secret, ConfigMap)],
    async reconcile(key, { cache, client: writer }) {
      const seen = cache.get(ConfigMap, key);
      if (seen?.metadata.name !== "want") return settled;
      const attempt = async (what: string, act: () => unknown) => {
        try {
          done.set(what, await act());
        } catch (error) {
          done.set(what, (error as Error).name);
        }
      };
      await attempt("create", () => writer.create(Secret, { metadata: { name: "mine", namespace } }));
      await attempt("update", () => writer.update({ ...seen, data: {} }));
      await attempt("delete", () => writer.delete(seen));
      await attempt("status", () => writer.setStatus(seen, {}));
      await attempt("read", () => cache.list(Secret));
      return settled;
    },
  };
  await using workshop = startControllers(harness, [defineController(shape)]);
  await want(namespace, 0);
  await eventually("all was tried", () => done.size === 5);
  const refused = "UnclaimedWrite";
  assert.deepEqual(Object.fromEntries(done), {
    create: refused,
    update: refused,
    delete: refused,
    status: refused,
    read: "Error",
  });
  assert.deepEqual(workshop.faults.writes, []);
});

test("two controllers that claim the same are not started", () => {
  const shape = { for: ConfigMap, reconcile: async () => settled };
  const first = defineController({ ...shape, name: "a", writes: [statusOf(Namespace)] });
  const second = defineController({ ...shape, name: "b", writes: [statusOf(Namespace)] });
  assert.throws(() => startControllers(harness, [first, second]), TwoWriters);
});

/** Runs a controller of one object until `n` reconciles are through and there is nothing to do for a while. */
async function runs(n: number, reconcile: (n: number, tools: Reconcile) => Promise<Result>) {
  const namespace = await freshNamespace();
  let count = 0;
  const controller = defineController<ConfigMap>({
    name: "counting",
    for: ConfigMap,
    writes: [],
    reconcile: async (key, tools) => (key === toKey(namespace, "want") ? reconcile(++count, tools) : settled),
  });
  await using workshop = startControllers(harness, [controller]);
  await want(namespace, 0);
  await eventually(`there are ${n}`, () => count === n);
  await workshop.quiet(200);
  return { count, complaints: workshop.complaints };
}

test("a reconcile that throws is tried again, until it does well", async () => {
  const { count, complaints } = await runs(4, async (i) => {
    if (i < 4) throw new Error("not yet");
    return settled;
  });
  assert.equal(count, 4);
  assert.equal(complaints.length, 3);
});

test("a reconcile that fails for good is not tried again", async () => {
  const { count, complaints } = await runs(1, async () => {
    throw terminal(new Error("never"));
  });
  assert.equal(count, 1);
  assert.match(complaints[0] ?? "", /never/);
});

test("a reconcile that waits for the world looks again", async () => {
  const { count, complaints } = await runs(3, async (i) => (i < 3 ? again({ afterMs: 20 }) : settled));
  assert.equal(count, 3);
  assert.deepEqual(complaints, []);
});

import assert from "node:assert/strict";
import test, { after } from "node:test";
import { clientOf, transportTo } from "@atoll/harness/client";
import { startHarness } from "@atoll/harness/server";
import { ConfigMap, Namespace, Pod } from "./builtin.ts";
import { isAlreadyExists, isConflict, isNotFound, isRefusal } from "./errors.ts";
import { keyOf, metadataOf, toKey } from "./resource.ts";
import type { WatchEvent } from "./watch.ts";

const harness = await startHarness();
const transport = transportTo(harness);
const client = clientOf(harness, transport);

after(async () => {
  transport.close();
  await harness.close();
});

const configMap = (name: string, data: Record<string, string> = {}) => ({
  metadata: { name, namespace: "default" },
  data,
});

test("Client creates, gets, updates and deletes", async () => {
  const made = await client.create(ConfigMap, configMap("crud", { a: "1" }));
  assert.equal(made.kind, "ConfigMap");
  assert.notEqual(made.metadata.uid, undefined);
  const key = toKey("default", "crud");
  assert.deepEqual((await client.get(ConfigMap, key)).data, { a: "1" });
  const updated = await client.update(ConfigMap, { ...made, data: { a: "2" } });
  assert.deepEqual(updated.data, { a: "2" });
  await client.delete(ConfigMap, key);
  await assert.rejects(client.get(ConfigMap, key), isNotFound);
});

test("Client decodes refusals with their details", async () => {
  await client.create(ConfigMap, configMap("twice"));
  await assert.rejects(client.create(ConfigMap, configMap("twice")), (error: unknown) => {
    assert.ok(isAlreadyExists(error));
    assert.equal(error.details?.name, "twice");
    assert.equal(error.code, 409);
    return true;
  });
  await assert.rejects(client.create(ConfigMap, configMap("Not A Name")), (error: unknown) => {
    assert.ok(isRefusal(error, "Invalid"));
    assert.equal(error.details?.causes?.[0]?.field, "metadata.name");
    return true;
  });
});

test("Client's stale update and failed preconditions are conflicts", async () => {
  const made = await client.create(ConfigMap, configMap("stale"));
  await client.update(ConfigMap, { ...made, data: { a: "1" } });
  await assert.rejects(client.update(ConfigMap, { ...made, data: { a: "2" } }), isConflict);
  await assert.rejects(client.delete(ConfigMap, keyOf(made), { uid: "another" }), isConflict);
});

test("Client patches in each form, and applies", async () => {
  const made = await client.create(ConfigMap, configMap("patched", { a: "1", b: "1" }));
  const key = keyOf(made);
  const json = { type: "json", body: [{ op: "replace", path: "/data/a", value: "2" }] } as const;
  assert.deepEqual((await client.patch(ConfigMap, { key, patch: json })).data, { a: "2", b: "1" });
  const merge = { type: "merge", body: { data: { b: null } } } as const;
  assert.deepEqual((await client.patch(ConfigMap, { key, patch: merge })).data, { a: "2" });
  const strategic = { type: "strategic", body: { data: { c: "3" } } } as const;
  assert.deepEqual((await client.patch(ConfigMap, { key, patch: strategic })).data, { a: "2", c: "3" });
  const object = configMap("patched", { d: "4" });
  const applied = await client.apply(ConfigMap, { object }, { fieldManager: "test" });
  assert.deepEqual(applied.data, { a: "2", c: "3", d: "4" });
});

test("Client lists by selector and page by page", async () => {
  const labels = { page: "yes" };
  for (let i = 0; i < 5; i++) {
    await client.create(ConfigMap, { metadata: { name: `page-${i}`, namespace: "default", labels } });
  }
  const whole = await client.list(ConfigMap, { namespace: "default", labelSelector: "page=yes" });
  assert.equal(whole.items.length, 5);
  assert.equal(whole.items[0]?.kind, "ConfigMap");
  const sizes: number[] = [];
  for await (const page of client.pages(ConfigMap, { namespace: "default", labelSelector: "page=yes", limit: 2 })) {
    sizes.push(page.items.length);
  }
  assert.deepEqual(sizes, [2, 2, 1]);
});

test("Client asks for metadata alone and names the objects by their own kind", async () => {
  const made = await client.create(ConfigMap, configMap("meta", { a: "1" }));
  const metadata = metadataOf(ConfigMap);
  const got = await client.get(metadata, keyOf(made));
  assert.equal(got.kind, "ConfigMap");
  assert.equal("data" in got, false);
  const listed = (await client.list(metadata, { namespace: "default", fieldSelector: "metadata.name=meta" })).items;
  assert.deepEqual(
    listed.map(({ kind, apiVersion }) => [kind, apiVersion]),
    [["ConfigMap", "v1"]],
  );
});

test("Client.setStatus() writes nothing when the status is that already", async () => {
  const namespace = await client.get(Namespace, toKey(undefined, "default"));
  const same = await client.setStatus(Namespace, { object: namespace, status: { ...namespace.status } });
  assert.equal(same, namespace);
  const conditions = [{ type: "Test", status: "True", lastTransitionTime: null }];
  const changed = await client.setStatus(Namespace, { object: namespace, status: { ...namespace.status, conditions } });
  assert.equal(changed.status.conditions?.[0]?.type, "Test");
});

test("Client.deleteCollection() deletes what is selected and nothing else", async () => {
  await client.create(ConfigMap, { metadata: { name: "goes", namespace: "default", labels: { go: "yes" } } });
  await client.create(ConfigMap, { metadata: { name: "stays", namespace: "default" } });
  await client.deleteCollection(ConfigMap, { namespace: "default", labelSelector: "go=yes" });
  await assert.rejects(client.get(ConfigMap, toKey("default", "goes")), isNotFound);
  assert.equal((await client.get(ConfigMap, toKey("default", "stays"))).metadata.name, "stays");
});

test("Client.watch() streams the list, says that it is whole, and goes on with changes", async () => {
  await client.create(ConfigMap, { metadata: { name: "w1", namespace: "default", labels: { w: "yes" } } });
  const events: WatchEvent<ConfigMap>[] = [];
  const end = new AbortController();
  const selection = { namespace: "default", labelSelector: "w=yes", initialEvents: true, signal: end.signal };
  for await (const batch of client.watch(ConfigMap, selection)) {
    events.push(...batch);
    const last = events.at(-1);
    if (last?.type === "BOOKMARK" && last.listed) {
      await client.create(ConfigMap, { metadata: { name: "w2", namespace: "default", labels: { w: "yes" } } });
    }
    if (last?.type === "ADDED" && last.object.metadata.name === "w2") break;
  }
  end.abort();
  assert.deepEqual(
    events.map((event) => (event.type === "BOOKMARK" ? "bookmark" : event.object.metadata.name)),
    ["w1", "bookmark", "w2"],
  );
});

test("Client.watch() from a revision gives what came after it", async () => {
  const { resourceVersion } = await client.list(ConfigMap, { namespace: "default" });
  await client.create(ConfigMap, configMap("later"));
  const end = new AbortController();
  for await (const [event] of client.watch(ConfigMap, { namespace: "default", resourceVersion, signal: end.signal })) {
    assert.ok(event?.type === "ADDED");
    assert.equal(event.object.metadata.name, "later");
    break;
  }
});

test("Client.watch() from what is no revision is refused", async () => {
  const read = async () => {
    for await (const _ of client.watch(Pod, { resourceVersion: "abc", timeoutSeconds: 1 }));
  };
  await assert.rejects(read(), (error: unknown) => isRefusal(error, "BadRequest", "Invalid"));
});

test("Client gives up when its signal aborts", async () => {
  const end = new AbortController();
  const watching = (async () => {
    for await (const _ of client.watch(Pod, { signal: end.signal }));
  })();
  setImmediate(() => end.abort(new Error("enough")));
  await assert.rejects(watching, /enough/);
});

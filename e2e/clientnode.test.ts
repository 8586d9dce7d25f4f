/** The JavaScript client as it comes, against the real server: list, watch, informer, each patch type, apply. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  CoreV1Api,
  KubeConfig,
  KubernetesObjectApi,
  makeInformer,
  PatchStrategy,
  setHeaderOptions,
  Watch,
} from "@kubernetes/client-node";
import { type Harness, startHarness } from "@atoll/harness/server";
import { formatKubeconfig } from "@atoll/processes/kubeconfig";

let harness: Harness;
const config = new KubeConfig();
const namespace = "default";

before(async () => {
  harness = await startHarness();
  const identity = { cert: harness.tls.cert, key: harness.tls.key };
  config.loadFromString(formatKubeconfig({ server: harness.url, ca: harness.tls.ca, user: "admin", identity }));
});

after(() => harness.close());

const core = () => config.makeApiClient(CoreV1Api);
const create = (name: string, data: Record<string, string>) =>
  core().createNamespacedConfigMap({ namespace, body: { metadata: { name, labels: { app: "client" } }, data } });

test("client-node creates, lists and reads", async () => {
  await create("listed", { k: "v" });
  const { items } = await core().listNamespacedConfigMap({ namespace, labelSelector: "app=client" });
  assert.deepEqual(
    items.map(({ metadata }) => metadata?.name),
    ["listed"],
  );
  assert.equal((await core().readNamespacedConfigMap({ namespace, name: "listed" })).data?.["k"], "v");
});

test("client-node patches in every type", async () => {
  await create("patched", { k: "v" });
  const patch = (strategy: (typeof PatchStrategy)[keyof typeof PatchStrategy], body: unknown) =>
    core().patchNamespacedConfigMap({ namespace, name: "patched", body }, setHeaderOptions("Content-Type", strategy));
  await patch(PatchStrategy.JsonPatch, [{ op: "add", path: "/data/json", value: "1" }]);
  await patch(PatchStrategy.MergePatch, { data: { merge: "2" } });
  const { data } = await patch(PatchStrategy.StrategicMergePatch, { data: { strategic: "3" } });
  assert.deepEqual(data, { k: "v", json: "1", merge: "2", strategic: "3" });
});

test("client-node applies on the server's side", async () => {
  const objects = KubernetesObjectApi.makeApiClient(config);
  const spec = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "applied", namespace }, data: { a: "1" } };
  await objects.patch(spec, undefined, undefined, "one", true, PatchStrategy.ServerSideApply);
  await assert.rejects(
    objects.patch({ ...spec, data: { a: "2" } }, undefined, undefined, "two", false, PatchStrategy.ServerSideApply),
    /409|conflict/i,
  );
  const { metadata } = await core().readNamespacedConfigMap({ namespace, name: "applied" });
  assert.equal(metadata?.managedFields?.[0]?.manager, "one");
});

test("client-node watches", async () => {
  const seen: string[] = [];
  const { metadata } = await core().listNamespacedConfigMap({ namespace });
  const told = Promise.withResolvers<void>();
  const options = { resourceVersion: metadata?.resourceVersion ?? "", allowWatchBookmarks: true };
  const watching = await new Watch(config).watch(
    `/api/v1/namespaces/${namespace}/configmaps`,
    options,
    (phase: string, object: { metadata: { name: string } }) => {
      seen.push(`${phase} ${object.metadata.name}`);
      if (phase === "DELETED") told.resolve();
    },
    () => {},
  );
  await create("watched", { k: "v" });
  await core().deleteNamespacedConfigMap({ namespace, name: "watched" });
  await told.promise;
  watching.abort();
  assert.deepEqual(seen, ["ADDED watched", "DELETED watched"]);
});

test("client-node's informer follows", async () => {
  const informer = makeInformer(config, `/api/v1/namespaces/${namespace}/configmaps`, () =>
    core().listNamespacedConfigMap({ namespace }),
  );
  const added = Promise.withResolvers<void>();
  informer.on("add", ({ metadata }) => {
    if (metadata?.name === "informed") added.resolve();
  });
  await informer.start();
  await create("informed", { k: "v" });
  await added.promise;
  assert.equal(informer.get("informed", namespace)?.data?.["k"], "v");
  await informer.stop();
});

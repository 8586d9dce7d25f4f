import assert from "node:assert/strict";
import test, { after } from "node:test";
import { clientOf, eventually, transportTo } from "@atoll/harness/client";
import { Faults } from "@atoll/harness/faults";
import { startHarness } from "@atoll/harness/server";
import { systemClock } from "@atoll/machinery/clock";
import { ConfigMap } from "../builtin.ts";
import { toKey } from "../resource.ts";
import { hasReached } from "../revision.ts";
import { Cache } from "./cache.ts";

const harness = await startHarness();
after(() => harness.close());
const direct = clientOf(harness);

function fresh(selection: { labelSelector: string }) {
  const faults = new Faults(transportTo(harness));
  const errors: unknown[] = [];
  const client = clientOf(harness, faults);
  const cache = new Cache({ client, clock: systemClock, onError: (error) => errors.push(error) });
  const informer = cache.informer(ConfigMap, selection);
  const seen: string[] = [];
  informer.onChange((change) => {
    const name = (change.after ?? change.before)?.metadata.name;
    if (change.before === undefined) seen.push(`+${name}`);
    else seen.push(change.after === undefined ? `-${name}` : `~${name}`);
  });
  const close = async () => {
    await cache.stop();
    faults.close();
  };
  return { faults, cache, informer, seen, errors, close };
}

const make = (name: string, set: string) =>
  direct.create(ConfigMap, { metadata: { name, namespace: "default", labels: { set } }, data: { n: "0" } });
const change = (name: string, n: string) =>
  direct.patch(ConfigMap, { key: toKey("default", name), patch: { type: "merge", body: { data: { n } } } });
const remove = (name: string) => direct.delete(ConfigMap, toKey("default", name));

test("Informer holds what is there and follows what happens", async () => {
  await make("follow-1", "follow");
  const { informer, seen, close } = fresh({ labelSelector: "set=follow" });
  await informer.whenSynced();
  assert.deepEqual(seen, ["+follow-1"]);
  await make("follow-2", "follow");
  await change("follow-1", "1");
  await remove("follow-2");
  await eventually("the informer has seen the deletion", () => seen.length === 4);
  assert.deepEqual(seen, ["+follow-1", "+follow-2", "~follow-1", "-follow-2"]);
  assert.deepEqual(informer.get(toKey("default", "follow-1"))?.data, { n: "1" });
  assert.equal(informer.size, 1);
  await close();
});

test("Informer's objects are frozen and bear their kind, and no managed fields", async () => {
  await make("frozen", "frozen");
  const { informer, close } = fresh({ labelSelector: "set=frozen" });
  await informer.whenSynced();
  const object = informer.get(toKey("default", "frozen"));
  assert.ok(object);
  assert.equal(object.kind, "ConfigMap");
  assert.equal(object.metadata.managedFields, undefined);
  assert.throws(() => Object.assign(object.metadata, { name: "other" }), TypeError);
  await close();
});

test("Informer resumes after a cut where it was", async () => {
  await make("cut-1", "cut");
  const { informer, faults, seen, errors, close } = fresh({ labelSelector: "set=cut" });
  await informer.whenSynced();
  faults.cutWatches();
  await make("cut-2", "cut");
  await eventually("the new object is seen", () => seen.includes("+cut-2"));
  assert.deepEqual(seen, ["+cut-1", "+cut-2"]);
  assert.equal(errors.length, 1);
  await close();
});

test("Informer that cannot resume lists anew, and finds what changed, came and went meanwhile", async () => {
  for (const name of ["gap-1", "gap-2", "gap-3", "gap-5"]) await make(name, "gap");
  const { informer, faults, seen, close } = fresh({ labelSelector: "set=gap" });
  await informer.whenSynced();
  seen.length = 0;
  faults.stallWatches();
  await remove("gap-1");
  await change("gap-2", "1");
  await make("gap-4", "gap");
  await remove("gap-5");
  await make("gap-5", "gap");
  faults.skipStalled();
  await eventually("all changes are seen", () => seen.length === 5);
  assert.deepEqual([...seen].sort(), ["+gap-4", "+gap-5", "-gap-1", "-gap-5", "~gap-2"].sort());
  await close();
});

test("Cache shares one informer among all that ask for the same", async () => {
  const { cache, informer, close } = fresh({ labelSelector: "set=shared" });
  assert.equal(cache.informer(ConfigMap, { labelSelector: "set=shared" }), informer);
  assert.notEqual(cache.informer(ConfigMap, { labelSelector: "set=other" }), informer);
  await close();
});

test("Informer's revision reaches that of every write", async () => {
  const { informer, close } = fresh({ labelSelector: "set=revision" });
  await informer.whenSynced();
  const { metadata } = await make("revision", "revision");
  await eventually("the revision is reached", () => hasReached(informer.revision, metadata.resourceVersion ?? ""));
  assert.ok(informer.get(toKey("default", "revision")));
  await close();
});

import assert from "node:assert/strict";
import test, { after } from "node:test";
import { ConfigMap, Event, Namespace } from "@atoll/client/builtin";
import { clientOf } from "@atoll/harness/client";
import { ManualClock } from "@atoll/harness/clock";
import { startHarness } from "@atoll/harness/server";
import type { Happening } from "./events.ts";
import { Events } from "./events.ts";
import { silent } from "./log.ts";

let count = 0;

const harness = await startHarness();
const client = clientOf(harness);
after(() => harness.close());

const failed: Happening = { type: "Warning", reason: "FailedCreate", action: "Create", note: "no luck" };

async function fresh() {
  const namespace = `events-${++count}`;
  await client.create(Namespace, { metadata: { name: namespace } });
  const object = await client.create(ConfigMap, { metadata: { name: "about", namespace } });
  const clock = new ManualClock();
  const events = new Events({ client, clock, log: silent, instance: "test-1" });
  const told = async () => {
    await events.flush();
    return (await client.list(Event, { namespace })).items;
  };
  return { object, clock, events, told };
}

test("Events are written about their object, by whom and when", async () => {
  const { object, events, told, clock } = await fresh();
  events.recorder("test-controller").record(object, failed);
  const [event] = await told();
  assert.ok(event);
  const { type, reason, action, note, reportingController, reportingInstance, regarding } = event;
  assert.deepEqual({ type, reason, action, note }, failed);
  assert.deepEqual([reportingController, reportingInstance], ["test-controller", "test-1"]);
  assert.equal(regarding?.uid, object.metadata.uid);
  assert.equal(Date.parse(event.eventTime ?? ""), clock.nowMs());
  await events.close();
});

test("Events that repeat become a series, whose count is told as it doubles and when it ends", async () => {
  const { object, events, told, clock } = await fresh();
  const recorder = events.recorder("test-controller");
  const counts: (number | undefined)[] = [];
  for (let i = 0; i < 6; i++) {
    recorder.record(object, failed);
    counts.push((await told())[0]?.series?.count);
  }
  assert.deepEqual(counts, [undefined, 2, 2, 4, 4, 4]);
  await clock.advance(500_000);
  assert.equal((await told())[0]?.series?.count, 6);
  recorder.record(object, failed);
  assert.equal((await told()).length, 2);
  await events.close();
});

test("Events about one object are cut off when there are too many, and come again with time", async () => {
  const { object, events, told, clock } = await fresh();
  const recorder = events.recorder("test-controller");
  for (let i = 0; i < 40; i++) recorder.record(object, { ...failed, note: `number ${i}` });
  assert.equal((await told()).length, 25);
  assert.equal(events.dropped, 15);
  await clock.advance(300_000);
  recorder.record(object, { ...failed, note: "later" });
  assert.equal((await told()).length, 26);
  await events.close();
});

test("Events with notes too long are cut at a character", async () => {
  const { object, events, told } = await fresh();
  events.recorder("test-controller").record(object, { ...failed, note: "ä".repeat(1000) });
  const [event] = await told();
  assert.ok(Buffer.byteLength(event?.note ?? "") <= 1024);
  assert.match(event?.note ?? "", /^ä+…$/);
  await events.close();
});

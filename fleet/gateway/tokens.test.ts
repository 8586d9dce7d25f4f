/** Join tokens against a real server. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Namespace } from "@atoll/client/builtin";
import type { Client } from "@atoll/client/client";
import { clientOf, transportTo } from "@atoll/harness/client";
import { ManualClock } from "@atoll/harness/clock";
import { startHarness } from "@atoll/harness/server";
import { systemClock as clock } from "@atoll/machinery/clock";
import { makeToken } from "./offer.ts";
import { takeToken } from "./tokens.ts";

let hub: Client;
const closers: (() => unknown)[] = [];

before(async () => {
  const harness = await startHarness();
  const transport = transportTo(harness);
  closers.push(
    () => transport.close(),
    () => harness.close(),
  );
  hub = clientOf(harness, transport);
  await hub.create(Namespace, { metadata: { name: "fleet-c1" } });
});
after(async () => {
  for (const close of closers) await close();
});

test("takeToken() lets one of those in who present a token at the same moment", async () => {
  const token = await makeToken(hub, "fleet-c1", clock);
  const taken = await Promise.all(Array.from({ length: 5 }, () => takeToken(hub, token, clock)));
  assert.deepEqual(
    taken.flatMap((one) => one?.namespace ?? []),
    ["fleet-c1"],
  );
  assert.equal(await takeToken(hub, token, clock), undefined);
});

test("a token given back is good once more", async () => {
  const token = await makeToken(hub, "fleet-c1", clock);
  const first = await takeToken(hub, token, clock);
  await first?.giveBack();
  assert.equal((await takeToken(hub, token, clock))?.namespace, "fleet-c1");
  assert.equal(await takeToken(hub, token, clock), undefined);
});

test("a token given back does not come before one that was made meanwhile", async () => {
  const old = await takeToken(hub, await makeToken(hub, "fleet-c1", clock), clock);
  const token = await makeToken(hub, "fleet-c1", clock);
  await assert.rejects(async () => await old?.giveBack());
  assert.equal((await takeToken(hub, token, clock))?.namespace, "fleet-c1");
});

test("a token is good for ten minutes", async () => {
  const made = new ManualClock();
  const after = (ms: number) => new ManualClock(made.nowMs() + ms);
  const early = await makeToken(hub, "fleet-c1", made);
  assert.equal((await takeToken(hub, early, after(599_000)))?.namespace, "fleet-c1");
  const late = await makeToken(hub, "fleet-c1", made);
  assert.equal(await takeToken(hub, late, after(601_000)), undefined);
});

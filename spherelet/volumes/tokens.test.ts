import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pod } from "@atoll/client/builtin";
import type { Client } from "@atoll/client/client";
import { ManualClock } from "@atoll/harness/clock";
import { formatTime } from "@atoll/machinery/clock";
import { Tokens } from "./tokens.ts";

const hourS = 3600;
const projection = { path: "token", expirationSeconds: hourS };

const pod = {
  metadata: { name: "p", namespace: "n", uid: "u" },
  spec: { containers: [], volumes: [{ name: "v", projected: { sources: [{ serviceAccountToken: projection }] } }] },
} as unknown as Pod;

/** A server that gives out numbered tokens, or fails. */
function issuer(clock: ManualClock) {
  const state = { given: 0, isDown: false };
  const client = {
    createSubresource: async () => {
      if (state.isDown) throw new Error("down");
      state.given += 1;
      const expirationTimestamp = formatTime(clock.nowMs() + hourS * 1000);
      return await Promise.resolve({ status: { token: `t${state.given}`, expirationTimestamp } });
    },
  } as unknown as Client;
  return { state, client };
}

test("a token is renewed at four fifths of its life, and what it is for is told", async () => {
  const clock = new ManualClock(1_700_000_000_000);
  const { client } = issuer(clock);
  let changes = 0;
  const tokens = new Tokens({ client, clock, random: () => 0 }, pod, () => (changes += 1));
  await tokens.asked();
  assert.equal(tokens.get(projection), "t1");
  await clock.advance(hourS * 800 - 1);
  assert.equal(tokens.get(projection), "t1");
  await clock.advance(1);
  assert.deepEqual([tokens.get(projection), changes], ["t2", 2]);
  tokens.release();
  await clock.advance(hourS * 1000);
  assert.equal(changes, 2);
});

test("while the server gives none the old token serves to its end and no longer, and is asked for again and again", async () => {
  const clock = new ManualClock(1_700_000_000_000);
  const { client, state } = issuer(clock);
  const tokens = new Tokens({ client, clock, random: () => 0 }, pod, () => undefined);
  await tokens.asked();
  state.isDown = true;
  await clock.advance(hourS * 900);
  assert.equal(tokens.get(projection), "t1");
  await clock.advance(hourS * 100);
  assert.equal(tokens.get(projection), undefined);
  state.isDown = false;
  await clock.advance(5_000);
  assert.equal(tokens.get(projection), "t2");
  tokens.release();
});

import assert from "node:assert/strict";
import type { IncomingMessage, ServerResponse } from "node:http";
import test from "node:test";
import { StatusError } from "@atoll/machinery/status";
import { Exchange } from "../exchange.ts";
import { Outlet } from "../http/outlet.ts";
import { pipeline } from "../pipeline.ts";
import { textReply } from "../reply.ts";
import { systemClock } from "@atoll/machinery/clock";
import { allowed, type Authorizer, authorize, decide, noOpinion, type Verdict } from "./stage.ts";

const alice = { name: "alice", uid: "", groups: ["system:authenticated"], extra: {} };

function exchangeOf(url: string): Exchange {
  const exchange = new Exchange({ method: "GET", url, headers: {} } as IncomingMessage, {} as ServerResponse, 0);
  exchange.user = alice;
  return exchange;
}

const says = (verdict: Verdict): Authorizer => ({ authorize: () => verdict });
const no = (reason: string): Verdict => ({ decision: "no opinion", reason });
const deny: Verdict = { decision: "deny", reason: "never" };

test("the first who has an opinion decides; the reasons of those who have none are told together", async () => {
  const { info } = exchangeOf("/metrics");
  assert.deepEqual(await decide([says(noOpinion), says(allowed), says(deny)], alice, info), allowed);
  assert.deepEqual(await decide([says(deny), says(allowed)], alice, info), deny);
  assert.deepEqual(await decide([says(no("a")), says(noOpinion), says(no("b"))], alice, info), no("a\nb"));
  assert.deepEqual(await decide([], alice, info), noOpinion);
});

test("the audit log is told of the decision and its reason", async () => {
  const good = exchangeOf("/metrics");
  await authorize([says({ decision: "allow", reason: "because" })])(good);
  assert.deepEqual([...good.annotations.values()], ["allow", "because"]);
  const bad = exchangeOf("/metrics");
  await assert.rejects(async () => await authorize([says(deny)])(bad), /cannot get path "\/metrics": never/);
  assert.deepEqual([...bad.annotations.values()], ["forbid", "never"]);
  assert.equal(bad.authorized, false);
});

test("an authorizer that fails allows nothing, whatever it says of the reason", async () => {
  const broken = says({ decision: "no opinion", reason: "", error: "secret address unreachable" });
  await assert.rejects(
    async () => await authorize([broken, says(noOpinion)])(exchangeOf("/metrics")),
    (error) => error instanceof StatusError && error.reason === "InternalError" && !error.message.includes("secret"),
  );
  const exchange = exchangeOf("/metrics");
  await authorize([broken, says(allowed)])(exchange);
  assert.equal(exchange.authorized, true);
});

test("an answer that nobody authorized does not leave the server", async () => {
  const failures: string[] = [];
  const told: { code?: number; body?: string } = {};
  const handle = pipeline({
    stages: [() => textReply(200, "the secret")],
    clock: systemClock,
    outlet: new Outlet(systemClock),
    onFailure: (error) => failures.push(String(error)),
  });
  const response = {
    setHeader: () => {},
    writeHead: (code: number) => (told.code = code),
    end: (body: Buffer) => (told.body = String(body)),
    once: () => {},
  };
  await handle({ method: "GET", url: "/x", headers: {} } as IncomingMessage, response as unknown as ServerResponse);
  assert.equal(told.code, 500);
  assert.doesNotMatch(told.body ?? "", /secret/);
  assert.match(failures.join(), /nobody authorized/);
});

import assert from "node:assert/strict";
import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { test } from "node:test";
import { Exchange } from "../exchange.ts";
import type { Catalogue } from "../registry/catalogue.ts";
import { Bodies } from "./bodies.ts";

const catalogue = { find: () => ({}) } as unknown as Catalogue;

function exchangeOf(length: string | undefined): Exchange {
  const request = new Readable({ read() {} });
  const headers = length === undefined ? { "transfer-encoding": "chunked" } : { "content-length": length };
  Object.assign(request, { method: "POST", url: "/api/v1/namespaces/a/pods", headers });
  return new Exchange(request as unknown as IncomingMessage, {} as ServerResponse, 0);
}

test("a user's bodies under way are bounded, and so are all users', but for small ones", () => {
  const bodies = new Bodies(catalogue, { perUser: 1_000_000, all: 1_500_000 });
  const first = exchangeOf("600000");
  assert.ok(bodies.comes(first, "mallory") instanceof Promise);
  assert.equal(bodies.comes(exchangeOf("600000"), "mallory"), false, "more than a user may have");
  assert.ok(bodies.comes(exchangeOf("600000"), "alice") instanceof Promise);
  assert.equal(bodies.comes(exchangeOf("600000"), "bob"), false, "more than all may have");
  assert.ok(bodies.comes(exchangeOf("60000"), "bob") instanceof Promise, "a small one");
  first.done(201);
  assert.ok(bodies.comes(exchangeOf("600000"), "mallory") instanceof Promise, "what was over makes room");
});

test("a body of unknown length counts as the longest there may be", () => {
  const bodies = new Bodies(catalogue, { perUser: 4_000_000, all: 100_000_000 });
  assert.ok(bodies.comes(exchangeOf(undefined), "mallory") instanceof Promise);
  assert.equal(bodies.comes(exchangeOf(undefined), "mallory"), false);
});

test("without a body there is nothing to wait for", () => {
  assert.equal(new Bodies(catalogue).comes(exchangeOf("0"), "alice"), undefined);
});

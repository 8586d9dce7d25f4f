import assert from "node:assert/strict";
import { test } from "node:test";
import type { ApiObject } from "@atoll/machinery/object";
import { decode } from "@atoll/machinery/schema/decode";
import { builtinSchema } from "../schemas.ts";
import { eventFromCore, eventToCore } from "./storage.ts";

const core = builtinSchema("v1", "Event");
const events = builtinSchema("events.k8s.io/v1", "Event");

const given = decode(events, {
  apiVersion: "events.k8s.io/v1",
  kind: "Event",
  metadata: { name: "e" },
  regarding: { kind: "Pod", name: "p" },
  reason: "Started",
  note: "n",
  eventTime: "2001-02-03T04:05:06.000007Z",
  reportingController: "example.com/c",
  deprecatedCount: 2,
}).value as ApiObject;

test("an event of events.k8s.io is stored as the core's, in the form the core's codec writes", () => {
  const stored = eventToCore(given);
  assert.deepEqual(decode(core, stored), { value: stored, unknown: [] });
  assert.equal(stored.apiVersion, "v1");
  assert.equal(stored["message"], "n");
  assert.equal(stored["reportingInstance"], "");
  assert.deepEqual(stored["involvedObject"], { kind: "Pod", name: "p" });
});

test("a stored event is shown in the form the codec of events.k8s.io writes", () => {
  assert.deepEqual(eventFromCore(eventToCore(given)), given);
  const bare = decode(core, { apiVersion: "v1", kind: "Event", metadata: {}, count: 1 }).value as ApiObject;
  const shown = eventFromCore(bare);
  assert.deepEqual(decode(events, shown), { value: shown, unknown: [] });
  assert.deepEqual(eventToCore(shown), bare);
});

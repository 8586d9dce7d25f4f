import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { parseSchedule, ScheduleInvalid } from "./schedule.ts";
import type { Zone } from "./zone.ts";
import { zoneOf } from "./zone.ts";

function zone(name: string): Zone {
  const found = zoneOf(name);
  assert.ok(found);
  return found;
}

/** The next times after a moment. */
function times(schedule: string, after: string, { count = 3, in: name = "UTC" } = {}): string[] {
  const parsed = parseSchedule(schedule);
  const found: string[] = [];
  let atMs: number | undefined = Date.parse(after);
  for (let i = 0; i < count; i++) {
    atMs = parsed.next(atMs ?? Number.NaN, zone(name));
    if (atMs === undefined) break;
    found.push(new Date(atMs).toISOString().slice(0, 16));
  }
  return found;
}

test("parseSchedule() reads ranges, steps, lists and names", () => {
  assert.deepEqual(times("*/15 * * * *", "2026-01-01T00:00:00Z"), [
    "2026-01-01T00:15",
    "2026-01-01T00:30",
    "2026-01-01T00:45",
  ]);
  assert.deepEqual(times("5 4 * * sun", "2026-01-01T00:00:00Z", { count: 2 }), [
    "2026-01-04T04:05",
    "2026-01-11T04:05",
  ]);
  assert.deepEqual(times("0 0 1 JAN,jul ?", "2026-01-01T00:00:00Z", { count: 2 }), [
    "2026-07-01T00:00",
    "2027-01-01T00:00",
  ]);
  assert.deepEqual(times("0 8-10/2 * * *", "2026-01-01T00:00:00Z", { count: 2 }), [
    "2026-01-01T08:00",
    "2026-01-01T10:00",
  ]);
  assert.deepEqual(times("0 22/1 * * *", "2026-01-01T00:00:00Z", { count: 2 }), [
    "2026-01-01T22:00",
    "2026-01-01T23:00",
  ]);
});

test("parseSchedule() knows the descriptors", () => {
  assert.deepEqual(times("@daily", "2026-01-01T00:00:00Z", { count: 1 }), ["2026-01-02T00:00"]);
  assert.deepEqual(times("@weekly", "2026-01-01T00:00:00Z", { count: 1 }), ["2026-01-04T00:00"]);
  assert.deepEqual(times("@every 1h30m", "2026-01-01T00:00:00Z", { count: 2 }), [
    "2026-01-01T01:30",
    "2026-01-01T03:00",
  ]);
});

test("parseSchedule() takes either day when both are given, and both when one is any", () => {
  assert.deepEqual(times("0 0 13 * 5", "2026-01-01T00:00:00Z"), [
    "2026-01-02T00:00",
    "2026-01-09T00:00",
    "2026-01-13T00:00",
  ]);
  assert.deepEqual(times("0 0 */1 * 5", "2026-01-01T00:00:00Z", { count: 2 }), [
    "2026-01-02T00:00",
    "2026-01-09T00:00",
  ]);
  assert.deepEqual(times("0 0 */2 * 5", "2026-01-01T00:00:00Z", { count: 2 }), [
    "2026-01-02T00:00",
    "2026-01-03T00:00",
  ]);
  assert.deepEqual(times("0 0 29 2 *", "2026-01-01T00:00:00Z", { count: 1 }), ["2028-02-29T00:00"]);
  assert.deepEqual(times("0 0 31 2 *", "2026-01-01T00:00:00Z"), []);
});

test("parseSchedule() leaves out what spring leaps over, and keeps what autumn repeats", () => {
  const berlin = { in: "Europe/Berlin" };
  assert.deepEqual(times("30 2 * * *", "2026-03-27T12:00:00Z", berlin), [
    "2026-03-28T01:30",
    "2026-03-30T00:30",
    "2026-03-31T00:30",
  ]);
  assert.deepEqual(times("30 2 * * *", "2026-10-24T12:00:00Z", berlin), [
    "2026-10-25T00:30",
    "2026-10-25T01:30",
    "2026-10-26T01:30",
  ]);
  assert.deepEqual(times("0 * * * *", "2026-10-24T23:30:00Z", berlin), [
    "2026-10-25T00:00",
    "2026-10-25T01:00",
    "2026-10-25T02:00",
  ]);
  assert.deepEqual(times("0 0 * * *", "2026-06-01T00:00:00Z", { count: 1, in: "Asia/Kolkata" }), ["2026-06-01T18:30"]);
});

test("parseSchedule() refuses what is no schedule", () => {
  for (const text of [
    "",
    "bad",
    "* * * *",
    "* * * * * *",
    "60 * * * *",
    "* 24 * * *",
    "* * 0 * *",
    "5-1 * * * *",
    "*/0 * * * *",
    "* * * * 7",
    "@every",
    "@sometimes",
    "1-2-3 * * * *",
  ]) {
    assert.throws(() => parseSchedule(text), ScheduleInvalid, text);
  }
});

test("zoneOf() knows zones by their names alone", () => {
  assert.notEqual(zoneOf("America/New_York"), undefined);
  for (const name of ["Mars/Base", "+02:00", "local", "Local", "", "../etc"])
    assert.equal(zoneOf(name), undefined, name);
});

const field = (last: number, first = 0) =>
  fc.oneof(fc.constant("*"), fc.integer({ min: first, max: last }).map(String), fc.constant("*/7"));
const schedules = fc
  .tuple(field(59), field(23), field(28, 1), field(12, 1), field(6))
  .map((fields) => fields.join(" "));
const zones = fc.constantFrom("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata");

test("the next time is the first minute that fits, as trying every minute would find it", () => {
  fc.assert(
    fc.property(schedules, zones, fc.integer({ min: 0, max: 3 * 366 * 1440 }), (text, name, minutes) => {
      const here = zone(name);
      const startMs = Date.UTC(2026, 0, 1) + minutes * 60_000;
      const schedule = parseSchedule(text);
      const next = schedule.next(startMs, here);
      for (let atMs = startMs + 60_000; atMs <= startMs + 3 * 86_400_000; atMs += 60_000) {
        const wall = new Date(atMs + here.offsetMs(atMs));
        if (!fits(text, wall)) continue;
        assert.equal(next, atMs);
        return;
      }
      assert.ok(next === undefined || next > startMs + 3 * 86_400_000);
    }),
    { numRuns: 40 },
  );
});

/** Whether a wall-clock time fits, written as plainly as can be. */
function fits(text: string, wall: Date): boolean {
  const [minute = "", hour = "", day = "", month = "", weekday = ""] = text.split(" ");
  const is = (spec: string, value: number, first: number) =>
    spec === "*" || (spec === "*/7" ? (value - first) % 7 === 0 : Number(spec) === value);
  const byMonth = is(day, wall.getUTCDate(), 1);
  const byWeek = is(weekday, wall.getUTCDay(), 0);
  const rightDay = day === "*" || weekday === "*" ? byMonth && byWeek : byMonth || byWeek;
  return (
    is(minute, wall.getUTCMinutes(), 0) &&
    is(hour, wall.getUTCHours(), 0) &&
    is(month, wall.getUTCMonth() + 1, 1) &&
    rightDay
  );
}

import assert from "node:assert/strict";
import { test } from "node:test";
import { isTimeZone, scheduleError } from "./schedule.ts";

const good = [
  "*/5 * * * *",
  "0 0 1 1 *",
  "0-59/2,5 1-3 ? JAN-mar mon",
  "@daily",
  "@every 1h30m",
  "TZ=Europe/Berlin 0 0 * * *",
];
const bad = [
  "",
  "* * * *",
  "* * * * * *",
  "60 * * * *",
  "* * * * 7",
  "5-1 * * * *",
  "*/0 * * * *",
  "@never",
  "@every x",
  "TZ=Nowhere/City 0 0 * * *",
  "1-2-3 * * * *",
  "* * 0 * *",
];

test("scheduleError() takes what cron's standard notation means", () => {
  for (const schedule of good) assert.equal(scheduleError(schedule), undefined, schedule);
});

test("scheduleError() says what is wrong with the rest", () => {
  for (const schedule of bad) assert.equal(typeof scheduleError(schedule), "string", schedule);
});

test("isTimeZone() knows zones by their exact names", () => {
  for (const name of ["UTC", "Etc/UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires"])
    assert.ok(isTimeZone(name), name);
  for (const name of ["europe/berlin", "Nowhere/City", "+01:00", "../etc/passwd"]) assert.ok(!isTimeZone(name), name);
});

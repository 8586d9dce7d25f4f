import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { mayFollow, outcomeOf, refusalOf, type MachineRequest, type MachineState } from "./policy.ts";

const phases: readonly MachineState["phase"][] = ["planned", "starting", "running", "stopping", "gone"];
const outcome = { how: "shutDown", detail: "", atMs: 0 } as const;

function stateIn(phase: MachineState["phase"]): MachineState {
  switch (phase) {
    case "planned":
      return { phase };
    case "starting":
    case "stopping":
      return { phase, sinceMs: 0 };
    case "running":
      return { phase, startedAs: "boot", startMs: 1, why: "" };
    case "gone":
      return { phase, outcome };
  }
}

test("a life never goes back, and always can end", () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...phases)), (wanted) => {
      let at = 0;
      for (const next of wanted) {
        const index = phases.indexOf(next);
        if (!mayFollow(phases[at] ?? "planned", next)) continue;
        assert.ok(index > at);
        at = index;
      }
      if (phases[at] !== "gone") assert.ok(mayFollow(phases[at] ?? "planned", "gone"));
    }),
  );
});

test("refusalOf() names why, in every phase", () => {
  const requests: readonly MachineRequest[] = ["attachDisk", "detachDisk", "shutDown", "kill", "remove"];
  const table = Object.fromEntries(
    requests.map((request) => [request, phases.map((phase) => refusalOf(stateIn(phase), request) ?? "")]),
  );
  assert.deepEqual(table, {
    attachDisk: ["notRunning", "notRunning", "", "alreadyStopping", "alreadyGone"],
    detachDisk: ["notRunning", "notRunning", "", "alreadyStopping", "alreadyGone"],
    shutDown: ["notRunning", "notRunning", "", "", "alreadyGone"],
    kill: ["", "", "", "", ""],
    remove: ["notGone", "notGone", "notGone", "notGone", ""],
  });
});

test("outcomeOf() lets the gravest sign decide", () => {
  const signs = { panicked: false, broke: undefined, hadStarted: true, startProblem: undefined, nowMs: 5 };
  const exit = { reason: "exited", code: 0, signal: 0, atMs: 7 };
  const how = (more: Partial<Parameters<typeof outcomeOf>[0]>) => outcomeOf({ ...signs, exit, ...more }).how;
  assert.equal(how({}), "shutDown");
  assert.equal(how({ exit: { ...exit, code: 1 } }), "crashed");
  assert.equal(how({ exit: { ...exit, code: 1 }, hadStarted: false }), "neverStarted");
  assert.equal(how({ exit: { ...exit, signal: 11 } }), "crashed");
  assert.equal(how({ exit: { ...exit, reason: "lease ran out", signal: 9 } }), "leaseLost");
  assert.equal(how({ exit: { ...exit, reason: "stopped", signal: 9 } }), "killed");
  assert.equal(how({ exit: { ...exit, reason: "tap0: No such device", code: 70 } }), "neverStarted");
  assert.equal(how({ exit: undefined }), "lost");
  assert.equal(how({ panicked: true, exit: { ...exit, code: 1 } }), "panicked");
  assert.equal(how({ broke: "frame of 4 GiB", panicked: true }), "untrusted");
  assert.equal(outcomeOf({ ...signs, exit }).atMs, 7);
});

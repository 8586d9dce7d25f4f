/**
 * The tests that hold controllers to their promise: whatever goes wrong between them and the API, what they make in the end
 * is right, with nothing made twice and nothing gone that should have stayed.
 */
import assert from "node:assert/strict";
import test from "node:test";
import { systemClock } from "@atoll/machinery/clock";
import type { Controller } from "@atoll/runtime/controller";
import { eventually } from "./client.ts";
import { startControllers } from "./controllers.ts";
import { checkSettled, type Story, troubleAtEachWrite } from "./crashes.ts";
import type { Harness } from "./server.ts";

/** What is told, and how. */
export interface Convergence {
  /** A DNS label of at most 30 characters, unique among the stories of one server. */
  readonly name: string;
  readonly story: Story;
  /** Writes that the story has at least, so that a story that is none is found out. */
  readonly least: number;
}

/** A story whose end is its check: it has ended when the check holds. */
export function storyOf(controllers: readonly Controller[], begin: Story["begin"], check: Story["check"]): Story {
  const holds = async (round: string) =>
    await check(round).then(
      () => true,
      () => false,
    );
  return {
    controllers,
    begin,
    check,
    ended: async (round) => await eventually("the end has come", async () => await holds(round)).catch(() => undefined),
  };
}

/** For how long the watches say nothing after a write. */
const blindMs = 120;
/** After how many writes events are dropped: who must list anew takes longer from time to time. */
const mostDrops = 3;

/**
 * Declares five tests of a story: with a crash, a lost answer and a lost request at its writes; with views that lag after
 * every write; and with views that lag after the first writes and then skip what happened.
 * @param what the objects that converge, for the names of the tests
 */
export function testConvergence(what: string, harness: Harness, { name, story, least }: Convergence): void {
  for (const trouble of ["crash", "lose answer", "lose request"] as const) {
    test(`${what} converge with "${trouble}" at each write`, async () => {
      const writes = await troubleAtEachWrite(harness, `${name}-${trouble.replace(" ", "-")}`, { story, trouble });
      assert.ok(writes >= 1, `${writes} writes`);
    });
  }
  for (const blindness of ["stale views", "dropped events"] as const) {
    test(`${what} converge with ${blindness} after each write`, async () => {
      const round = `${name}-${blindness.split(" ")[0]}`;
      const writes = await tellBlindly(harness, round, { story, skips: blindness === "dropped events" });
      assert.ok(writes >= least, `${writes} writes`);
    });
  }
}

/** @returns how many writes the story had */
async function tellBlindly(
  harness: Harness,
  round: string,
  { story, skips }: { story: Story; skips: boolean },
): Promise<number> {
  const workshop = startControllers(harness, story.controllers);
  const { faults } = workshop;
  let timer = systemClock.after(0, () => {});
  const see = () => (skips ? faults.skipStalled() : faults.resumeWatches());
  faults.fate = (_, n) => {
    if (skips && n > mostDrops) return "pass";
    faults.stallWatches();
    timer.cancel();
    timer = systemClock.after(blindMs, see);
    return "pass";
  };
  try {
    await story.begin(round);
    await story.ended(round);
    await workshop.quiet();
    await story.check(round);
  } finally {
    timer.cancel();
    faults.resumeWatches();
    await workshop.stop();
  }
  await checkSettled(harness, story, round);
  return faults.writes.length;
}

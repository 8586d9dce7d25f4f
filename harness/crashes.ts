/**
 * Stories told again and again, with something going wrong at another of the controllers' writes each time.
 */
import assert from "node:assert/strict";
import { systemClock } from "@atoll/machinery/clock";
import type { Controller } from "@atoll/runtime/controller";
import { startControllers, type Workshop } from "./controllers.ts";
import type { Fate } from "./faults.ts";
import type { Harness } from "./server.ts";

/** A story that controllers bring to an end. */
export interface Story {
  readonly controllers: readonly Controller[];
  /** Sets the scene, under names of its own, while the controllers run. `round` is a fresh DNS label. */
  begin(round: string): Promise<void>;
  /** Resolves when the end has come. */
  ended(round: string): Promise<void>;
  /** Checks that it is the right end: who is there, who is not. */
  check(round: string): Promise<void>;
}

/** What goes wrong. */
export type Trouble = Exclude<Fate, "pass">;

const mostWrites = 200;
/** Every write in the nightly tests, every third otherwise. */
const stride = process.env["ATOLL_NIGHTLY"] === "1" ? 1 : 3;

/**
 * Tells the story with `trouble` at the first write, then anew at the second, and so on until a story ends before it.
 * After a crash fresh controllers take over. In the end the right ones are there, and another run writes nothing.
 * @returns how many writes a story has, or with a stride at most that many
 */
export async function troubleAtEachWrite(
  harness: Harness,
  name: string,
  { story, trouble }: { story: Story; trouble: Trouble },
): Promise<number> {
  for (let n = 1; n <= mostWrites; n += stride) {
    const round = `${name}-${n}`;
    const struck = await tell(harness, { story, trouble, n, round });
    if (!struck) return n - 1;
  }
  throw new Error(`${name}: more than ${mostWrites} writes`);
}

interface Telling {
  readonly story: Story;
  readonly trouble: Trouble;
  readonly n: number;
  readonly round: string;
}

async function tell(harness: Harness, { story, trouble, n, round }: Telling): Promise<boolean> {
  let struck = false;
  const first = startControllers(harness, story.controllers);
  first.faults.fate = (_, i) => {
    if (i !== n || struck) return "pass";
    struck = true;
    return trouble;
  };
  const workshops = [first];
  try {
    await story.begin(round);
    if (trouble === "crash") await crashed(first, { story, round });
    if (first.faults.crashed) workshops.push(startControllers(harness, story.controllers));
    await story.ended(round);
    await workshops.at(-1)?.quiet();
    await story.check(round);
  } finally {
    for (const workshop of workshops) await workshop.stop();
  }
  await checkSettled(harness, story, round);
  return struck;
}

/** Resolves when the controllers have crashed, or the story has ended without. */
async function crashed({ faults }: Workshop, { story, round }: { story: Story; round: string }): Promise<void> {
  const state = { ended: false };
  story.ended(round).then(
    () => {
      state.ended = true;
    },
    () => undefined,
  );
  while (!faults.crashed && !state.ended) await systemClock.sleep(5);
}

/** Checks that controllers which come fresh to the end of a story find nothing to do. */
export async function checkSettled(harness: Harness, story: Story, round: string): Promise<void> {
  const again = startControllers(harness, story.controllers);
  await again.quiet();
  await again.stop();
  assert.deepEqual(again.faults.writes, [], `${round}: a second run writes nothing`);
  await story.check(round);
}

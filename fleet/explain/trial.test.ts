import assert from "node:assert/strict";
import { test } from "node:test";
import { type Answer, linesOf } from "./trial.ts";

const name = (letter: string) => `Pod shop/${letter.repeat(200)}`;
const answer = (at: number, newly: number, still = 0): Answer => ({
  cluster: `c${at}`,
  verdict: {
    tried: [
      { policy: "SecurityPolicy/p", newly, still, mended: 0, changed: 0, first: newly > 0 ? ["a", "b"].map(name) : [] },
    ],
    looked: 100,
    complete: true,
  },
  isShown: true,
  after: [],
});
const silent = (at: number): Answer => ({ ...answer(at, 0), verdict: "its agent is away, last seen 3 min ago" });

test("of many clusters the worst are told by name, all are counted, and API servers have room for it", () => {
  const answers = [
    ...Array.from({ length: 40 }, (_, at) => answer(at, at)),
    ...Array.from({ length: 20 }, (_, at) => silent(100 + at)),
  ];
  const lines = linesOf(answers);
  assert.ok(lines.join("").length < 4096);
  assert.deepEqual(
    lines.map((line) => line.replace(/a{200}/, "…")),
    [
      ...Array.from({ length: 8 }, (_, at) => {
        const count = 39 - at;
        return `cluster c${count}: ${count} objects newly break SecurityPolicy/p: Pod shop/…, ...`;
      }),
      "31 clusters more: 496 objects newly break policies, 0 would be changed",
      "nothing that exists breaks, or is changed by, SecurityPolicy/p on c0",
      ...Array.from({ length: 8 }, (_, at) => {
        return `cluster c${100 + at} does not tell what it has: its agent is away, last seen 3 min ago`;
      }),
      "nor do 12 clusters more: c108, c109, c110, c111, c112 and 7 more",
    ],
  );
});

test("a cluster that could not look at all it has is never told as one where nothing breaks a policy", () => {
  const { verdict, ...rest } = answer(1, 0);
  assert.ok(typeof verdict !== "string");
  assert.deepEqual(linesOf([{ ...rest, verdict: { ...verdict, complete: false } }, answer(2, 0, 1)]), [
    "cluster c1: nothing newly breaks SecurityPolicy/p (of the first 100 objects; there was no time for more)",
    "cluster c2: nothing newly breaks SecurityPolicy/p; 1 breaks it still",
  ]);
});

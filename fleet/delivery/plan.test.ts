import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Work } from "@atoll/api/fleet/v1alpha1/work";
import type { Wanted } from "../compile/compile.ts";
import { farewell, plan, type Step } from "./plan.ts";

const wanted = (name: string, bytes: number): Wanted =>
  ({
    source: `SecurityPolicy/${name}`,
    manifest: { apiVersion: "v1", kind: "ConfigMap", metadata: { name }, data: { text: "x".repeat(bytes) } },
  }) as unknown as Wanted;

/** What the hub has after the steps. */
function after(steps: readonly Step[], have: readonly Work[] = []): readonly Work[] {
  const works = new Map(have.map((work) => [work.metadata.name ?? "", work]));
  for (const step of steps) {
    if (step.do === "create") works.set(step.name, { metadata: { name: step.name }, spec: step.spec } as Work);
    else if (step.do === "update") works.set(step.work.metadata.name ?? "", { ...step.work, spec: step.spec });
    else works.delete(step.work.metadata.name ?? "");
  }
  return [...works.values()];
}
const sources = (works: readonly Work[]) => works.flatMap(({ spec }) => spec.objects.map(({ source }) => source));
const newest = (works: readonly Work[]) => Math.max(...works.map(({ spec }) => spec.order));

test("plan() splits what is large over several Works, loses nothing, and takes away those that are not needed any more", () => {
  const all = Array.from({ length: 20 }, (_, at) => wanted(`p${at}`, 200_000));
  const many = after(plan(all, []));
  assert.equal(many.length, 10);
  for (const work of many) assert.ok(JSON.stringify(work).length < 1_000_000);
  assert.deepEqual(
    sources(many),
    all.map(({ source }) => source),
  );
  const one = after(plan(all.slice(0, 1), many), many);
  assert.deepEqual(sources(one), ["SecurityPolicy/p0"]);
});

test("plan() has whatever is wanted before and after in some Work after each of its steps, and is done when they are", () => {
  const name = fc.constantFrom(..."abcdefgh");
  const size = fc.constantFrom(1_000, 100_000, 240_000, 400_000, 600_000);
  const organization = fc.uniqueArray(fc.tuple(name, size), { selector: ([each]) => each, maxLength: 8 });
  const history = fc.array(organization, { minLength: 2, maxLength: 6 });
  fc.assert(
    fc.property(history, (all) => {
      let have: readonly Work[] = [];
      let before = new Set<string>();
      for (const sizes of all) {
        const now = sizes.toSorted(([a], [b]) => a.localeCompare(b)).map(([each, bytes]) => wanted(each, bytes));
        const names = new Set(now.map(({ source }) => source));
        for (const step of plan(now, have)) {
          have = after([step], have);
          const there = new Set(sources(have));
          for (const each of before.intersection(names)) assert.ok(there.has(each), `${each} is nowhere for a moment`);
        }
        assert.deepEqual(sources(have).toSorted(), [...names].toSorted());
        assert.ok(have.length === 1 || have.every(({ spec }) => spec.objects.length > 0));
        for (const { spec } of have) assert.ok(spec.objects.length <= 1 || JSON.stringify(spec).length < 600_000);
        assert.deepEqual(plan(now, have), []);
        before = names;
      }
    }),
    { numRuns: 60 },
  );
});

test("plan() gives each change a higher order, and writes nothing where nothing changed", () => {
  const first = after(plan([wanted("a", 1)], []));
  assert.deepEqual(plan([wanted("a", 1)], first), []);
  const second = after(plan([wanted("b", 1)], first), first);
  assert.ok(newest(second) > newest(first));
});

test("plan() tells a cluster that is to have nothing so", () => {
  const works = after(plan([], []));
  assert.deepEqual(sources(works), []);
  assert.equal(works.length, 1);
});

test("farewell() says goodbye in each Work that stays, once, and takes away what is not kept", () => {
  const have = after(
    plan(
      Array.from({ length: 4 }, (_, at) => wanted(`p${at}`, 400_000)),
      [],
    ),
  );
  for (const leaving of ["Keep", "Remove"] as const) {
    const left = after(farewell(leaving, have), have);
    assert.ok(left.every(({ spec }) => spec.leaving === leaving));
    assert.equal(sources(left).length, leaving === "Keep" ? 4 : 0);
    assert.deepEqual(farewell(leaving, left), []);
  }
  assert.equal(after(farewell("Remove", [])).length, 1);
});

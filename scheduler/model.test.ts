/**
 * The filters against a model that is simple rather than quick: for each node it asks of each rule, by looking at every
 * Pod there is, whether the world with the Pod on that node would break it.
 */
import assert from "node:assert/strict";
import test from "node:test";
import type { Pod } from "@atoll/client/builtin";
import fc from "fast-check";
import { judge } from "./judge.ts";
import { preempt } from "./preemption.ts";
import { nodeOf, placesOf, podOf, worldOf } from "./testing.ts";

const zone = "topology.kubernetes.io/zone";
const host = "kubernetes.io/hostname";

interface Wish {
  readonly app: string;
  readonly milli: number;
  readonly priority: number;
  readonly near?: { readonly app: string; readonly key: string };
  readonly apart?: { readonly app: string; readonly key: string };
  readonly spread?: { readonly app: string; readonly key: string; readonly maxSkew: number };
  readonly tolerates: boolean;
}

interface Host {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly isTainted: boolean;
}

interface Placed extends Wish {
  readonly on: string;
}

const app = fc.constantFrom("a", "b");
const key = fc.constantFrom(zone, host);
const about = fc.record({ app, key });
const wish: fc.Arbitrary<Wish> = fc.record(
  {
    app,
    milli: fc.integer({ min: 0, max: 5 }).map((n) => n * 100),
    priority: fc.integer({ min: 0, max: 2 }),
    near: about,
    apart: about,
    spread: fc.record({ app, key, maxSkew: fc.integer({ min: 1, max: 2 }) }),
    tolerates: fc.boolean(),
  },
  { requiredKeys: ["app", "milli", "priority", "tolerates"] },
);
const hosts: fc.Arbitrary<readonly Host[]> = fc
  .array(fc.record({ zone: fc.option(fc.constantFrom("x", "y"), { nil: undefined }), isTainted: fc.boolean() }), {
    minLength: 1,
    maxLength: 4,
  })
  .map((given) =>
    given.map(({ zone: value, isTainted }, index) => {
      const name = `n${index}`;
      return { name, isTainted, labels: { [host]: name, ...(value === undefined ? {} : { [zone]: value }) } };
    }),
  );
const world = hosts.chain((nodes) =>
  fc.record({
    nodes: fc.constant(nodes),
    placed: fc.array(
      fc
        .record({ wish, on: fc.constantFrom(...nodes.map(({ name }) => name)) })
        .map(({ wish: one, on }): Placed => ({ ...one, on })),
      { maxLength: 6 },
    ),
    comes: wish,
  }),
);

function toPod(name: string, { app: label, milli, priority, near, apart, spread, tolerates }: Wish): Pod {
  const term = (given: { app: string; key: string }) => ({
    topologyKey: given.key,
    labelSelector: { matchLabels: { app: given.app } },
  });
  const required = (given: { app: string; key: string } | undefined) =>
    given === undefined ? undefined : { requiredDuringSchedulingIgnoredDuringExecution: [term(given)] };
  const affinity = {
    ...(near && { podAffinity: required(near) }),
    ...(apart && { podAntiAffinity: required(apart) }),
  };
  const constraints =
    spread === undefined ? [] : [{ ...term(spread), maxSkew: spread.maxSkew, whenUnsatisfiable: "DoNotSchedule" }];
  const containers = [{ name: "c", image: "i", resources: { requests: { cpu: `${milli}m` } } }];
  const tolerations = tolerates ? [{ operator: "Exists" }] : [];
  const spec = { affinity, topologySpreadConstraints: constraints, containers, tolerations, priority };
  return podOf(name, spec, { labels: { app: label } });
}

/** Whether the rules let a Pod onto a node. */
function mayGo(
  comes: Wish,
  node: Host,
  { nodes, placed }: { nodes: readonly Host[]; placed: readonly Placed[] },
): boolean {
  const labelOf = (name: string, label: string) => nodes.find((each) => each.name === name)?.labels[label];
  const isSamePlace = (label: string, other: Placed) =>
    node.labels[label] !== undefined && node.labels[label] === labelOf(other.on, label);
  const { near, apart, spread } = comes;
  const used = placed.filter(({ on }) => on === node.name).reduce((sum, { milli }) => sum + milli, 0);
  if (comes.milli > 0 && used + comes.milli > 1000) return false;
  if (node.isTainted && !comes.tolerates) return false;
  if (apart !== undefined && placed.some((other) => other.app === apart.app && isSamePlace(apart.key, other)))
    return false;
  if (placed.some((other) => other.apart?.app === comes.app && isSamePlace(other.apart.key, other))) return false;
  if (near !== undefined) {
    if (node.labels[near.key] === undefined) return false;
    const liked = placed.filter((other) => other.app === near.app && labelOf(other.on, near.key) !== undefined);
    const isFirst = liked.length === 0 && comes.app === near.app;
    if (!isFirst && !liked.some((other) => isSamePlace(near.key, other))) return false;
  }
  if (spread === undefined) return true;
  const domains = new Set(nodes.flatMap(({ labels }) => labels[spread.key] ?? []));
  const countOf = (domain: string | undefined) =>
    placed.filter((other) => other.app === spread.app && labelOf(other.on, spread.key) === domain).length;
  if (node.labels[spread.key] === undefined) return false;
  const fewest = Math.min(...[...domains].map(countOf));
  return countOf(node.labels[spread.key]) + Number(comes.app === spread.app) - fewest <= spread.maxSkew;
}

function real({ nodes, placed }: { nodes: readonly Host[]; placed: readonly Placed[] }) {
  const there: Record<string, Pod[]> = {};
  for (const [index, one] of placed.entries()) (there[one.on] ??= []).push(toPod(`p${index}`, one));
  const taints = [{ key: "k", effect: "NoSchedule" }];
  const made = nodes.map(({ name, labels, isTainted }) => {
    const node = nodeOf(name, labels, isTainted ? { taints } : {});
    return node;
  });
  return worldOf(placesOf(made, there));
}

test("judge() lets a Pod go exactly where a simple model lets it", () => {
  fc.assert(
    fc.property(world, ({ nodes, placed, comes }) => {
      const { fitting } = judge(toPod("comes", comes), real({ nodes, placed }));
      const expected = nodes.filter((node) => mayGo(comes, node, { nodes, placed }));
      assert.deepEqual(
        fitting.map(({ name }) => name),
        expected.map(({ name }) => name),
      );
    }),
    { numRuns: 2_000 },
  );
});

test("preempt() makes room where there was none, by less important Pods alone, none of whom could stay", () => {
  fc.assert(
    fc.property(world, ({ nodes, placed, comes }) => {
      const pod = toPod("comes", comes);
      const before = real({ nodes, placed });
      const judgement = judge(pod, before);
      if (judgement.fitting.length > 0) return;
      const room = preempt(pod, { world: before, judgement, budgets: [] });
      const without = (gone: ReadonlySet<string>) => ({
        nodes,
        placed: placed.filter((_, index) => !gone.has(`p${index}`)),
      });
      if (typeof room === "string") {
        // Where the model could still make room, a node must have been given up as one that no going helps.
        for (const node of nodes.filter(({ name }) => judgement.refused.get(name)?.every(({ isFinal }) => !isFinal))) {
          const lower = placed.flatMap((one, index) =>
            one.on === node.name && one.priority < comes.priority ? [`p${index}`] : [],
          );
          assert.ok(lower.length === 0 || !mayGo(comes, node, without(new Set(lower))));
        }
        return;
      }
      const node = nodes.find(({ name }) => name === room.place.name);
      assert.ok(node);
      const gone = new Set(room.victims.map(({ metadata }) => metadata.name ?? ""));
      assert.ok(room.victims.every(({ spec }) => (spec.priority ?? 0) < comes.priority));
      assert.ok(mayGo(comes, node, without(gone)));
      for (const one of gone)
        assert.ok(!mayGo(comes, node, without(new Set([...gone].filter((each) => each !== one)))), one);
    }),
    { numRuns: 1_000 },
  );
});

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { dealHand } from "./hand.ts";
import type { Level, Ticket } from "./level.ts";
import { Seats } from "./seats.ts";
import type { LevelLimits } from "./shares.ts";

function limits(name: string, other: Partial<LevelLimits> = {}): LevelLimits {
  const queuing = { queues: 64, handSize: 4, queueLengthLimit: 50 };
  return { name, uid: "", exempt: false, nominal: 4, lendable: 0, most: 4, queuing, ...other };
}

/** Seats in a world of its own time, in which a request lasts as long as the test says. */
class World {
  readonly seats = new Seats();
  /** Flows in the order in which they got seats. */
  readonly started: string[] = [];
  /** How long each of them lasts, ms. */
  readonly lasts: number[] = [];
  nowMs = 0;
  readonly #running: { readonly ticket: Ticket; readonly endMs: number }[] = [];

  constructor(...levels: readonly LevelLimits[]) {
    this.seats.configure(levels, 0);
  }

  level(name: string): Level {
    const level = this.seats.levels.get(name);
    assert.ok(level !== undefined);
    return level;
  }

  /** @returns how it fared on arrival */
  arrive(level: string, flow: string, { seats = 1, lastsMs = 10 } = {}): string {
    const run = () => {
      this.started.push(flow);
      this.lasts.push(lastsMs);
      this.#running.push({ ticket, endMs: this.nowMs + lastsMs });
    };
    const ticket: Ticket = this.level(level).ticket(flow, seats, { nowMs: this.nowMs, onStart: run });
    const outcome = this.seats.arrive(ticket, this.nowMs);
    if (outcome === "running") run();
    return outcome;
  }

  /** Until the next request ends. False: none runs. */
  step(): boolean {
    this.#running.sort((a, b) => a.endMs - b.endMs);
    const next = this.#running.shift();
    if (next === undefined) return false;
    this.nowMs = Math.max(this.nowMs, next.endMs);
    this.seats.leave(next.ticket, this.nowMs);
    return true;
  }
}

test("a hand holds different queues, the same for the same flow", () => {
  fc.assert(
    fc.property(fc.string(), fc.integer({ min: 1, max: 128 }), fc.integer({ min: 1, max: 8 }), (flow, queues, size) => {
      const hand = dealHand(flow, queues, size);
      assert.equal(hand.length, Math.min(size, queues));
      assert.equal(new Set(hand).size, hand.length);
      assert.ok(hand.every((queue) => queue >= 0 && queue < queues));
      assert.deepEqual(hand, dealHand(flow, queues, size));
    }),
  );
});

test("each hand comes up about equally often", () => {
  const seen = new Map<string, number>();
  for (let i = 0; i < 6_000; i++) {
    const hand = dealHand(`flow ${i}`, 4, 2).join();
    seen.set(hand, (seen.get(hand) ?? 0) + 1);
  }
  assert.equal(seen.size, 12);
  for (const count of seen.values()) assert.ok(count > 350 && count < 650, `${count} of 500`);
});

test("with one user flooding, another waits for a bounded part of the flood, whatever the lengths", () => {
  const scenario = fc.record({
    seats: fc.integer({ min: 1, max: 12 }),
    victim: fc.string({ minLength: 1 }),
    floodMs: fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 20, maxLength: 20 }),
    victimMs: fc.integer({ min: 1, max: 100 }),
  });
  fc.assert(
    fc.property(scenario, ({ seats, victim, floodMs, victimMs }) => {
      const flood = "flood";
      const shared = dealHand(flood, 64, 4).filter((queue) => dealHand(victim, 64, 4).includes(queue));
      fc.pre(victim !== flood && shared.length < 4);
      const world = new World(limits("l", { nominal: seats, most: seats }));
      let n = 0;
      const refill = () => {
        for (let i = 0; i < 50; i++) world.arrive("l", flood, { lastsMs: floodMs[n++ % 20] ?? 1 });
      };
      for (let i = 0; i < 5; i++) refill();
      for (let round = 0; round < 30; round++) {
        const before = world.started.length;
        assert.equal(world.arrive("l", victim, { lastsMs: victimMs }), "waiting");
        while (!world.started.slice(before).includes(victim)) {
          assert.ok(world.step());
          refill();
        }
        // Each of the flood's four queues may be behind by what the last request of the other took, and by what its
        // own last one took or was guessed to take. Nothing grows with the length of the flood.
        const ahead = world.started.slice(before).indexOf(victim);
        const service = world.lasts.slice(before, before + ahead).reduce((sum, ms) => sum + ms, 0);
        const longest = Math.max(20, ...floodMs, victimMs);
        assert.ok(service <= 4 * (victimMs + 2 * longest), `${service} ms of the flood went before`);
      }
    }),
    { numRuns: 60 },
  );
});

test("two users who both want all get about half each, in seats times time", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 20 }), (aMs, bMs) => {
      const world = new World(limits("l", { queuing: { queues: 64, handSize: 1, queueLengthLimit: 50 } }));
      fc.pre(dealHand("x", 64, 1)[0] !== dealHand("y", 64, 1)[0]);
      const service = { a: 0, b: 0 };
      for (let i = 0; i < 50; i++) {
        world.arrive("l", "x", { lastsMs: aMs });
        world.arrive("l", "y", { lastsMs: bMs });
      }
      let counted = 0;
      while (world.nowMs < 2_000) {
        world.step();
        for (const flow of world.started.slice(counted)) {
          if (flow === "x") service.a += aMs;
          else service.b += bMs;
          world.arrive("l", flow, { lastsMs: flow === "x" ? aMs : bMs });
          counted++;
        }
      }
      const share = service.a / (service.a + service.b);
      assert.ok(Math.abs(share - 0.5) < 0.06, `${share}`);
    }),
    { numRuns: 40 },
  );
});

interface Told {
  readonly level: number;
  readonly flow: number;
  readonly seats: number;
  readonly lastsMs: number;
  readonly steps: number;
}

test("no level exceeds what it may use, nobody is forgotten, and nothing is left in the books", () => {
  const requests = fc.array(
    fc.record<Told>({
      level: fc.integer({ min: 0, max: 2 }),
      flow: fc.integer({ min: 0, max: 5 }),
      seats: fc.integer({ min: 1, max: 4 }),
      lastsMs: fc.integer({ min: 1, max: 50 }),
      steps: fc.integer({ min: 0, max: 3 }),
    }),
    { maxLength: 300 },
  );
  const kinds = [
    limits("a", { nominal: 6, lendable: 3, most: 10 }),
    limits("b", { nominal: 4, lendable: 4, most: 12 }),
    limits("c", { nominal: 5, lendable: 0, most: 5, queuing: undefined }),
  ];
  fc.assert(
    fc.property(requests, (given) => {
      const world = new World(...kinds);
      let accepted = 0;
      for (const { level, flow, seats, lastsMs, steps } of given) {
        const { name = "" } = kinds[level] ?? {};
        const outcome = world.arrive(name, `${name}/${flow}`, { seats, lastsMs });
        if (outcome === "running" || outcome === "waiting") accepted++;
        const used = kinds.map((each) => world.level(each.name).used);
        for (const [i, each] of kinds.entries()) assert.ok((used[i] ?? 0) <= each.most, `${each.name}: ${used[i]}`);
        // What is borrowed is within what is lent, but for one wide request of a level that had none running.
        const borrowed = kinds.reduce(
          (sum, each, i) => sum + Math.max(0, (used[i] ?? 0) - each.nominal + each.lendable),
          0,
        );
        assert.ok(borrowed <= 7 + 4, `${borrowed} borrowed`);
        for (let i = 0; i < steps; i++) world.step();
      }
      while (world.step());
      assert.equal(world.started.length, accepted);
      for (const each of kinds) {
        assert.equal(world.level(each.name).used, 0);
        assert.equal(world.level(each.name).waiting, 0);
      }
    }),
    { numRuns: 200 },
  );
});

test("idle seats are lent, and come back to their level before borrowers get more", () => {
  const world = new World(limits("low", { nominal: 2, most: 8 }), limits("high", { nominal: 6, lendable: 6, most: 8 }));
  for (let i = 0; i < 12; i++) world.arrive("low", "l", { lastsMs: 10 + i });
  assert.equal(world.level("low").used, 8, "its own two, and six lent");
  for (let i = 0; i < 6; i++)
    assert.equal(world.arrive("high", "h", { lastsMs: 1_000 }), i === 0 ? "running" : "waiting");
  for (let i = 0; i < 6; i++) world.step();
  assert.equal(world.level("high").used, 6, "each seat that came free went to its owner");
});

test("wide requests leave seats to narrow ones, which pass those that wait for room", () => {
  const world = new World(limits("a", { nominal: 20, most: 20 }));
  for (let i = 0; i < 5; i++) world.arrive("a", "flood", { seats: 3, lastsMs: 100 });
  assert.equal(world.level("a").used, 6, "three tenths of 20 seats");
  assert.equal(world.arrive("a", "calm", { lastsMs: 1 }), "running");
  for (let i = 0; i < 20; i++) world.arrive("a", "small", { lastsMs: 1_000 });
  assert.equal(world.level("a").used, 20);
  while (world.step());
  assert.equal(world.started.length, 26);
});

test("narrow requests do not keep a wide one waiting that there is room for", () => {
  const world = new World(limits("a", { nominal: 10, most: 10 }));
  for (let i = 0; i < 9; i++) world.arrive("a", "flood", { lastsMs: 10 + i });
  assert.equal(world.arrive("a", "calm", { seats: 3, lastsMs: 1 }), "waiting");
  for (let i = 0; i < 30; i++)
    assert.equal(world.arrive("a", "flood", { lastsMs: 10 }), "waiting", "though one seat is free");
  while (world.step());
  const place = world.started.indexOf("calm");
  assert.ok(place < 9 + 4 + 1, `${place}`);
});

test("a full queue and a level without queues refuse", () => {
  const world = new World(
    limits("q", { nominal: 1, most: 1, queuing: { queues: 1, handSize: 1, queueLengthLimit: 2 } }),
    limits("r", { nominal: 1, most: 1, queuing: undefined }),
  );
  const outcomes = Array.from({ length: 4 }, () => world.arrive("q", "f"));
  assert.deepEqual(outcomes, ["running", "waiting", "waiting", "queue-full"]);
  assert.deepEqual([world.arrive("r", "f"), world.arrive("r", "f")], ["running", "concurrency-limit"]);
});

test("new limits serve who waits, and a level that goes finishes what it has", () => {
  const world = new World(limits("a", { nominal: 1, most: 1 }), limits("b", { nominal: 1, most: 1 }));
  for (let i = 0; i < 5; i++) world.arrive("a", "x");
  for (let i = 0; i < 3; i++) world.arrive("b", "y");
  world.seats.configure([limits("a", { nominal: 3, most: 3 })], world.nowMs);
  assert.equal(world.level("a").used, 3);
  while (world.step());
  assert.deepEqual(world.started.toSorted(), ["x", "x", "x", "x", "x", "y", "y", "y"]);
});

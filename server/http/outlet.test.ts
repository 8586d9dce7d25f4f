import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import type { ServerResponse } from "node:http";
import { test } from "node:test";
import { ManualClock, turn } from "@atoll/harness/clock";
import { Outlet, piecesOf } from "./outlet.ts";

/** A connection that takes `room` bytes before it asks for patience. */
class Taker extends EventEmitter {
  taken = 0;
  ended = false;
  destroyed = false;
  room: number;

  constructor(room = Number.POSITIVE_INFINITY) {
    super();
    this.room = room;
  }

  write(piece: Uint8Array): boolean {
    this.taken += piece.length;
    return this.taken < this.room;
  }

  end(done: () => void): void {
    this.ended = true;
    done();
  }

  destroy(): void {
    this.destroyed = true;
    this.emit("close");
  }

  /** Takes more. */
  drain(room: number): void {
    this.room = this.taken + room;
    this.emit("drain");
  }
}

const times = { turnMs: 3, slowMs: 50, patienceMs: 1_000 };
const answerTo = (taker: Taker) => taker as unknown as ServerResponse;
const body = (pieces: number) => piecesOf(new Uint8Array(pieces * 64 * 1024));

test("answers are written one after another, and everything else has its turn between their pieces", async () => {
  const clock = new ManualClock();
  const outlet = new Outlet(clock, times);
  const order: string[] = [];
  // Each piece takes two milliseconds.
  function* slowly(name: string): Generator<Uint8Array> {
    for (let i = 0; i < 4; i++) {
      clock.advanceNow(2);
      order.push(name);
      yield new Uint8Array(1);
    }
  }
  outlet.send(answerTo(new Taker()), slowly("a"), () => order.push("a is done"));
  outlet.send(answerTo(new Taker()), slowly("b"), () => order.push("b is done"));
  for (let i = 0; i < 6; i++) {
    await turn(1);
    order.push("else");
  }
  await turn();
  assert.deepEqual(
    order.filter((each) => each !== "else"),
    ["a", "a", "a", "a", "a is done", "b", "b", "b", "b", "b is done"],
  );
  assert.ok(order.indexOf("else") <= 2, order.join(" "));
});

test("a slow client's answer waits for it, but is no longer counted as work", async () => {
  const clock = new ManualClock();
  const outlet = new Outlet(clock, times);
  const taker = new Taker(1);
  let idle = 0;
  outlet.send(answerTo(taker), body(3), () => idle++);
  await turn();
  assert.deepEqual([taker.taken, idle], [64 * 1024, 0]);
  await clock.advance(49);
  assert.equal(idle, 0);
  await clock.advance(2);
  assert.equal(idle, 1);
  taker.drain(Number.POSITIVE_INFINITY);
  await turn();
  assert.ok(taker.ended);
  assert.deepEqual([taker.taken, idle], [3 * 64 * 1024, 1]);
  assert.equal(clock.pending, 0);
});

test("a client that takes nothing is cut off", async () => {
  const clock = new ManualClock();
  const outlet = new Outlet(clock, times);
  const taker = new Taker(1);
  let idle = 0;
  outlet.send(answerTo(taker), body(3), () => idle++);
  await clock.advance(1_100);
  assert.deepEqual([taker.destroyed, idle, taker.taken], [true, 1, 64 * 1024]);
  assert.deepEqual([clock.pending, taker.listenerCount("drain")], [0, 0]);
});

test("a client that goes ends the work for it", async () => {
  const clock = new ManualClock();
  const outlet = new Outlet(clock, times);
  const taker = new Taker(1);
  let idle = 0;
  outlet.send(answerTo(taker), body(3), () => idle++);
  await turn();
  taker.destroy();
  await clock.advance(2_000);
  assert.deepEqual([idle, taker.taken, clock.pending], [1, 64 * 1024, 0]);
});

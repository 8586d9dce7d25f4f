/**
 * The seats of all levels. Each level has a part that is its own whatever happens; the parts that levels lend are one
 * pool, from which whoever needs more takes while others do not. Nobody who runs is stopped; when a seat comes free,
 * levels below their nominal part come first, so what was lent returns as fast as requests end. Upstream moves limits
 * every ten seconds by what was wanted; here they move with each request.
 * Source: KEP-1040; k8s.io/apiserver/pkg/util/flowcontrol
 */
import { Level, type Ticket } from "./level.ts";
import type { LevelLimits } from "./shares.ts";

/** How a request fared on arrival. */
export type Admission = "running" | "waiting" | "concurrency-limit" | "queue-full";

/**
 * Of all seats, the part that requests of more than one seat may have together. They are lists, which one thread makes
 * and encrypts one after another: more of them at once would only be late together, and keep seats from who asks for little.
 */
const wideShare = 0.3;

/** Divides seats among requests. Pure: time is told, and nothing waits in it. */
export class Seats {
  #levels = new Map<string, Level>();
  /** No longer configured, but not empty. */
  #leaving: Level[] = [];
  #pool = 0;
  #borrowed = 0;
  #waiting = 0;
  #wideUsed = 0;
  #wideMost = 0;

  /** Those that are configured. */
  get levels(): ReadonlyMap<string, Level> {
    return this.#levels;
  }

  /** Takes over limits; who runs or waits goes on. */
  configure(limits: readonly LevelLimits[], nowMs: number): void {
    const before = this.#levels;
    this.#levels = new Map(
      limits.map((each) => {
        const level = before.get(each.name) ?? new Level(each);
        level.configure(each);
        return [each.name, level];
      }),
    );
    const gone = [...before.values()].filter((level) => this.#levels.get(level.limits.name) !== level);
    this.#leaving = [...this.#leaving, ...gone].filter(({ used, waiting }) => used + waiting > 0);
    this.#wideMost = Math.ceil(wideShare * limits.reduce((sum, { nominal }) => sum + nominal, 0));
    this.#pool = limits.reduce((sum, { lendable }) => sum + lendable, 0);
    this.#borrowed = this.#all().reduce((sum, level) => sum + overOwn(level, level.used), 0);
    this.#serve(nowMs);
  }

  /** A request comes. A refused one needs nothing more. */
  arrive(ticket: Ticket, nowMs: number): Admission {
    const { level } = ticket;
    if (level.limits.exempt || (this.#isFirst(level) && this.#fits(ticket))) {
      this.#start(ticket, nowMs);
      return "running";
    }
    if (level.limits.queuing === undefined) return "concurrency-limit";
    if (!level.wait(ticket)) return "queue-full";
    this.#waiting++;
    return "waiting";
  }

  /** A request is over, or no longer waits. More than once does no harm. */
  leave(ticket: Ticket, nowMs: number): void {
    const { level, state } = ticket;
    if (state === "waiting") {
      level.leave(ticket);
      this.#waiting--;
    } else if (state === "running") {
      const before = overOwn(level, level.used);
      level.finish(ticket, nowMs);
      if (isWide(ticket)) this.#wideUsed -= ticket.seats;
      if (!level.limits.exempt) this.#borrowed += overOwn(level, level.used) - before;
    }
    if (this.#waiting > 0) this.#serve(nowMs);
  }

  /** Gives out what is free, to those furthest below their part first. */
  #serve(nowMs: number): void {
    for (;;) {
      const next = this.#next();
      if (next === undefined) return;
      this.#waiting--;
      this.#start(next, nowMs);
      next.onStart();
    }
  }

  #next(): Ticket | undefined {
    let best: Ticket | undefined;
    let bestFill = Number.POSITIVE_INFINITY;
    for (const level of this.#all()) {
      if (level.waiting === 0) continue;
      const ticket = level.next((each) => this.#hasRoom(each));
      const fill = level.used / Math.max(level.limits.nominal, 1);
      if (ticket === undefined || fill >= bestFill || !this.#fits(ticket)) continue;
      best = ticket;
      bestFill = fill;
    }
    return best;
  }

  /** Whether nobody waits at a level who would go first. */
  #isFirst(level: Level): boolean {
    return level.waiting === 0 || level.next((each) => this.#hasRoom(each)) === undefined;
  }

  /** Whether a wide one is not too much beside those that run; the others may pass it when it is. */
  #hasRoom(ticket: Ticket): boolean {
    const { level, seats } = ticket;
    return !isWide(ticket) || level.used === 0 || this.#wideUsed + seats <= this.#wideMost;
  }

  #fits(ticket: Ticket): boolean {
    const { level, seats } = ticket;
    const { used, limits } = level;
    // A level without anything running may always run one, however wide.
    if (used === 0) return true;
    if (!this.#hasRoom(ticket)) return false;
    if (used + seats > Math.max(limits.most, 1)) return false;
    const more = overOwn(level, used + seats) - overOwn(level, used);
    return more === 0 || this.#borrowed + more <= this.#pool;
  }

  #start(ticket: Ticket, nowMs: number): void {
    const { level } = ticket;
    const before = overOwn(level, level.used);
    level.start(ticket, nowMs);
    if (isWide(ticket)) this.#wideUsed += ticket.seats;
    if (!level.limits.exempt) this.#borrowed += overOwn(level, level.used) - before;
  }

  #all(): readonly Level[] {
    return this.#leaving.length === 0 ? [...this.#levels.values()] : [...this.#levels.values(), ...this.#leaving];
  }
}

function isWide({ seats, level }: Ticket): boolean {
  return seats > 1 && !level.limits.exempt;
}

/** Seats beyond what is a level's own whatever happens. */
function overOwn({ limits: { nominal, lendable, exempt } }: Level, used: number): number {
  return exempt ? 0 : Math.max(0, used - (nominal - lendable));
}

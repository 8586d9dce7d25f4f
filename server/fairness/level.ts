/**
 * One priority level: seats in use, and queues of those who wait for one.
 *
 * Queues are served by start-time fair queuing: each has a tag that says how much service it has had, in seats times
 * time; the one that has had least goes next. A queue that was empty starts at the level's own tag, so nobody saves up
 * rights by staying away. While a request is served its time is guessed, and the guess is put right when it ends.
 * Source: P. Goyal et al., Start-time Fair Queueing, 1996; k8s.io/apiserver/pkg/util/flowcontrol/fairqueuing/queueset
 */
import { Hands } from "./hand.ts";
import type { LevelLimits } from "./shares.ts";

interface Queue {
  readonly waiting: Ticket[];
  /** Seats in use and waited for. */
  load: number;
  tag: number;
}

/** A request that has a seat, or waits for one. */
export interface Ticket {
  readonly level: Level;
  readonly queue: Queue;
  readonly seats: number;
  readonly arrivedMs: number;
  /** Called when it gets its seats, but not for one that got them at once. */
  readonly onStart: () => void;
  state: "waiting" | "running" | "over";
  startedMs: number;
  guessMs: number;
}

// Until something is known of how long requests take.
const firstGuessMs = 20;
// How much a single request changes the guess.
const guessWeight = 0.05;

function newQueue(): Queue {
  return { waiting: [], load: 0, tag: 0 };
}

/** A level's state. It decides nothing about seats of others: see Seats. */
export class Level {
  limits: LevelLimits;
  used = 0;
  waiting = 0;
  #queues: Queue[] = [];
  #hands = new Hands(1, 1);
  /** Those in which somebody waits, in no order. */
  readonly #busy: Queue[] = [];
  #tag = 0;
  #guessMs = firstGuessMs;

  constructor(limits: LevelLimits) {
    this.limits = limits;
    this.configure(limits);
  }

  /** Takes other limits. */
  configure(limits: LevelLimits): void {
    const before = this.limits.queuing;
    this.limits = limits;
    const { queues = 1, handSize = 1 } = limits.queuing ?? {};
    const same = before?.queues === limits.queuing?.queues && before?.handSize === limits.queuing?.handSize;
    if (same && this.#queues.length > 0) return;
    this.#hands = new Hands(queues, handSize);
    // Who waits stays in the queue they are in, which goes when it is empty.
    this.#queues = Array.from({ length: queues }, newQueue);
    for (const queue of this.#queues) queue.tag = this.#tag;
  }

  /** A ticket for a request; it neither waits nor runs yet. */
  ticket(flow: string, seats: number, { nowMs, onStart }: { nowMs: number; onStart: () => void }): Ticket {
    const queue = this.#shortest(flow);
    return {
      level: this,
      queue,
      seats,
      arrivedMs: nowMs,
      onStart,
      state: "over",
      startedMs: 0,
      guessMs: 0,
    };
  }

  /** Lets a ticket wait. False: its queue is full. */
  wait(ticket: Ticket): boolean {
    const { queue } = ticket;
    if (queue.waiting.length >= (this.limits.queuing?.queueLengthLimit ?? 0)) return false;
    if (queue.load === 0) queue.tag = Math.max(queue.tag, this.#tag);
    if (queue.waiting.length === 0) this.#busy.push(queue);
    queue.waiting.push(ticket);
    queue.load += ticket.seats;
    this.waiting++;
    ticket.state = "waiting";
    return true;
  }

  /** Who goes next; undefined when nobody waits whom the condition holds for. */
  next(mayGo: (ticket: Ticket) => boolean): Ticket | undefined {
    let best: Queue | undefined;
    for (const queue of this.#busy) {
      const [first] = queue.waiting;
      if (first !== undefined && (best === undefined || queue.tag < best.tag) && mayGo(first)) best = queue;
    }
    return best?.waiting[0];
  }

  /** Gives a ticket its seats: the one that goes next, or one that never waited. */
  start(ticket: Ticket, nowMs: number): void {
    const { queue, seats } = ticket;
    if (ticket.state === "waiting") this.#unqueue(ticket);
    if (queue.load === 0) queue.tag = Math.max(queue.tag, this.#tag);
    queue.load += seats;
    this.#tag = Math.max(this.#tag, queue.tag);
    ticket.guessMs = this.#guessMs;
    queue.tag += seats * ticket.guessMs;
    this.used += seats;
    ticket.startedMs = nowMs;
    ticket.state = "running";
  }

  /** Takes the seats back. */
  finish(ticket: Ticket, nowMs: number): void {
    const { queue, seats, guessMs } = ticket;
    const tookMs = Math.max(nowMs - ticket.startedMs, 0);
    queue.tag += seats * (tookMs - guessMs);
    queue.load -= seats;
    this.used -= seats;
    this.#guessMs += guessWeight * (tookMs - this.#guessMs);
    ticket.state = "over";
  }

  /** Somebody no longer waits, without having been served. */
  leave(ticket: Ticket): void {
    this.#unqueue(ticket);
    ticket.state = "over";
  }

  #unqueue(ticket: Ticket): void {
    const { queue } = ticket;
    queue.waiting.splice(queue.waiting.indexOf(ticket), 1);
    queue.load -= ticket.seats;
    this.waiting--;
    if (queue.waiting.length === 0) this.#busy.splice(this.#busy.indexOf(queue), 1);
  }

  #shortest(flow: string): Queue {
    let best: Queue | undefined;
    for (const card of this.#hands.of(flow)) {
      const queue = this.#queues[card];
      if (queue !== undefined && (best === undefined || queue.load < best.load)) best = queue;
    }
    return best ?? newQueue();
  }
}

/**
 * The Pods that wait for a place.
 *
 *   add ──▶ active ──▶ next() ──▶ being judged ─┬─ fits nowhere ──▶ parked ── a change that may help, or 5 min ─┐
 *              ▲                                └─ an error ───────────────────────────────────────────────────┤
 *              └──────────── back-off: 1 s after the first try, 2 s, … 10 s ◀──────────────────────────────────┘
 *
 * While nothing is active, who was refused need not wait for the end of the back-off; after an error one must.
 * Source: k8s.io/kubernetes/pkg/scheduler/backend/queue/scheduling_queue.go
 */
import type { Pod } from "@atoll/client/builtin";
import { Heap } from "./heap.ts";
import { priorityOf, type Wake } from "./world.ts";

/** Source: DefaultPodInitialBackoffDuration, DefaultPodMaxBackoffDuration, DefaultPodMaxInUnschedulablePodsDuration */
const limits = { firstMs: 1_000, longestMs: 10_000, parkedMs: 300_000 };

type State = "active" | "refused" | "failed" | "parked" | "judged";

interface Entry {
  pod: Pod;
  state: State;
  /** How often it has been judged in vain. */
  attempts: number;
  /** Since when it has been parked. */
  parkedMs: number;
  /** Who came or came back earlier has a lower one. */
  order: number;
  /** When its back-off ends. */
  readyMs: number;
  wakes: ReadonlySet<Wake>;
  /** Tells entries of a heap that no longer hold. */
  turn: number;
}

const newcomer = { state: "active", attempts: 0, parkedMs: 0, readyMs: 0, wakes: new Set<Wake>(), turn: 0 } as const;

interface Ticket {
  readonly entry: Entry;
  readonly turn: number;
}

const holds = ({ entry, turn }: Ticket): boolean => entry.turn === turn;

function skipStale(heap: Heap<Ticket>): Ticket | undefined {
  while (heap.first !== undefined && !holds(heap.first)) heap.pop();
  return heap.first;
}

/** Pods by uid, in the order in which they are to be judged. */
export class SchedulingQueue {
  readonly #entries = new Map<string, Entry>();
  readonly #active = new Heap<Ticket>(
    ({ entry: a }, { entry: b }) => priorityOf(b.pod) - priorityOf(a.pod) || a.order - b.order,
  );
  /** Refused ones and failed ones in back-off. */
  readonly #refused = new Heap<Ticket>(({ entry: a }, { entry: b }) => a.readyMs - b.readyMs);
  readonly #failed = new Heap<Ticket>(({ entry: a }, { entry: b }) => a.readyMs - b.readyMs);
  #parked = 0;
  #arrivals = 0;

  /** Whether something is to be judged now or after a back-off. */
  get isIdle(): boolean {
    return this.#entries.size === this.#parked;
  }

  /** A Pod is new, or is not what it was. One that is parked is judged anew only if it matters to its fate. */
  put(pod: Pod, { matters, nowMs }: { matters: boolean; nowMs: number }): void {
    const { uid = "" } = pod.metadata;
    const known = this.#entries.get(uid);
    if (known === undefined) {
      const entry: Entry = { ...newcomer, pod, order: ++this.#arrivals };
      this.#entries.set(uid, entry);
      return this.#enter(entry, "active", this.#active);
    }
    const isMoved = known.state === "active" && priorityOf(known.pod) !== priorityOf(pod);
    known.pod = pod;
    if (isMoved) this.#enter(known, "active", this.#active);
    if (known.state === "parked" && matters) this.#comeBack(known, nowMs);
  }

  /** It needs no place any more, or has one. */
  drop(uid: string): void {
    const entry = this.#entries.get(uid);
    if (entry === undefined) return;
    if (entry.state === "parked") this.#parked -= 1;
    entry.turn += 1;
    this.#entries.delete(uid);
  }

  /** The Pod as it waits. */
  get(uid: string): Pod | undefined {
    return this.#entries.get(uid)?.pod;
  }

  /** Takes the one to be judged now: the most important; among equals, who has waited longest. */
  next(nowMs: number): Pod | undefined {
    for (const heap of [this.#refused, this.#failed]) {
      for (
        let ticket = skipStale(heap);
        ticket !== undefined && ticket.entry.readyMs <= nowMs;
        ticket = skipStale(heap)
      ) {
        heap.pop();
        this.#enter(ticket.entry, "active", this.#active);
      }
    }
    const ticket = skipStale(this.#active) ?? skipStale(this.#refused);
    if (ticket === undefined) return undefined;
    (ticket.entry.state === "active" ? this.#active : this.#refused).pop();
    ticket.entry.state = "judged";
    ticket.entry.turn += 1;
    return ticket.entry.pod;
  }

  /** Whether next() would give one. */
  hasNext(nowMs: number): boolean {
    if (skipStale(this.#active) !== undefined || skipStale(this.#refused) !== undefined) return true;
    return (this.readyMs ?? Number.POSITIVE_INFINITY) <= nowMs;
  }

  /** What was taken fits nowhere until one of `wakes` happens. */
  park(uid: string, wakes: ReadonlySet<Wake>, nowMs: number): void {
    const entry = this.#entries.get(uid);
    if (entry?.state !== "judged") return;
    this.#fail(entry, nowMs);
    entry.wakes = wakes;
    entry.state = "parked";
    entry.parkedMs = nowMs;
    this.#parked += 1;
  }

  /** What was taken met an error and is tried again. @returns after how many ms */
  retry(uid: string, nowMs: number): number {
    const entry = this.#entries.get(uid);
    if (entry?.state !== "judged") return 0;
    this.#fail(entry, nowMs);
    this.#enter(entry, "failed", this.#failed);
    return entry.readyMs - nowMs;
  }

  /** Something happened: who waits for such a thing is judged anew. */
  wake(what: Wake, nowMs: number): void {
    if (this.#parked === 0) return;
    for (const entry of this.#entries.values())
      if (entry.state === "parked" && entry.wakes.has(what)) this.#comeBack(entry, nowMs);
  }

  /** Who has been parked for long is judged anew, in case a change was missed. */
  flush(nowMs: number): void {
    if (this.#parked === 0) return;
    for (const entry of this.#entries.values())
      if (entry.state === "parked" && nowMs - entry.parkedMs >= limits.parkedMs) this.#comeBack(entry, nowMs);
  }

  /** When next() should be asked again though nothing happens; undefined: never. */
  get readyMs(): number | undefined {
    return skipStale(this.#failed)?.entry.readyMs;
  }

  #fail(entry: Entry, nowMs: number): void {
    entry.attempts += 1;
    const backoffMs = Math.min(limits.firstMs * 2 ** (entry.attempts - 1), limits.longestMs);
    entry.readyMs = nowMs + backoffMs;
  }

  #comeBack(entry: Entry, nowMs: number): void {
    this.#parked -= 1;
    entry.order = ++this.#arrivals;
    const isReady = entry.readyMs <= nowMs;
    this.#enter(entry, isReady ? "active" : "refused", isReady ? this.#active : this.#refused);
  }

  #enter(entry: Entry, state: State, heap: Heap<Ticket>): void {
    entry.state = state;
    entry.turn += 1;
    heap.push({ entry, turn: entry.turn });
  }
}

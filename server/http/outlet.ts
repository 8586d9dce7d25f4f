/**
 * Writes long answers a piece at a time, in turns: to make and encrypt half a megabyte takes milliseconds, and whoever
 * asked for little meanwhile is not to wait for all the long answers that are under way.
 *
 *     pieces of all answers → a few milliseconds of them → the loop sees to everything else → a few milliseconds …
 */
import type { ServerResponse } from "node:http";
import type { Clock } from "@atoll/machinery/clock";

/** How long an outlet works and waits, ms. */
export interface OutletTimes {
  /** Work at answers before everything else has its turn. */
  readonly turnMs: number;
  /** What a client may take over a piece before its slowness is no longer counted as the server's work. */
  readonly slowMs: number;
  /** What a client may take over a piece before it is cut off. */
  readonly patienceMs: number;
}

const unref = { unref: true };
const usualTimes: OutletTimes = { turnMs: 3, slowMs: 50, patienceMs: 60_000 };
/** Bytes of one piece of an answer that is there as a whole. */
const pieceBytes = 64 * 1024;

/** The next piece of an answer; the lower its order, the longer the answer has been under way. */
interface Piece {
  readonly order: number;
  readonly step: () => void;
}

/** Writes the long answers of one server. */
export class Outlet {
  readonly #clock: Clock;
  readonly #times: OutletTimes;
  readonly #ready: Piece[] = [];
  #scheduled = false;
  #sent = 0;

  constructor(clock: Clock, times: OutletTimes = usualTimes) {
    this.#clock = clock;
    this.#times = times;
  }

  /**
   * Writes a body and ends the answer.
   * @param onIdle called once, when the server has no more to do for it: all is written, or the client is slow or gone
   */
  send(response: ServerResponse, pieces: Iterator<Uint8Array>, onIdle: () => void): void {
    // The oldest first: of ten that are written alternately, all would be late.
    const order = this.#sent++;
    let told = false;
    const idle = () => {
      if (!told) onIdle();
      told = true;
    };
    response.once("close", idle);
    const step = () => {
      if (response.destroyed) return;
      const next = pieces.next();
      if (next.done === true) response.end(idle);
      else if (response.write(next.value)) this.#enqueue(piece);
      else this.#awaitClient(response, piece, idle);
    };
    const piece = { order, step };
    this.#enqueue(piece);
  }

  #awaitClient(response: ServerResponse, piece: Piece, idle: () => void): void {
    const { slowMs, patienceMs } = this.#times;
    let late = this.#clock.after(
      slowMs,
      () => {
        idle();
        late = this.#clock.after(patienceMs, () => response.destroy(), unref);
      },
      unref,
    );
    const done = () => {
      late.cancel();
      response.off("drain", drained);
      response.off("close", done);
    };
    const drained = () => {
      done();
      this.#enqueue(piece);
    };
    response.on("drain", drained);
    response.on("close", done);
  }

  #enqueue(piece: Piece): void {
    this.#ready.push(piece);
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => this.#turn());
  }

  /** Always one piece, or nothing would move; more while there is time. */
  #turn(): void {
    const endMs = this.#clock.monotonicMs() + this.#times.turnMs;
    do this.#oldest()?.step();
    while (this.#ready.length > 0 && this.#clock.monotonicMs() < endMs);
    this.#scheduled = this.#ready.length > 0;
    if (this.#scheduled) setImmediate(() => this.#turn());
  }

  /** Taken out of those that are ready. */
  #oldest(): Piece | undefined {
    let at = 0;
    for (const [i, { order }] of this.#ready.entries()) if (order < (this.#ready[at]?.order ?? 0)) at = i;
    return this.#ready.splice(at, 1)[0];
  }
}

/** A whole body as pieces. */
export function* piecesOf(body: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < body.length; at += pieceBytes) yield body.subarray(at, at + pieceBytes);
}

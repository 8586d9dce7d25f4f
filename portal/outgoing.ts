/** What goes to a page, no faster than it takes it. */
import type { Clock } from "@atoll/machinery/clock";
import type { WebSocket } from "ws";

/** What may wait in a socket before no more is read for it, bytes. */
const highWater = 4 * 1024 * 1024;
const drainMs = 20;

/** The way out of a live connection. */
export class Outgoing {
  readonly #socket: WebSocket;
  readonly #clock: Clock;

  constructor(socket: WebSocket, clock: Clock) {
    this.#socket = socket;
    this.#clock = clock;
  }

  /** Sends a message; to a page that is gone, nothing. */
  send(text: string): void {
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.send(text);
  }

  /** Whether more waits than should. */
  get isBehind(): boolean {
    return this.#socket.bufferedAmount > highWater;
  }

  /** Waits until what was sent has gone. */
  async drained(signal: AbortSignal): Promise<void> {
    while (this.isBehind && !signal.aborted) await this.#clock.sleep(drainMs, signal);
  }
}

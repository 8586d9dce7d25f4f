/**
 * Patience with HTTP/2 clients: Node bounds what HTTP/1.1 clients may take their time over, and leaves HTTP/2 to others.
 * A connection that asks for nothing is closed, soon at its beginning, later after it has been used; a body that does
 * not come is no longer waited for. Streams that are answered (watches) may last.
 */
import type { Http2ServerRequest, ServerHttp2Session, ServerHttp2Stream } from "node:http2";
import type { Clock, Timer } from "@atoll/machinery/clock";

/** Times in ms. */
export interface Patience {
  /** For headers, and for a new connection's first request. */
  readonly headersMs: number;
  /** For a request's body. */
  readonly bodyMs: number;
  /** For a connection without requests. */
  readonly idleMs: number;
}

/** Streams that a client may take back: so many at once, and so many a second from then on. */
const resetBurst = 500;
const resetsPerSecond = 100;

/** Watches over the sessions of one listener. */
export class Sessions {
  readonly #clock: Clock;
  readonly #patience: Patience;

  constructor(clock: Clock, patience: Patience) {
    this.#clock = clock;
    this.#patience = patience;
  }

  /** A new session. */
  follow(session: ServerHttp2Session): void {
    const { headersMs, idleMs } = this.#patience;
    let open = 0;
    const mayReset = this.#resetBudget();
    let idle: Timer | undefined = this.#clock.after(headersMs, () => session.destroy(), { unref: true });
    session.on("stream", (stream: ServerHttp2Stream) => {
      idle?.cancel();
      idle = undefined;
      open++;
      stream.once("close", () => {
        open--;
        // Asking and taking back costs a client nothing, and a server an answer each time (CVE-2023-44487).
        if (stream.rstCode !== 0 && !mayReset()) session.destroy(undefined, enhanceYourCalm);
        if (open === 0 && !session.destroyed) {
          idle = this.#clock.after(idleMs, () => session.close(), { unref: true });
        }
      });
    });
    session.once("close", () => idle?.cancel());
  }

  #resetBudget(): () => boolean {
    let left = resetBurst;
    let lastMs = this.#clock.monotonicMs();
    return () => {
      const nowMs = this.#clock.monotonicMs();
      left = Math.min(resetBurst, left + ((nowMs - lastMs) * resetsPerSecond) / 1000) - 1;
      lastMs = nowMs;
      return left >= 0;
    };
  }

  /** A request whose headers are there. */
  awaitBody(request: Http2ServerRequest): void {
    if (request.method === "GET" || request.method === "HEAD" || request.stream.endAfterHeaders) return;
    const late = this.#clock.after(
      this.#patience.bodyMs,
      () => {
        if (!request.complete) request.stream.close(cancelled);
      },
      { unref: true },
    );
    request.once("end", () => late.cancel());
    request.stream.once("close", () => late.cancel());
  }
}

/** Source: RFC 9113, section 7 */
const cancelled = 8;
const enhanceYourCalm = 11;

/**
 * The seam between the client and the network: one HTTP exchange. The client never opens a socket; Node's transport is
 * runtime/transport.ts, a browser's would be a few lines over fetch, and tests put faults in between.
 */

/** One request. `path` begins with "/" and carries the query. Header names are lower case. */
export interface TransportRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** Aborting ends the exchange, the body of the answer included. */
  readonly signal?: AbortSignal | undefined;
}

/** The answer's head, and its body as it arrives. Header names are lower case. */
export interface TransportResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Must be read to its end or left by `return()`, so that the connection is free again. */
  readonly body: AsyncIterable<Uint8Array>;
}

/** Sends requests to one API server. */
export interface Transport {
  /**
   * Resolves when the answer's head is there, whatever its status.
   * @throws {TransportFailed} no answer came
   */
  request(request: TransportRequest): Promise<TransportResponse>;
  /** Ends all connections; exchanges under way fail. */
  close(): void;
}

/** The exchange broke. */
export class TransportFailed extends Error {
  override readonly name = "TransportFailed";
  /** The server may have acted on the request. False: it certainly did not, and a repeat is safe. */
  readonly uncertain: boolean;

  constructor(message: string, options: { cause?: unknown; uncertain: boolean }) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.uncertain = options.uncertain;
  }
}

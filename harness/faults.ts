/**
 * A transport in which things go wrong when a test says so: requests that never arrive, answers that never come back,
 * watches that stall (stale views) or skip what happened (dropped events), and the crash of the client's process after
 * any of its writes.
 */
import type { Transport, TransportRequest, TransportResponse } from "@atoll/client/transport";
import { TransportFailed } from "@atoll/client/transport";

/** What becomes of a request. `lose answer` lets the server act; `crash` does too, and then nothing ever works again. */
export type Fate = "pass" | "lose request" | "lose answer" | "crash";

/** Decides the fate of a write; `n` counts writes from 1. */
export type WriteFate = (request: TransportRequest, n: number) => Fate;

function isWatch({ method, path }: TransportRequest): boolean {
  return method === "GET" && /[?&]watch=true/.test(path);
}

/** Lease renewals and events are no deeds: a crash after them would only repeat other cases. */
function isDeed({ method, path }: TransportRequest): boolean {
  return method !== "GET" && !path.includes("/leases") && !path.includes("/events");
}

interface OpenWatch {
  readonly collection: string;
  readonly cut: AbortController;
}

/** Faults between a client and a server. */
export class Faults implements Transport {
  /** Writes that reached the server, as `METHOD path`. */
  readonly writes: string[] = [];
  fate: WriteFate = () => "pass";
  readonly #inner: Transport;
  readonly #watches = new Set<OpenWatch>();
  #stall: PromiseWithResolvers<void> | undefined;
  #stalled = "";
  #dead = false;
  /** Collections whose watches cannot resume: the next try is told that its revision is gone. */
  readonly #forgotten = new Set<string>();

  constructor(inner: Transport) {
    this.#inner = inner;
  }

  /** The process has crashed. */
  get crashed(): boolean {
    return this.#dead;
  }

  /** From now on watches of a resource (default: all) tell nothing, as over a stuck connection. */
  stallWatches(plural = ""): void {
    this.#stall ??= Promise.withResolvers<void>();
    this.#stalled = plural;
  }

  /** Watches tell what they held back, and go on. */
  resumeWatches(): void {
    this.#stall?.resolve();
    this.#stall = undefined;
  }

  /** Breaks all watches; they come back where they were. */
  cutWatches(): void {
    for (const watch of this.#watches) watch.cut.abort(new TransportFailed("cut by the test", { uncertain: true }));
  }

  /**
   * Ends a stall so that what was held back is never told: the watches break, and the server no longer knows their
   * revisions (410). Only the state of now is seen, nothing in between.
   */
  skipStalled(): void {
    for (const { collection } of this.#watches) this.#forgotten.add(collection);
    this.cutWatches();
    this.resumeWatches();
  }

  /** The process dies: every request fails, every watch breaks. */
  crash(): void {
    this.#dead = true;
    this.cutWatches();
    this.resumeWatches();
  }

  close(): void {
    this.crash();
    this.#inner.close();
  }

  async request(request: TransportRequest): Promise<TransportResponse> {
    if (this.#dead) throw new TransportFailed("crashed", { uncertain: false });
    if (isWatch(request)) return this.#watch(request);
    if (isDeed(request)) return this.#write(request);
    return this.#alive(await this.#inner.request(request));
  }

  async #write(request: TransportRequest): Promise<TransportResponse> {
    const fate = this.fate(request, this.writes.length + 1);
    if (fate === "lose request") throw new TransportFailed("lost by the test", { uncertain: true });
    this.writes.push(`${request.method} ${request.path}`);
    const response = await this.#inner.request(request);
    if (fate === "pass") return this.#alive(response);
    for await (const _ of response.body);
    if (fate === "crash") this.crash();
    throw new TransportFailed("the answer was lost by the test", { uncertain: true });
  }

  #alive(response: TransportResponse): TransportResponse {
    if (this.#dead) throw new TransportFailed("crashed", { uncertain: true });
    return response;
  }

  async #watch(request: TransportRequest): Promise<TransportResponse> {
    const collection = request.path.split("?")[0] ?? "";
    if (this.#forgotten.delete(collection) && /[?&]resourceVersion=[1-9]/.test(request.path)) return gone();
    const watch = { collection, cut: new AbortController() };
    const signal =
      request.signal === undefined ? watch.cut.signal : AbortSignal.any([request.signal, watch.cut.signal]);
    const response = await this.#inner.request({ ...request, signal });
    this.#watches.add(watch);
    return { ...response, body: this.#told(response.body, watch) };
  }

  async *#told(body: AsyncIterable<Uint8Array>, watch: OpenWatch): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of body) {
        while (this.#stall !== undefined && watch.collection.endsWith(this.#stalled)) await this.#stall.promise;
        watch.cut.signal.throwIfAborted();
        yield chunk;
      }
    } finally {
      this.#watches.delete(watch);
    }
  }
}

function gone(): TransportResponse {
  const status = {
    kind: "Status",
    apiVersion: "v1",
    status: "Failure",
    reason: "Expired",
    code: 410,
    message: "too old",
  };
  const body = (async function* () {
    yield new TextEncoder().encode(JSON.stringify(status));
  })();
  return { status: 410, headers: { "content-type": "application/json" }, body };
}

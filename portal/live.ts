/**
 * The live connection: one WebSocket that carries any number of watches.
 *
 *   page:    {"id":1,"watch":"/api/v1/pods","query":{…},"table":true}      {"id":1,"stop":true}
 *   portal:  {"id":1,"begin":true}     what follows is the whole state anew
 *            {"id":1,"events":[…]}     the API server's own events, as they came
 *            {"id":1,"stale":"why"}    what was told may be behind; "" when it no longer is
 *            {"id":1,"refused":{…}}    a Status; the watch is over
 */
import type { Clock } from "@atoll/machinery/clock";
import { readLines, readText } from "@atoll/client/lines";
import type { WebSocket } from "ws";
import type { Session } from "./sessions.ts";

const mostWatches = 64;
/** What may wait in a socket before its watches are read no further, bytes. */
const highWater = 4 * 1024 * 1024;
const drainMs = 20;
const retryMs = { first: 500, most: 15_000 } as const;

const tableAccept = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";

/** What the page asks. */
interface Ask {
  readonly id: number;
  readonly watch?: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly table?: boolean;
}

/** Serves one live connection until it closes or the session ends. */
export function serveLive(socket: WebSocket, session: Session, clock: Clock): void {
  const watches = new Map<number, AbortController>();
  const end = () => {
    for (const each of watches.values()) each.abort();
    socket.close(4401, "signed out");
  };
  session.ended.addEventListener("abort", end);
  socket.on("error", () => socket.terminate());
  socket.on("close", () => {
    session.ended.removeEventListener("abort", end);
    end();
  });
  socket.on("message", (data) => {
    const ask = read((data as Buffer).toString());
    if (ask === undefined) return socket.close(1007, "no such message");
    watches.get(ask.id)?.abort();
    watches.delete(ask.id);
    if (ask.watch === undefined) return;
    if (watches.size >= mostWatches) return socket.close(1008, "too many watches");
    const stop = new AbortController();
    watches.set(ask.id, stop);
    void new LiveWatch({ ask, path: ask.watch, socket, session, clock, signal: stop.signal }).run();
  });
}

function read(text: string): Ask | undefined {
  try {
    const ask = JSON.parse(text) as Partial<Ask>;
    const { id, watch } = ask;
    const isFit = typeof id === "number" && (watch === undefined || /^\/apis?\/[a-z0-9./-]+$/.test(watch));
    return isFit && !watch?.includes("..") ? (ask as Ask) : undefined;
  } catch {
    return undefined;
  }
}

interface LiveWatchOptions {
  readonly ask: Ask;
  readonly path: string;
  readonly socket: WebSocket;
  readonly session: Session;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** One watch: goes on where it was when the API server ends it, begins anew when it must, and ends when refused. */
class LiveWatch {
  readonly #options: LiveWatchOptions;
  /** The latest event; its revision is where to go on. */
  #latest: string | undefined;
  #isStale = false;
  #isOver = false;

  constructor(options: LiveWatchOptions) {
    this.#options = options;
  }

  async run(): Promise<void> {
    const { signal, clock } = this.#options;
    let waitMs: number = retryMs.first;
    while (!signal.aborted) {
      try {
        await this.#once();
        waitMs = retryMs.first;
        if (this.#isOver) return;
      } catch (error) {
        if (signal.aborted) return;
        this.#isStale = true;
        this.#tell({ stale: error instanceof Error ? error.message : String(error) });
        await clock.sleep(waitMs, signal).catch(() => undefined);
        waitMs = Math.min(2 * waitMs, retryMs.most);
      }
    }
  }

  async #once(): Promise<void> {
    const { ask, path, session, signal } = this.#options;
    const revision = this.#latest === undefined ? undefined : revisionOf(this.#latest);
    const query = new URLSearchParams({ ...ask.query, watch: "1", allowWatchBookmarks: "true" });
    if (revision === undefined) {
      query.set("sendInitialEvents", "true");
      query.set("resourceVersionMatch", "NotOlderThan");
    } else query.set("resourceVersion", revision);
    const headers = { accept: ask.table === true ? tableAccept : "application/json" };
    const answer = await session.transport.request({
      method: "GET",
      path: `${path}?${query.toString()}`,
      headers,
      signal,
    });
    if (answer.status >= 500 || answer.status === 429) throw new Error(`the API server answers ${answer.status}`);
    if (answer.status === 410) this.#latest = undefined;
    else if (answer.status >= 300) {
      this.#isOver = true;
      this.#tell({ refused: JSON.parse(await readText(answer.body)) });
    } else await this.#follow(answer.body, revision === undefined);
  }

  async #follow(body: AsyncIterable<Uint8Array>, isNew: boolean): Promise<void> {
    if (isNew) this.#tell({ begin: true });
    if (this.#isStale) this.#tell({ stale: "" });
    this.#isStale = false;
    for await (const lines of readLines(body)) {
      const error = lines.find((line) => line.startsWith('{"type":"ERROR"'));
      if (error !== undefined) {
        // History no longer reaches back that far, or the server would rather not: begin anew.
        this.#latest = undefined;
        return;
      }
      this.#latest = lines.at(-1);
      this.#send(`{"id":${this.#options.ask.id},"events":[${lines.join(",")}]}`);
      await this.#untilDrained();
    }
  }

  async #untilDrained(): Promise<void> {
    const { socket, clock, signal } = this.#options;
    while (socket.bufferedAmount > highWater && !signal.aborted) await clock.sleep(drainMs, signal);
  }

  #tell(message: object): void {
    this.#send(JSON.stringify({ id: this.#options.ask.id, ...message }));
  }

  #send(text: string): void {
    const { socket, signal } = this.#options;
    if (!signal.aborted && socket.readyState === socket.OPEN) socket.send(text);
  }
}

/** The revision of an event, of an object or of a table's row. */
function revisionOf(line: string): string | undefined {
  const { object } = JSON.parse(line) as {
    object: {
      metadata?: { resourceVersion?: string };
      rows?: readonly { object?: { metadata?: { resourceVersion?: string } } }[];
    };
  };
  return object.rows?.at(-1)?.object?.metadata?.resourceVersion ?? object.metadata?.resourceVersion;
}

/**
 * The live connection: one WebSocket that carries any number of watches.
 *
 *   page:    {"id":1,"watch":"/api/v1/pods","query":{…}}              objects
 *            {"id":1,"watch":"/api/v1/pods","query":{…},"view":{…}}   a table, through a window; again to look elsewhere
 *            {"id":1,"stop":true}
 *   portal:  {"id":1,"begin":true}     what follows is the whole state anew
 *            {"id":1,"events":[…]}     the API server's own events, as they came
 *            {"id":1,"seen":{…}}       what the window shows now (table.ts)
 *            {"id":1,"stale":"why"}    what was told may be behind; "" when it no longer is
 *            {"id":1,"refused":{…}}    a Status; the watch is over
 */
import type { Clock } from "@atoll/machinery/clock";
import { readLines } from "@atoll/client/lines";
import type { WebSocket } from "ws";
import { isError, keepOn, mustAnswer, type Source } from "./keep.ts";
import { Outgoing } from "./outgoing.ts";
import type { Session } from "./sessions.ts";
import { Tables } from "./tables.ts";
import type { View } from "./view/view.ts";

const mostWatches = 64;
const mostCounts = 8;

/** What the page asks. */
interface Ask {
  readonly id: number;
  readonly watch?: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly view?: View;
}

/** Serves one live connection until it closes or the session ends. */
export function serveLive(socket: WebSocket, session: Session, clock: Clock): void {
  const connection = new Connection(new Outgoing(socket, clock), session, clock);
  const end = () => {
    connection.close();
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
    if (ask === undefined) socket.close(1007, "no such message");
    else if (!connection.take(ask)) socket.close(1008, "too many watches");
  });
}

function read(text: string): Ask | undefined {
  try {
    const ask = JSON.parse(text) as Partial<Ask>;
    const { id, watch, view } = ask;
    const isFit = typeof id === "number" && (watch === undefined || /^\/apis?\/[a-z0-9./-]+$/.test(watch));
    return isFit && !watch?.includes("..") && (view === undefined || isView(view)) ? (ask as Ask) : undefined;
  } catch {
    return undefined;
  }
}

const isView = ({ words, sort, troubled, countBy, from, to }: Partial<View>): boolean =>
  typeof words === "string" &&
  typeof sort === "string" &&
  typeof troubled === "boolean" &&
  Array.isArray(countBy) &&
  countBy.length <= mostCounts &&
  Number.isInteger(from) &&
  Number.isInteger(to);

/** The watches of one page. */
class Connection {
  readonly #out: Outgoing;
  readonly #session: Session;
  readonly #clock: Clock;
  readonly #tables: Tables;
  readonly #ends = new Map<number, () => void>();

  constructor(out: Outgoing, session: Session, clock: Clock) {
    this.#out = out;
    this.#session = session;
    this.#clock = clock;
    this.#tables = new Tables(session, clock);
  }

  /** @returns false: there are too many */
  take({ id, watch, query = {}, view }: Ask): boolean {
    this.#ends.get(id)?.();
    this.#ends.delete(id);
    if (watch === undefined) return true;
    if (this.#ends.size >= mostWatches) return false;
    const source = { path: watch, query };
    this.#ends.set(
      id,
      view === undefined ? this.#watch(id, source) : this.#tables.look(source, { id, view, out: this.#out }),
    );
    return true;
  }

  close(): void {
    for (const end of this.#ends.values()) end();
    this.#ends.clear();
    this.#tables.close();
  }

  #watch(id: number, source: Source): () => void {
    const stop = new AbortController();
    const objects = new LiveObjects({ id, source, out: this.#out, session: this.#session, signal: stop.signal });
    void keepOn(objects, this.#clock, stop.signal);
    return () => stop.abort();
  }
}

interface LiveObjectsOptions {
  readonly id: number;
  readonly source: Source;
  readonly out: Outgoing;
  readonly session: Session;
  readonly signal: AbortSignal;
}

/** One watch: goes on where it was when the API server ends it, begins anew when it must, and ends when refused. */
class LiveObjects {
  readonly #options: LiveObjectsOptions;
  /** The latest event; its revision is where to go on. */
  #latest: string | undefined;
  #isStale = false;

  constructor(options: LiveObjectsOptions) {
    this.#options = options;
  }

  async once(): Promise<void> {
    const { source, session, signal } = this.#options;
    const revision = this.#latest === undefined ? undefined : revisionOf(this.#latest);
    const query = new URLSearchParams({ ...source.query, watch: "1", allowWatchBookmarks: "true" });
    if (revision === undefined) {
      query.set("sendInitialEvents", "true");
      query.set("resourceVersionMatch", "NotOlderThan");
    } else query.set("resourceVersion", revision);
    const { status, body } = await session.transport.request({
      method: "GET",
      path: `${source.path}?${query.toString()}`,
      headers: { accept: "application/json" },
      signal,
    });
    if (status === 410) {
      this.#latest = undefined;
      return;
    }
    await mustAnswer(status, body);
    await this.#follow(body, revision === undefined);
  }

  stale(why: string): void {
    this.#isStale = true;
    this.#tell({ stale: why });
  }

  refused(status: unknown): void {
    this.#tell({ refused: status });
  }

  async #follow(body: AsyncIterable<Uint8Array>, isNew: boolean): Promise<void> {
    if (isNew) this.#tell({ begin: true });
    if (this.#isStale) this.#tell({ stale: "" });
    this.#isStale = false;
    for await (const lines of readLines(body)) {
      if (lines.some(isError)) {
        // History no longer reaches back that far, or the server would rather not: begin anew.
        this.#latest = undefined;
        return;
      }
      this.#latest = lines.at(-1);
      this.#options.out.send(`{"id":${this.#options.id},"events":[${lines.join(",")}]}`);
      await this.#options.out.drained(this.#options.signal);
    }
  }

  #tell(message: object): void {
    if (!this.#options.signal.aborted) this.#options.out.send(JSON.stringify({ id: this.#options.id, ...message }));
  }
}

/** The revision of an event. */
function revisionOf(line: string): string | undefined {
  const { object } = JSON.parse(line) as { object: { metadata?: { resourceVersion?: string } } };
  return object.metadata?.resourceVersion;
}

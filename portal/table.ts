/**
 * A table of the API server's, kept up to date and shown through windows. It is read a page at a time, so that the first
 * rows are there at once and nobody else waits for ten thousand; what changes is then watched.
 */
import { readLines, readText } from "@atoll/client/lines";
import type { Clock } from "@atoll/machinery/clock";
import { isError, mustAnswer, type Source } from "./keep.ts";
import type { Outgoing } from "./outgoing.ts";
import type { Session } from "./sessions.ts";
import type { Column, Row } from "./view/rows.ts";
import { chosenOf, countTones, countValues, type View, windowOf } from "./view/view.ts";

const accept = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";
const pageRows = 500;
/** Views hear of changes this often at most, and are no more than a twentieth of the work. */
const leastMs = 100;
const share = 20;

/** Source: k8s.io/apimachinery/pkg/apis/meta/v1 Table */
interface Table {
  readonly metadata?: {
    readonly resourceVersion?: string;
    readonly continue?: string;
    readonly remainingItemCount?: number;
  };
  readonly columnDefinitions?: readonly Column[] | null;
  readonly rows?:
    | readonly { readonly cells: readonly unknown[]; readonly object: { readonly metadata: Row["metadata"] } }[]
    | null;
}

interface TableEvent {
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK";
  readonly object: Table;
}

interface LiveTableOptions {
  readonly source: Source;
  readonly session: Session;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** One who looks, and what they were shown last. */
interface Looking {
  readonly id: number;
  readonly view: View;
  readonly out: Outgoing;
  shown: string;
}

/** History does not reach back that far: what is known is read anew. */
class TooOld extends Error {
  override readonly name = "TooOld";
}

/** Rows by uid, and who looks at them. */
export class LiveTable {
  readonly #options: LiveTableOptions;
  #known = new Map<string, Row>();
  #columns: readonly Column[] = [];
  /** Where to go on; undefined: it has to be read first. */
  #revision: string | undefined;
  /** Rows that are there but have not been read yet. */
  #toCome = 0;
  #isWhole = false;
  #stale = "";
  #refusal: unknown;
  readonly #lookers = new Set<Looking>();
  #isWaiting = false;
  #costMs = 0;

  constructor(options: LiveTableOptions) {
    this.#options = options;
  }

  /** Whether anybody looks. */
  get isSeen(): boolean {
    return this.#lookers.size > 0;
  }

  /** Shows it to somebody, at once and whenever it changes. @returns looks away */
  look({ id, view, out }: Omit<Looking, "shown">): () => void {
    const looking: Looking = { id, view, out, shown: "" };
    this.#lookers.add(looking);
    if (this.#refusal !== undefined) out.send(JSON.stringify({ id, refused: this.#refusal }));
    else if (this.#columns.length > 0) this.#show(looking);
    return () => this.#lookers.delete(looking);
  }

  /** Reads it, then follows what changes until the API server ends the watch. */
  async once(): Promise<void> {
    try {
      this.#revision ??= await this.#read();
      await this.#follow(this.#revision);
    } catch (error) {
      if (!(error instanceof TooOld)) throw error;
      this.#revision = undefined;
    }
  }

  stale(why: string): void {
    this.#stale = why;
    this.#tellSoon();
  }

  refused(status: unknown): void {
    this.#refusal = status;
    for (const { id, out } of this.#lookers) out.send(JSON.stringify({ id, refused: status }));
  }

  /** @returns the revision of what was read */
  async #read(): Promise<string> {
    const isFirst = !this.#isWhole;
    // The first time what has been read so far is shown at once; later nothing is taken away before all has been read.
    const rows = isFirst ? this.#known : new Map<string, Row>();
    rows.clear();
    let goOn = "";
    for (;;) {
      const page = await this.#page(goOn);
      this.#take(rows, page);
      const { metadata = {} } = page;
      goOn = metadata.continue ?? "";
      this.#toCome = isFirst && goOn !== "" ? (metadata.remainingItemCount ?? 0) : 0;
      this.#stale = "";
      if (goOn === "") {
        this.#known = rows;
        this.#isWhole = true;
        this.#tellSoon();
        return metadata.resourceVersion ?? "";
      }
      if (isFirst) this.#tellSoon();
    }
  }

  async #page(goOn: string): Promise<Table> {
    const query = { limit: String(pageRows), ...(goOn === "" ? {} : { continue: goOn }) };
    return JSON.parse(await readText(await this.#ask(query))) as Table;
  }

  async #follow(revision: string): Promise<void> {
    const body = await this.#ask({ watch: "1", allowWatchBookmarks: "true", resourceVersion: revision });
    if (this.#stale !== "") this.stale("");
    for await (const lines of readLines(body)) {
      if (lines.some(isError)) throw new TooOld();
      for (const line of lines) this.#apply(JSON.parse(line) as TableEvent);
      this.#tellSoon();
    }
  }

  async #ask(query: Readonly<Record<string, string>>): Promise<AsyncIterable<Uint8Array>> {
    const { source, session, signal } = this.#options;
    const { status, body } = await session.transport.request({
      method: "GET",
      path: `${source.path}?${new URLSearchParams({ ...source.query, ...query }).toString()}`,
      headers: { accept },
      signal,
    });
    if (status === 410) throw new TooOld();
    await mustAnswer(status, body);
    return body;
  }

  #apply({ type, object }: TableEvent): void {
    this.#revision =
      object.rows?.at(-1)?.object.metadata.resourceVersion ?? object.metadata?.resourceVersion ?? this.#revision;
    if (type === "DELETED") for (const { object: gone } of object.rows ?? []) this.#known.delete(gone.metadata.uid);
    else this.#take(this.#known, object);
  }

  #take(rows: Map<string, Row>, { columnDefinitions, rows: told }: Table): void {
    if (columnDefinitions) this.#columns = columnDefinitions;
    for (const { cells, object } of told ?? []) {
      const { name, namespace, uid, creationTimestamp, deletionTimestamp, labels } = object.metadata;
      const metadata = { name, namespace, uid, creationTimestamp, deletionTimestamp, labels } as Row["metadata"];
      rows.set(uid, { metadata, cells });
    }
  }

  /** Many changes are told as one. */
  #tellSoon(): void {
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    const waitMs = this.#isWhole || this.#costMs > 0 ? Math.max(leastMs, share * this.#costMs) : 0;
    this.#options.clock.after(waitMs, () => this.#tell(), { unref: true });
  }

  #tell(): void {
    this.#isWaiting = false;
    if (this.#options.signal.aborted) return;
    const began = performance.now();
    for (const looking of this.#lookers) {
      if (looking.out.isBehind) this.#tellSoon();
      else this.#show(looking);
    }
    this.#costMs = performance.now() - began;
  }

  /** What somebody sees, unless they were shown just that. */
  #show(looking: Looking): void {
    const rows = [...this.#known.values()];
    const seen = {
      ...windowOf(chosenOf(rows, this.#columns, looking.view), looking.view),
      all: rows.length + this.#toCome,
      isWhole: this.#isWhole,
      columns: this.#columns,
      tones: countTones(rows, this.#columns),
      counts: looking.view.countBy.map((name) => countValues(rows, this.#columns, name)),
      stale: this.#stale,
    };
    const text = JSON.stringify(seen);
    if (text === looking.shown) return;
    looking.shown = text;
    looking.out.send(`{"id":${looking.id},"seen":${text}}`);
  }
}

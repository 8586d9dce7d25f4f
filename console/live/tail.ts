/** What containers say, of any number of pods, followed and merged by when it was said. */
import { systemClock } from "@atoll/machinery/clock";
import { CallFailed, send } from "../model/call.ts";

/** A container. */
export interface Source {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
}

/** A line. */
export interface Line {
  readonly id: number;
  /** RFC 3339 with nanoseconds, as the node stamped it. */
  readonly at: string;
  readonly source: Source;
  readonly text: string;
}

/** What has been said so far, and why not more. */
export interface Said {
  readonly lines: readonly Line[];
  readonly failure: string;
}

/** Lines kept; older ones are let go. */
const mostLines = 5_000;
/** Of each container, to begin with. */
const tailLines = 1_000;
/** More containers than are followed at once. */
const mostSources = 40;

const againMs = 2_000;

/** Names a source. */
export const sourceName = ({ pod, container }: Source): string => `${pod}/${container}`;

/** Follows sources until it is closed. */
export class Tail {
  readonly #previous: boolean;
  readonly #following = new Map<string, AbortController>();
  readonly #listeners = new Set<() => void>();
  #nextId = 0;
  #waiting: Line[] = [];
  #said: Said = { lines: [], failure: "" };

  /** @param previous what was said before the last restart, and no more */
  constructor(previous: boolean) {
    this.#previous = previous;
  }

  /** Follows these and no others. What others said is let go. */
  follow(sources: readonly Source[]): void {
    const wanted = new Map(sources.slice(0, mostSources).map((source) => [sourceName(source), source]));
    for (const [name, stop] of this.#following) {
      if (wanted.has(name)) continue;
      stop.abort();
      this.#following.delete(name);
    }
    const lines = this.#said.lines.filter(({ source }) => wanted.has(sourceName(source)));
    const left = sources.length - wanted.size;
    const failure = left > 0 ? `${left} more containers are not followed: choose one.` : "";
    if (lines.length !== this.#said.lines.length || failure !== this.#said.failure) this.#tell({ lines, failure });
    for (const [name, source] of wanted) if (!this.#following.has(name)) this.#start(name, source);
  }

  /** Ends it. */
  close(): void {
    for (const stop of this.#following.values()) stop.abort();
    this.#following.clear();
  }

  readonly read = (): Said => this.#said;

  /** @returns ends it */
  readonly subscribe = (tell: () => void): (() => void) => {
    this.#listeners.add(tell);
    return () => this.#listeners.delete(tell);
  };

  #start(name: string, source: Source): void {
    const stop = new AbortController();
    this.#following.set(name, stop);
    this.#keep(source, stop.signal).catch((error: unknown) => {
      if (stop.signal.aborted) return;
      const failure = error instanceof CallFailed ? error.message : "A log broke off; choose the container again.";
      this.#tell({ ...this.#said, failure });
    });
  }

  /** One that has not started yet, or starts again, is asked again. */
  async #keep(source: Source, signal: AbortSignal): Promise<void> {
    let last = "";
    for (;;) {
      try {
        await this.#read(source, signal, last);
      } catch (error) {
        if (this.#previous || !isNotStarted(error)) throw error;
      }
      if (this.#previous) return;
      last = this.#said.lines.findLast((line) => sourceName(line.source) === sourceName(source))?.at ?? last;
      await systemClock.sleep(againMs, signal);
    }
  }

  /** @param last stamp of the last line that is known; "" for none */
  async #read(source: Source, signal: AbortSignal, last: string): Promise<void> {
    const { namespace, pod, container } = source;
    const how = { container, tailLines: String(tailLines), timestamps: "true" };
    const which = this.#previous ? { previous: "true" } : { follow: "true" };
    const since = last === "" ? {} : { sinceTime: last };
    const query = new URLSearchParams({ ...how, ...which, ...since });
    const path = `/hub/api/v1/namespaces/${namespace}/pods/${pod}/log?${query.toString()}`;
    const answer = await send(path, { accept: "*/*", signal });
    await readLines(answer, (texts) => this.#take(source, texts, last));
  }

  /** Chatty containers fill many chunks a frame; the page is drawn once for all of them. */
  #take(source: Source, texts: readonly string[], last: string): void {
    if (this.#waiting.length === 0) requestAnimationFrame(() => this.#flush());
    for (const whole of texts) {
      const [, at = "", text = whole] = /^(\d{4}-\S+Z) (.*)$/s.exec(whole) ?? [];
      // The server counts from whole seconds.
      if (at > last || last === "") this.#waiting.push({ id: this.#nextId++, at, source, text });
    }
  }

  #flush(): void {
    const fresh = this.#waiting.filter(({ source }) => this.#following.has(sourceName(source)));
    this.#waiting = [];
    const lines = [...this.#said.lines, ...fresh];
    // Within a container lines come in order; between them stamps decide.
    if (this.#following.size > 1) lines.sort((a, b) => order(a.at, b.at) || a.id - b.id);
    this.#tell({ ...this.#said, lines: lines.slice(-mostLines) });
  }

  #tell(said: Said): void {
    this.#said = said;
    for (const tell of this.#listeners) tell();
  }
}

/** Source: k8s.io/kubernetes/pkg/kubelet (the container is waiting to start) */
const isNotStarted = (error: unknown): boolean => error instanceof CallFailed && error.code === 400;

function order(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

async function readLines({ body }: Response, take: (lines: readonly string[]) => void): Promise<void> {
  if (body === null) return;
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    const lines = (rest + decoder.decode(value, { stream: !done })).split("\n");
    rest = lines.pop() ?? "";
    if (lines.length > 0) take(lines);
    if (done) return;
  }
}

/**
 * A configuration file whose changes take effect while the server runs. A change for the worse does not: what was read
 * last stays in force, and the log says so.
 */
import { readFile, stat } from "node:fs/promises";
import type { Clock, Timer } from "@atoll/machinery/clock";

/** How a file is followed. */
export interface Following<T> {
  readonly path: string;
  /** @throws when the text cannot be used */
  readonly parse: (text: string) => T | Promise<T>;
  readonly clock: Clock;
  readonly log: { info(fields: object, text: string): void; error(fields: object, text: string): void };
  /** Keys may be read by their owner alone. */
  readonly secret?: boolean;
  /** How often to look, ms. */
  readonly everyMs?: number;
}

const usualEveryMs = 1_000;

/** What a file says now. */
export class Followed<T> {
  readonly #options: Following<T>;
  readonly #listeners = new Set<(value: T) => void>();
  #current: T;
  #text: string;
  #timer: Timer | undefined;
  #closed = false;

  private constructor(options: Following<T>, text: string, current: T) {
    this.#options = options;
    this.#text = text;
    this.#current = current;
    this.#wait();
  }

  /** Reads a file and follows it. @throws what reading or parsing throws */
  static async open<T>(options: Following<T>): Promise<Followed<T>> {
    const text = await read(options);
    return new Followed(options, text, await options.parse(text));
  }

  get current(): T {
    return this.#current;
  }

  /** Calls back after each change. */
  onChange(listener: (value: T) => void): void {
    this.#listeners.add(listener);
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  #wait(): void {
    const { clock, everyMs = usualEveryMs } = this.#options;
    if (!this.#closed) this.#timer = clock.after(everyMs, () => void this.#look(), { unref: true });
  }

  async #look(): Promise<void> {
    const { path, parse, log } = this.#options;
    try {
      const text = await read(this.#options);
      if (text !== this.#text) {
        // Remembered first: a bad text is complained of once.
        this.#text = text;
        this.#current = await parse(text);
        for (const listener of this.#listeners) listener(this.#current);
        log.info({ path }, "configuration read again");
      }
    } catch (error) {
      log.error({ path, reason: (error as Error).message }, "configuration not changed: the file cannot be used");
    }
    this.#wait();
  }
}

const othersMayRead = 0o077;

async function read({ path, secret }: { path: string; secret?: boolean }): Promise<string> {
  if (secret === true && ((await stat(path)).mode & othersMayRead) !== 0) {
    throw new Error(`${path} holds keys: its mode must be 0600`);
  }
  return await readFile(path, "utf8");
}

/**
 * Work that brings something up to date: a round for all that happened since the last began, one at a time.
 *
 *     look() ─▶ due ─▶ round ─▶ due again? ─▶ round …
 */
export interface RoundsOptions {
  /** Looks at the world and does what is to be done. */
  readonly round: () => Promise<void>;
  /** Told when a round fails, unless it is closed. */
  readonly onFailure: (error: unknown) => void;
}

export class Rounds {
  readonly #options: RoundsOptions;
  #working: Promise<void> | undefined;
  #due = false;
  #closed = false;

  constructor(options: RoundsOptions) {
    this.#options = options;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Asks for a round, which begins in a later turn. */
  look(): void {
    if (this.#closed) return;
    this.#due = true;
    this.#working ??= this.#work();
  }

  /** Resolves when the round under way has ended. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#working;
  }

  async #work(): Promise<void> {
    // Not in the turn of the change that called.
    await Promise.resolve();
    while (this.#due && !this.#closed) {
      this.#due = false;
      try {
        await this.#options.round();
      } catch (error) {
        if (!this.#closed) this.#options.onFailure(error);
      }
    }
    this.#working = undefined;
  }
}

/** A queue between one producer and one consumer, for things that arrive when they like. */

/** Holds what has come until it is taken. Ends normally or with an error; what came before is still delivered. */
export class Inbox<T> implements AsyncIterable<T> {
  readonly #items: T[] = [];
  #ended = false;
  #error: Error | undefined;
  #wake: (() => void) | undefined;

  /** Adds one; ignored after the end. */
  push(item: T): void {
    if (this.#ended) return;
    this.#items.push(item);
    this.#wake?.();
  }

  /** Nothing more will come. With an error, the consumer throws it after the last item. */
  end(error?: Error): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#error = error;
    this.#wake?.();
  }

  /** The next item; undefined at the end. One caller at a time. */
  async take(): Promise<T | undefined> {
    while (this.#items.length === 0) {
      if (this.#error !== undefined) throw this.#error;
      if (this.#ended) return undefined;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#items.shift();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    for (let item = await this.take(); item !== undefined; item = await this.take()) yield item;
  }
}

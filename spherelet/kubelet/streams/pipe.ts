/** Bytes from one side that come when they come, to a reader that takes its time. */

/** A queue of bytes between a pushing writer and an awaiting reader. */
export class BytePipe implements AsyncIterable<Uint8Array> {
  readonly #chunks: Uint8Array[] = [];
  #bytes = 0;
  #ended = false;
  #wake = Promise.withResolvers<void>();
  readonly #onRoom: (unread: number) => void;

  /** @param onRoom told how much is unread, each time some was taken */
  constructor(onRoom: (unread: number) => void = () => undefined) {
    this.#onRoom = onRoom;
  }

  /** @returns how much is unread */
  push(chunk: Uint8Array): number {
    if (this.#ended) return 0;
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    this.#wake.resolve();
    return this.#bytes;
  }

  end(): void {
    this.#ended = true;
    this.#wake.resolve();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for (;;) {
      const chunk = this.#chunks.shift();
      if (chunk !== undefined) {
        this.#bytes -= chunk.length;
        this.#onRoom(this.#bytes);
        yield chunk;
        continue;
      }
      if (this.#ended) return;
      await this.#wake.promise;
      this.#wake = Promise.withResolvers();
    }
  }
}

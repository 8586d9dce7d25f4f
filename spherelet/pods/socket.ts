/** A connection inside a machine as a stream of Node's, which HTTP and TLS can speak over. */
import { Duplex } from "node:stream";
import type { ByteStream } from "@atoll/crx/channel/stream";
import type { Guest } from "@atoll/crx/guest";

/** A TCP connection that the guest made. */
export class GuestSocket extends Duplex {
  readonly #guest: Guest;
  readonly #stream: ByteStream;
  readonly #chunks: AsyncIterator<{ readonly bytes: Buffer }>;
  #isReading = false;

  private constructor(guest: Guest, stream: ByteStream) {
    super({ allowHalfOpen: true });
    this.#guest = guest;
    this.#stream = stream;
    this.#chunks = stream[Symbol.asyncIterator]();
  }

  /** Connects to a port; to loopback unless an address is given. @throws {GuestRefused} as connect(2) does */
  static async open(guest: Guest, port: number, address?: Uint8Array): Promise<GuestSocket> {
    return new GuestSocket(guest, await guest.connect(port, address));
  }

  override _read(): void {
    if (this.#isReading) return;
    this.#isReading = true;
    this.#chunks.next().then(
      ({ value, done }) => {
        this.#isReading = false;
        this.push(done === true ? null : (value as { bytes: Buffer }).bytes);
      },
      (error: unknown) => this.destroy(error instanceof Error ? error : new Error(String(error))),
    );
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#stream.input.write(chunk).then(() => done(), done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#stream.input.end();
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#guest.hangUp(this.#stream).then(
      () => done(error),
      () => done(error),
    );
  }
}

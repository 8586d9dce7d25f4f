/** The two threads of a SQLite store, as seen from the thread that serves. */
import { Worker } from "node:worker_threads";
import { type Frame, memoryOf } from "../frame.ts";
import type { Failure } from "./file.ts";
import type { Question, Reply } from "./reader.ts";
import type { Answer, Order, WriterStart } from "./writer.ts";
import { StoreUnavailable } from "../store.ts";

/** Called when a thread has failed in a way that leaves the file's state unknown. */
export type OnFatal = (why: Error) => void;

interface Waiting<T> {
  resolve(value: T): void;
  reject(error: Error): void;
}

/** Makes commits. Orders are carried out and answered in the order given. */
export class WriterThread {
  readonly #worker: Worker;
  readonly #waiting: Waiting<void>[] = [];
  readonly #onFatal: OnFatal;

  constructor(start: WriterStart, onFatal: OnFatal) {
    this.#onFatal = onFatal;
    this.#worker = new Worker(new URL("./writer.ts", import.meta.url), {
      workerData: start,
      name: "sqlite-writer",
      resourceLimits: { maxYoungGenerationSizeMb: 2 },
    });
    this.#worker.on("message", (answer: Answer) => this.#take(answer));
    this.#worker.on("error", (cause) => onFatal(new Error("the thread that writes the store broke", { cause })));
  }

  /**
   * Has an order carried out. A frame's memory is handed over.
   * @throws {StoreUnavailable} nothing of it happened
   */
  order(order: Order): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#worker.postMessage(order, order.do === "write" ? memoryOf([order.frame]) : []);
    });
  }

  #take({ orders, failure }: Answer): void {
    // Nothing more is answered: what became of these writes is unknown.
    if (failure?.fatal === true) return this.#onFatal(lostSync(failure));
    for (const { resolve, reject } of this.#waiting.splice(0, orders)) {
      if (failure === undefined) resolve();
      else reject(new StoreUnavailable(`the store cannot be written: ${failure.failed}`));
    }
  }
}

/** A question without its number. */
type Asked = Question extends infer One ? (One extends Question ? Omit<One, "id"> : never) : never;

/** Reads the file. */
export class ReaderThread {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting<Reply> & { piece(frame: Frame): void }>();
  readonly #onFatal: OnFatal;
  #asked = 0;

  constructor(file: string, onFatal: OnFatal) {
    this.#onFatal = onFatal;
    this.#worker = new Worker(new URL("./reader.ts", import.meta.url), {
      workerData: { file },
      name: "sqlite-reader",
      resourceLimits: { maxYoungGenerationSizeMb: 2 },
    });
    this.#worker.on("message", (reply: Reply) => this.#take(reply));
    this.#worker.on("error", (cause) => onFatal(new Error("the thread that reads the store broke", { cause })));
  }

  /**
   * Asks; a long answer comes in pieces, the last of them as the result.
   * @throws {StoreUnavailable}
   */
  ask(question: Asked, piece: (frame: Frame) => void = () => {}): Promise<Reply> {
    const id = this.#asked++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject, piece });
      this.#worker.postMessage({ ...question, id });
    });
  }

  #take(reply: Reply): void {
    const waiting = this.#waiting.get(reply.id);
    if (reply.more === true && reply.frame !== undefined) return waiting?.piece(reply.frame);
    this.#waiting.delete(reply.id);
    if (reply.failure?.fatal === true) this.#onFatal(lostSync(reply.failure));
    else if (reply.failure === undefined) waiting?.resolve(reply);
    else waiting?.reject(new StoreUnavailable(`the store's file: ${reply.failure.failed}`));
  }
}

function lostSync({ failed }: Failure): Error {
  return new Error(`the disk failed to keep what was written: ${failed}`);
}

/**
 * QEMU's machine protocol: one JSON object a line. QEMU is not trusted beyond its machine: lines are bounded, and
 * nothing it says is used as a path or a command.
 * Source: QEMU docs/interop/qmp-spec.rst.
 */
import type { Duplex } from "node:stream";

/** QEMU refused a command. `reason` is its error class. */
export class QmpRefused extends Error {
  override readonly name = "QmpRefused";
  readonly reason: string;
  constructor(command: string, reason: string, description: string) {
    super(`${command}: ${description}`);
    this.reason = reason;
  }
}

/** The connection to QEMU is gone. */
export class QmpClosed extends Error {
  override readonly name = "QmpClosed";
}

/** Something QEMU reports unasked. */
export interface QmpEvent {
  readonly name: string;
  readonly data: Readonly<Record<string, unknown>>;
}

interface Line {
  readonly QMP?: unknown;
  readonly id?: number;
  readonly return?: unknown;
  readonly error?: { readonly class?: string; readonly desc?: string };
  readonly event?: string;
  readonly data?: Readonly<Record<string, unknown>>;
}

interface Pending {
  readonly command: string;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

const longestLine = 4 << 20;

/** A connection to one QEMU, past its greeting. */
export class Qmp {
  readonly #socket: Duplex;
  readonly #onEvent: (event: QmpEvent) => void;
  readonly #onClose: () => void;
  readonly #pending = new Map<number, Pending>();
  #text = "";
  #lastId = 0;
  #closed = false;
  #greet: (() => void) | undefined;

  private constructor(socket: Duplex, handlers: { event: (event: QmpEvent) => void; close: () => void }) {
    this.#socket = socket;
    this.#onEvent = handlers.event;
    this.#onClose = handlers.close;
    socket.setEncoding("utf8");
    socket.on("data", (text: string) => this.#take(text));
    socket.on("error", () => this.#end());
    socket.on("close", () => this.#end());
  }

  /**
   * Waits for the greeting and leaves capability negotiation.
   * @param handlers.event every event, in order
   * @param handlers.close once, when the connection is gone: usually because QEMU is
   * @throws {QmpClosed}
   */
  static async open(
    socket: Duplex,
    handlers: { event: (event: QmpEvent) => void; close: () => void },
    signal?: AbortSignal,
  ): Promise<Qmp> {
    const qmp = new Qmp(socket, handlers);
    const abort = () => qmp.close();
    signal?.addEventListener("abort", abort, { once: true });
    await new Promise<void>((resolve) => {
      qmp.#greet = resolve;
      if (qmp.#closed || socket.destroyed) resolve();
    });
    await qmp.execute("qmp_capabilities");
    signal?.removeEventListener("abort", abort);
    return qmp;
  }

  /** Whether the connection is gone. */
  get closed(): boolean {
    return this.#closed;
  }

  /**
   * Executes a command.
   * @throws {QmpRefused}
   * @throws {QmpClosed}
   */
  execute(command: string, args: Readonly<Record<string, unknown>> = {}): Promise<unknown> {
    if (this.#closed) return Promise.reject(new QmpClosed(`${command}: QEMU is gone`));
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { command, resolve, reject });
      this.#socket.write(`${JSON.stringify({ execute: command, arguments: args, id })}\n`);
    });
  }

  /** Ends the connection; QEMU goes on. */
  close(): void {
    this.#end();
  }

  #take(text: string): void {
    this.#text += text;
    for (let end = this.#text.indexOf("\n"); end >= 0; end = this.#text.indexOf("\n")) {
      const line = this.#text.slice(0, end);
      this.#text = this.#text.slice(end + 1);
      if (line.trim() !== "" && !this.#takeLine(line)) return this.#end();
    }
    if (this.#text.length > longestLine) this.#end();
  }

  #takeLine(text: string): boolean {
    let line: Line | null;
    try {
      line = JSON.parse(text) as Line | null;
    } catch {
      return false;
    }
    if (typeof line !== "object" || line === null) return false;
    if (line.QMP !== undefined) this.#greet?.();
    else if (typeof line.event === "string") this.#onEvent({ name: line.event, data: line.data ?? {} });
    else if (typeof line.id === "number") this.#answer(line.id, line);
    return true;
  }

  #answer(id: number, line: Line): void {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    if (line.error === undefined) return pending?.resolve(line.return);
    const { class: reason = "GenericError", desc = "refused" } = line.error;
    pending?.reject(new QmpRefused(pending.command, reason, desc));
  }

  #end(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#socket.destroy();
    this.#greet?.();
    for (const { command, reject } of this.#pending.values()) reject(new QmpClosed(`${command}: QEMU is gone`));
    this.#pending.clear();
    this.#onClose();
  }
}

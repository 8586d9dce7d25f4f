/**
 * Bodies are read before their requests take seats: a seat is for the server's work, and who sends a byte a second gives
 * it none. What waits so is bounded, for each user and for all: a few thousand large objects sent at once are not to fill
 * the memory (kubernetes/kubernetes#132963).
 */
import type { IncomingMessage } from "node:http";
import type { Exchange } from "../exchange.ts";
import { bodyMaxBytes } from "../http/body.ts";
import type { Catalogue } from "../registry/catalogue.ts";

/** Bytes of bodies under way at once. */
export interface BodyLimits {
  readonly perUser: number;
  readonly all: number;
}

const usualLimits: BodyLimits = { perUser: 32 * 1024 * 1024, all: 256 * 1024 * 1024 };
/** Bodies up to this long are not refused for what others send. */
const smallBytes = 64 * 1024;

/** The bodies of requests that are not over yet. */
export class Bodies {
  readonly #catalogue: Catalogue;
  readonly #limits: BodyLimits;
  readonly #users = new Map<string, number>();
  #all = 0;

  constructor(catalogue: Catalogue, limits: BodyLimits = usualLimits) {
    this.#catalogue = catalogue;
    this.#limits = limits;
  }

  /**
   * Books the body of a request until the request is over, and resolves when it is there, or known not to come: whoever
   * needs it will hear why. Undefined: there is none, or it is for somebody else to read. False: it is too much.
   */
  comes(exchange: Exchange, user: string): Promise<void> | undefined | false {
    const { info } = exchange;
    if (info.method === "GET" || info.method === "HEAD") return undefined;
    const bytes = bytesOf(exchange.request);
    if (bytes === 0 || this.#catalogue.find(info.group, info.version, info.resource) === undefined) return undefined;
    if (!this.#book(user, bytes)) return false;
    exchange.onDone(() => this.#release(user, bytes));
    return exchange.fetchBody();
  }

  #book(user: string, bytes: number): boolean {
    const before = this.#users.get(user) ?? 0;
    if (before > 0 && before + bytes > this.#limits.perUser) return false;
    if (bytes > smallBytes && this.#all + bytes > this.#limits.all) return false;
    this.#users.set(user, before + bytes);
    this.#all += bytes;
    return true;
  }

  #release(user: string, bytes: number): void {
    const left = (this.#users.get(user) ?? 0) - bytes;
    if (left > 0) this.#users.set(user, left);
    else this.#users.delete(user);
    this.#all -= bytes;
  }
}

/** What a request says of its body; one that says nothing may have the longest there is. */
function bytesOf(request: IncomingMessage): number {
  const { "content-length": length, "transfer-encoding": encoding } = request.headers;
  if (length !== undefined) return Math.min(Number(length), bodyMaxBytes);
  const { stream } = request as { stream?: { readonly endAfterHeaders: boolean } };
  const isOpen = stream === undefined ? encoding !== undefined : !stream.endAfterHeaders;
  return isOpen ? bodyMaxBytes : 0;
}

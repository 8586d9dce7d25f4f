/** One HTTP request on its way through the stages, and what they learn about it. */
import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Schema } from "@atoll/machinery/schema/schema";
import type { StreamReply, User } from "./call.ts";
import { readBody } from "./http/body.ts";
import type { Reply } from "./reply.ts";
import { parseRequest, type RequestInfo } from "./request.ts";

/** What the client is told in the end. */
export type Answer = Reply | StreamReply;

/**
 * A step of the pipeline. An answer ends the request there; undefined passes it on.
 * A throw of StatusError is an answer, too.
 */
export type Stage = (exchange: Exchange) => Answer | undefined | Promise<Answer | undefined>;

export class Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly info: RequestInfo;
  readonly startedMs: number;
  /** Texts for Warning headers. */
  readonly warnings: string[] = [];
  /** It asked for a version of a resource that is to go. */
  deprecated = false;
  /** Headers of the answer beside the usual ones: names and values in turn. */
  readonly headers: string[] = [];
  /** Annotations of the request's audit event. */
  readonly annotations = new Map<string, string>();
  /** Set by the authenticating stage. */
  user: User | undefined;
  /** Set by the authorizing stage; what nobody allowed is not answered. */
  authorized = false;
  /** Name of the object that was made, where the path has none. */
  objectName: string | undefined;
  /** The body, once whoever answers has asked for it. */
  bodyRead: Buffer | undefined;
  /** By which a body in protobuf can be read, where there is a kind for it. */
  bodySchema: Schema | undefined;
  /** What was thrown that is no refusal: a bug. */
  crash: unknown;
  #answer: Answer | undefined;
  #auditId: string | undefined;
  #body: Promise<Buffer> | undefined;
  #gone: AbortController | undefined;
  readonly #answered: ((answer: Answer) => void)[] = [];
  readonly #done: ((code: number) => void)[] = [];
  readonly #whenIdle: (() => void)[] = [];
  #idle = false;

  /** @throws {StatusError} BadRequest for a path that cannot be read */
  constructor(request: IncomingMessage, response: ServerResponse, startedMs: number) {
    this.request = request;
    this.response = response;
    this.startedMs = startedMs;
    this.info = parseRequest(request.method ?? "GET", request.url ?? "/");
  }

  /** Names this request in the audit log and the answer. */
  get auditId(): string {
    const given = this.request.headers["audit-id"];
    this.#auditId ??= typeof given === "string" && /^[\w-]{1,64}$/.test(given) ? given : randomUUID();
    return this.#auditId;
  }

  /** The whole body, read once. @throws {StatusError} RequestEntityTooLarge */
  async body(): Promise<Buffer> {
    this.#body ??= readBody(this.request);
    return (this.bodyRead = await this.#body);
  }

  /** Reads the body for whoever will ask for it; resolves when it is there, or what is wrong with it is known. */
  async fetchBody(): Promise<void> {
    this.#body ??= readBody(this.request);
    await this.#body.catch(() => undefined);
  }

  /** Aborted when the client is gone. */
  get signal(): AbortSignal {
    if (this.#gone === undefined) {
      const gone = new AbortController();
      this.#gone = gone;
      this.response.once("close", () => gone.abort());
    }
    return this.#gone.signal;
  }

  /** What the client is told; undefined while it is not known. */
  get answer(): Answer | undefined {
    return this.#answer;
  }

  /** Calls back when it is known what the client is told, before it is. */
  onAnswer(callback: (answer: Answer) => void): void {
    this.#answered.push(callback);
  }

  answered(answer: Answer): void {
    this.#answer = answer;
    for (const callback of this.#answered) callback(answer);
  }

  /** Calls back when the answer has been given, with its code. */
  onDone(callback: (code: number) => void): void {
    this.#done.push(callback);
  }

  done(code: number): void {
    for (const callback of this.#done) callback(code);
  }

  /** Calls back when the answer needs no more work: it is written, or its client is slow to take it, or gone. */
  onIdle(callback: () => void): void {
    if (this.#idle) callback();
    else this.#whenIdle.push(callback);
  }

  idle(): void {
    this.#idle = true;
    for (const callback of this.#whenIdle.splice(0)) callback();
  }
}

/**
 * Runs a request through the stages, in order, and writes its answer.
 */
import type { ServerResponse } from "node:http";
import type { Clock } from "@atoll/machinery/clock";
import { StatusError } from "@atoll/machinery/status";
import { type Answer, Exchange, type Stage } from "./exchange.ts";
import { type Outlet, piecesOf } from "./http/outlet.ts";
import { errorReply, isLong, type Reply, textReply } from "./reply.ts";
import type { IncomingMessage } from "node:http";

export interface PipelineOptions {
  readonly stages: readonly Stage[];
  readonly clock: Clock;
  /** Through which long answers go. */
  readonly outlet: Outlet;
  /** Told about failures that are nobody's request: bugs. */
  readonly onFailure: (error: unknown, what: string) => void;
}

/** A handler of requests for the listener. It never throws. */
export function pipeline({ stages, clock, outlet, onFailure }: PipelineOptions) {
  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    let exchange: Exchange | undefined;
    let answer: Answer;
    try {
      exchange = new Exchange(request, response, clock.monotonicMs());
      answer = await run(stages, exchange);
    } catch (error) {
      if (!(error instanceof StatusError)) {
        if (exchange !== undefined) exchange.crash = error;
        onFailure(error, `${request.method} ${request.url}`);
      }
      answer = errorReply(error);
    }
    try {
      write(response, answer, { exchange, outlet });
    } catch (error) {
      onFailure(error, "writing an answer");
      response.destroy();
      exchange?.done(500);
      exchange?.idle();
    }
  };
}

async function run(stages: readonly Stage[], exchange: Exchange): Promise<Answer> {
  for (const stage of stages) {
    const outcome = stage(exchange);
    const answer = outcome instanceof Promise ? await outcome : outcome;
    if (answer !== undefined) return checkAuthorized(exchange, answer);
  }
  return textReply(404, "404 page not found\n");
}

/** A stage that answers before anybody allowed it is a bug, and tells nothing. Errors are thrown, and may be told. */
function checkAuthorized({ authorized }: Exchange, answer: Answer): Answer {
  if (!authorized) throw new Error("an answer that nobody authorized");
  return answer;
}

/** Where an answer goes; a request that could not be read has no exchange. */
interface Way {
  readonly exchange: Exchange | undefined;
  readonly outlet: Outlet;
}

function write(response: ServerResponse, answer: Answer, way: Way): void {
  const { exchange } = way;
  exchange?.answered(answer);
  if (response.destroyed || response.headersSent) {
    exchange?.done(clientGone);
    exchange?.idle();
    return;
  }
  if ("stream" in answer) {
    if (exchange !== undefined) setCommonHeaders(response, exchange);
    response.once("close", () => exchange?.done(response.statusCode));
    answer.stream(response);
    return;
  }
  writeReply(response, answer, way);
  exchange?.done(answer.code);
}

function setCommonHeaders(response: ServerResponse, exchange: Exchange): void {
  const headers = commonHeaders(exchange);
  for (let i = 0; i < headers.length; i += 2) response.setHeader(String(headers[i]), headers[i + 1] ?? "");
}

/** Names and values in turn. */
function commonHeaders(exchange: Exchange): (string | string[])[] {
  const headers: (string | string[])[] = ["audit-id", exchange.auditId, "cache-control", "no-cache, private"];
  headers.push(...exchange.headers);
  if (exchange.warnings.length > 0) {
    headers.push("warning", exchange.warnings.slice(0, maxWarnings).map(warning));
  }
  return headers;
}

function writeReply(response: ServerResponse, reply: Reply, { exchange, outlet }: Way): void {
  const { code, contentType, body, headers } = reply;
  // All at once and as a list: Node takes much longer over headers one by one.
  const told = exchange === undefined ? [] : commonHeaders(exchange);
  if (contentType !== "") told.push("content-type", contentType);
  told.push("content-length", String(body.length));
  for (const [name, value] of Object.entries(headers ?? {})) told.push(name, value);
  response.writeHead(code, told);
  if (exchange?.request.method === "HEAD" || code === 304) {
    response.end();
    exchange?.idle();
    return;
  }
  if (body instanceof Uint8Array && !isLong(reply)) {
    response.end(body);
    exchange?.idle();
    return;
  }
  const pieces = body instanceof Uint8Array ? piecesOf(body) : body;
  outlet.send(response, pieces[Symbol.iterator](), () => exchange?.idle());
}

// What proxies call a client that did not wait.
const clientGone = 499;
const maxWarnings = 50;
const maxWarningLength = 1024;

/** Source: RFC 7234, 5.5; kubernetes.io/blog/2020/09/03/warnings */
function warning(text: string): string {
  const printable = text.slice(0, maxWarningLength).replace(/[^\x20-\x7e]/g, "?");
  return `299 - "${printable.replace(/["\\]/g, "\\$&")}"`;
}

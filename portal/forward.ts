/** Calls of the page, passed on to the API server in the name of the person, and its answers back as they come. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { pipeline, Readable } from "node:stream";
import { TransportFailed } from "@atoll/client/transport";
import { readBody, refuse } from "./answer.ts";
import type { Session } from "./sessions.ts";

/** Where the API server is, for the page. */
export const hubPrefix = "/hub";

const sentOn = ["accept", "content-type"];
const sentBack = ["content-type", "warning", "retry-after", "audit-id"];

/** Passes a call on. @returns the status of the answer; undefined when none came */
export async function forward(
  request: IncomingMessage,
  response: ServerResponse,
  session: Session,
): Promise<number | undefined> {
  const gone = new AbortController();
  response.once("close", () => gone.abort());
  const isWrite = request.method !== "GET" && request.method !== "HEAD";
  const body = isWrite ? await readBody(request) : undefined;
  const signal = AbortSignal.any([gone.signal, session.ended]);
  try {
    const answer = await session.transport.request({
      method: request.method ?? "GET",
      path: (request.url ?? "").slice(hubPrefix.length),
      headers: some(request.headers as Record<string, string>, sentOn),
      signal,
      ...(body === undefined || body.length === 0 ? {} : { body }),
    });
    response.writeHead(answer.status, { ...some(answer.headers, sentBack), "cache-control": "no-store" });
    response.flushHeaders();
    // A reader that went away is no failure.
    await new Promise<void>((done) => pipeline(Readable.from(answer.body), response, () => done()));
    return answer.status;
  } catch (error) {
    if (signal.aborted || response.headersSent) return undefined;
    if (!(error instanceof TransportFailed)) throw error;
    refuse(response, 502, "ServiceUnavailable", `The API server does not answer: ${error.message}`);
    return undefined;
  }
}

function some(headers: Readonly<Record<string, string>>, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = headers[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

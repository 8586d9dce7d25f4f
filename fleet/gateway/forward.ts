/** Hands an agent's request on to the hub's API, as that agent. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Transport } from "@atoll/client/transport";
import { StatusError } from "@atoll/machinery/status";

/** By whom, as whom, and how long. */
export interface Onward {
  readonly transport: Transport;
  /** Whom the hub is to take it for. */
  readonly user: string;
  /** Aborts what is under way. */
  readonly signal: AbortSignal;
}

const largestBody = 3 * 1024 * 1024;
/** What is handed on of an agent's headers; nothing that could name somebody else. */
const passed = ["accept", "content-type", "user-agent"] as const;

/** @throws {StatusError} too large a body; the hub does not answer */
export async function forward(
  request: IncomingMessage,
  response: ServerResponse,
  { transport, user, signal }: Onward,
): Promise<void> {
  const body = await readAll(request);
  const headers: Record<string, string> = { "impersonate-user": user };
  for (const name of passed) {
    const value = request.headers[name];
    if (typeof value === "string") headers[name] = value;
  }
  const { method = "GET", url = "/" } = request;
  const sent = { method, path: url, headers, signal, ...(body.length === 0 ? {} : { body }) };
  const answer = await transport.request(sent).catch((cause: unknown) => {
    throw new StatusError("ServiceUnavailable", "the hub does not answer; try again", { cause });
  });
  const contentType = answer.headers["content-type"] ?? "application/json";
  response.writeHead(answer.status, { "content-type": contentType });
  response.flushHeaders();
  try {
    for await (const chunk of answer.body) {
      if (!response.write(chunk)) await drained(response);
    }
    response.end();
  } catch {
    // Cut on either side: the agent sees a stream that ends too early, and asks again.
    response.destroy();
  }
}

async function readAll(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > largestBody)
      throw new StatusError("RequestEntityTooLarge", `a request may be ${largestBody} bytes long`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      response.off("drain", done);
      response.off("close", done);
      resolve();
    };
    response.once("drain", done);
    response.once("close", done);
  });
}

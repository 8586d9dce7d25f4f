/** Answers of the portal's own, and bodies of requests. */
import type { IncomingMessage, ServerResponse } from "node:http";

/** The largest body taken, bytes: the API server takes 3 MiB. */
const mostBytes = 3 * 1024 * 1024;

/** The request's body is larger than the API server would take. */
export class BodyTooLarge extends Error {
  override readonly name = "BodyTooLarge";
}

/** Answers with JSON. */
export function answerJson(response: ServerResponse, code: number, body: unknown): void {
  response.writeHead(code, { "content-type": "application/json", "cache-control": "no-store" });
  response.end(JSON.stringify(body));
}

/** Answers with a refusal, as the API server would spell it. */
export function refuse(response: ServerResponse, code: number, reason: string, message: string): void {
  answerJson(response, code, { kind: "Status", apiVersion: "v1", status: "Failure", reason, message, code });
}

/** Sends a browser elsewhere. */
export function redirect(response: ServerResponse, location: string): void {
  response.writeHead(303, { location, "cache-control": "no-store" });
  response.end();
}

/** The whole body. @throws {BodyTooLarge} */
export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > mostBytes) throw new BodyTooLarge(`more than ${mostBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

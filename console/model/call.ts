/** Calls of the page to the portal, and through it to the API server. */

import { readWarnings } from "@atoll/client/warnings";

/** What went wrong, for people: what happened, and which fields are at fault. */
export class CallFailed extends Error {
  override readonly name = "CallFailed";
  readonly code: number;
  readonly reason: string;
  readonly causes: readonly { readonly field?: string; readonly message?: string }[];

  constructor(message: string, options: { code: number; reason?: string; causes?: CallFailed["causes"] }) {
    super(message);
    this.code = options.code;
    this.reason = options.reason ?? "";
    this.causes = options.causes ?? [];
  }
}

/** One call. */
export interface Call {
  readonly method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Sent as JSON, a string as it is. */
  readonly body?: unknown;
  readonly contentType?: string;
  readonly accept?: string;
  readonly signal?: AbortSignal;
  /** Told what the API server says beside its answer. */
  readonly onWarning?: (text: string) => void;
}

/** On every call: no other site can send it. */
export const ownHeader = { "x-atoll-console": "1" } as const;

/**
 * Sends a call to the portal.
 * @param path as the portal has it; the API server's begin with `/hub`
 * @throws {CallFailed} it was refused, or no answer came
 */
export async function send(path: string, call: Call = {}): Promise<Response> {
  const { method = "GET", body, contentType = "application/json", accept = "application/json", signal } = call;
  const sent = body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) };
  const headers = { ...ownHeader, accept, ...(body === undefined ? {} : { "content-type": contentType }) };
  const answer = await fetch(path, { method, headers, ...sent, signal: signal ?? null }).catch((cause: unknown) => {
    if (signal?.aborted === true) throw cause;
    throw new CallFailed("The console does not answer. Is it still running?", { code: 0 });
  });
  if (answer.ok) return answer;
  throw await failureOf(answer);
}

/** Sends a call to the API server and reads the JSON that it answers. @throws {CallFailed} */
export async function ask<T>(path: string, call: Call = {}): Promise<T> {
  const answer = await send(`/hub${path}`, call);
  for (const text of readWarnings(answer.headers.get("warning") ?? "")) call.onWarning?.(text);
  return (await answer.json()) as T;
}

async function failureOf(answer: Response): Promise<CallFailed> {
  const text = await answer.text();
  try {
    const { message, reason, details } = JSON.parse(text) as {
      message?: string;
      reason?: string;
      details?: { causes?: CallFailed["causes"] };
    };
    const causes = details?.causes ?? [];
    return new CallFailed(message ?? text, { code: answer.status, reason: reason ?? "", causes });
  } catch {
    return new CallFailed(text === "" ? `The answer was ${answer.status}.` : text, { code: answer.status });
  }
}

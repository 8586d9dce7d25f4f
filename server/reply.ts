/** From reasons to HTTP: the one place where errors become numbers, and where answers are described. */
import { type Reason, StatusError, type StatusDetails } from "@atoll/machinery/status";

/** A long body whose pieces are made as the client takes them, so that it is never whole in memory. */
export interface Pieces extends Iterable<Buffer> {
  /** Bytes of all pieces together. */
  readonly length: number;
}

/** An answer, before it is written. `stream` answers write themselves (watch, proxies). */
export interface Reply {
  readonly code: number;
  /** "" for an answer without a body that says nothing of one. */
  readonly contentType: string;
  readonly body: Buffer | Pieces;
  readonly headers?: Readonly<Record<string, string>>;
}

const longBytes = 64 * 1024;

/** Whether an answer is written in turns with others. */
export function isLong({ body }: Reply): boolean {
  return body.length > longBytes;
}

// Source: k8s.io/apimachinery/pkg/api/errors
const codes: Readonly<Record<Reason, number>> = {
  BadRequest: 400,
  Unauthorized: 401,
  Forbidden: 403,
  NotFound: 404,
  MethodNotAllowed: 405,
  NotAcceptable: 406,
  AlreadyExists: 409,
  Conflict: 409,
  Gone: 410,
  Expired: 410,
  Invalid: 422,
  RequestEntityTooLarge: 413,
  UnsupportedMediaType: 415,
  TooManyRequests: 429,
  InternalError: 500,
  ServerTimeout: 500,
  Timeout: 504,
  ServiceUnavailable: 503,
  StorageReadFailed: 500,
  Unknown: 500,
};

/** A Status object, as the wire shows it. */
export interface Status {
  readonly kind: "Status";
  readonly apiVersion: "v1";
  readonly metadata: { readonly continue?: string };
  readonly status: "Success" | "Failure";
  readonly message?: string;
  readonly reason?: string;
  readonly details?: StatusDetails;
  readonly code?: number;
}

/** The HTTP number of an error. */
function codeOf(error: StatusError): number {
  return error.code ?? codes[error.reason];
}

/** An error as a Status; anything that is no StatusError is an InternalError that tells nothing of itself. */
export function statusOf(error: unknown): Status & { code: number } {
  if (!(error instanceof StatusError)) {
    return statusOf(new StatusError("InternalError", "Internal error occurred: see the server's log"));
  }
  return {
    kind: "Status",
    apiVersion: "v1",
    metadata: error.continueToken === undefined ? {} : { continue: error.continueToken },
    status: "Failure",
    message: error.message,
    ...(error.reason === "Unknown" ? {} : { reason: error.reason }),
    ...(error.details === undefined ? {} : { details: error.details }),
    code: codeOf(error),
  };
}

/** Media type of nearly every answer. */
export const jsonType = "application/json";

/** A JSON answer. */
export function jsonReply(code: number, value: unknown, headers?: Record<string, string>): Reply {
  const reply = { code, contentType: jsonType, body: Buffer.from(JSON.stringify(value)) };
  return headers === undefined ? reply : { ...reply, headers };
}

/** A plain-text answer. */
export function textReply(code: number, text: string): Reply {
  return { code, contentType: "text/plain; charset=utf-8", body: Buffer.from(text) };
}

/** An error as an answer, with Retry-After where the error names a delay. */
export function errorReply(error: unknown): Reply {
  const status = statusOf(error);
  const retry = status.details?.retryAfterSeconds;
  return jsonReply(status.code, status, retry === undefined ? undefined : { "retry-after": String(retry) });
}

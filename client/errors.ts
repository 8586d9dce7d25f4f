/**
 * Answers that report a failure, as errors, and what a caller asks about them.
 * Source: k8s.io/apimachinery/pkg/api/errors (NewGenericServerResponse, IsNotFound …)
 */
import type { Reason, StatusCause, StatusDetails } from "@atoll/machinery/status";
import { StatusError } from "@atoll/machinery/status";

const reasons: ReadonlySet<string> = new Set<Reason>([
  "BadRequest",
  "Unauthorized",
  "Forbidden",
  "NotFound",
  "MethodNotAllowed",
  "NotAcceptable",
  "AlreadyExists",
  "Conflict",
  "Gone",
  "Expired",
  "Invalid",
  "RequestEntityTooLarge",
  "UnsupportedMediaType",
  "TooManyRequests",
  "InternalError",
  "ServerTimeout",
  "Timeout",
  "ServiceUnavailable",
  "StorageReadFailed",
]);

/** What a bare number means when no Status came with it. */
const reasonOfCode: Readonly<Record<number, Reason>> = {
  400: "BadRequest",
  401: "Unauthorized",
  403: "Forbidden",
  404: "NotFound",
  405: "MethodNotAllowed",
  406: "NotAcceptable",
  409: "Conflict",
  410: "Gone",
  413: "RequestEntityTooLarge",
  415: "UnsupportedMediaType",
  422: "Invalid",
  429: "TooManyRequests",
  500: "InternalError",
  503: "ServiceUnavailable",
  504: "Timeout",
};

/** A Status object as it is sent. */
export interface StatusBody {
  readonly kind: "Status";
  readonly status?: string;
  readonly message?: string;
  readonly reason?: string;
  readonly code?: number;
  readonly details?: {
    readonly name?: string;
    readonly group?: string;
    readonly kind?: string;
    readonly uid?: string;
    readonly causes?: readonly { reason?: string; message?: string; field?: string }[] | null;
    readonly retryAfterSeconds?: number;
  };
  readonly metadata?: { readonly continue?: string };
}

/** Whether a decoded body is a Status. */
export function isStatus(body: unknown): body is StatusBody {
  return typeof body === "object" && body !== null && (body as { kind?: unknown }).kind === "Status";
}

function causeOf(cause: { reason?: string; message?: string; field?: string }): StatusCause {
  const known = { reason: cause.reason ?? "", message: cause.message ?? "" };
  return cause.field === undefined ? known : { ...known, field: cause.field };
}

function detailsOf(body: StatusBody): StatusDetails | undefined {
  if (body.details === undefined) return undefined;
  const { causes, ...rest } = body.details;
  return causes === undefined || causes === null ? rest : { ...rest, causes: causes.map(causeOf) };
}

/** The error that a Status reports; `code` is the HTTP number, for a Status that carries none. */
export function errorOfStatus(body: StatusBody, code: number): StatusError {
  const number = body.code ?? code;
  const said = body.reason ?? "";
  const reason = reasons.has(said) ? (said as Reason) : (reasonOfCode[number] ?? "Unknown");
  const continueToken = body.metadata?.continue;
  return new StatusError(reason, body.message ?? `the server answered ${number}`, {
    code: number,
    details: detailsOf(body),
    ...(continueToken === undefined ? {} : { continueToken }),
  });
}

const longestQuote = 256;

/** The error of a failed answer whose body is no Status: a proxy's page, an empty body. */
export function errorOfText(code: number, text: string): StatusError {
  const quoted = text.trim().slice(0, longestQuote);
  const message = quoted === "" ? `the server answered ${code}` : `the server answered ${code}: ${quoted}`;
  return new StatusError(reasonOfCode[code] ?? "Unknown", message, { code });
}

/** Whether the server refused for one of the reasons. */
export function isRefusal(error: unknown, ...wanted: readonly Reason[]): error is StatusError {
  return error instanceof StatusError && wanted.includes(error.reason);
}

/** No object of that name, or no such resource. */
export function isNotFound(error: unknown): error is StatusError {
  return isRefusal(error, "NotFound");
}

/** Somebody else wrote since we read, or a precondition failed. */
export function isConflict(error: unknown): error is StatusError {
  return isRefusal(error, "Conflict");
}

/** The name is taken. */
export function isAlreadyExists(error: unknown): error is StatusError {
  return isRefusal(error, "AlreadyExists");
}

/** The revision asked for is no longer kept: list again. */
export function isExpired(error: unknown): error is StatusError {
  return isRefusal(error, "Expired", "Gone");
}

/** Content cannot be made there because the namespace is on its way out. */
export function isNamespaceTerminating(error: unknown): error is StatusError {
  return (
    isRefusal(error, "Forbidden") &&
    (error.details?.causes?.some((cause) => cause.reason === "NamespaceTerminating") ?? false)
  );
}

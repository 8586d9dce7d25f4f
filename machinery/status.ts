/**
 * Errors as the Kubernetes API reports them: a closed set of reasons, a sentence that is safe to show,
 * details with the fields at fault. Only the server turns a reason into an HTTP number.
 * Source: k8s.io/apimachinery/pkg/apis/meta/v1 (StatusReason, StatusDetails), pkg/util/validation/field
 */

/** Machine-readable reasons of a failed request, spelled as Kubernetes does. */
export type Reason =
  | "BadRequest"
  | "Unauthorized"
  | "Forbidden"
  | "NotFound"
  | "MethodNotAllowed"
  | "NotAcceptable"
  | "AlreadyExists"
  | "Conflict"
  | "Gone"
  | "Expired"
  | "Invalid"
  | "RequestEntityTooLarge"
  | "UnsupportedMediaType"
  | "TooManyRequests"
  | "InternalError"
  | "ServerTimeout"
  | "Timeout"
  | "ServiceUnavailable"
  | "StorageReadFailed"
  | "Unknown";

/** One field at fault. `reason` is a CauseType of Kubernetes, as FieldValueRequired; refusals by policies have none. */
export interface StatusCause {
  readonly reason?: string;
  readonly message: string;
  readonly field?: string;
}

/** What a Status says about the object at fault. */
export interface StatusDetails {
  readonly name?: string;
  readonly group?: string;
  readonly kind?: string;
  readonly uid?: string;
  readonly causes?: readonly StatusCause[];
  readonly retryAfterSeconds?: number;
}

/** A refusal or failure that the caller is told about. `cause` is for the log only. */
export class StatusError extends Error {
  override readonly name = "StatusError";
  readonly reason: Reason;
  readonly details: StatusDetails | undefined;
  /** Overrides the reason's usual HTTP number; for the few cases where Kubernetes pairs them differently. */
  readonly code: number | undefined;
  /** `continue` token offered with an Expired list. */
  readonly continueToken: string | undefined;

  constructor(
    reason: Reason,
    message: string,
    options: {
      cause?: unknown;
      details?: StatusDetails | undefined;
      code?: number | undefined;
      continueToken?: string;
    } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.reason = reason;
    this.details = options.details;
    this.code = options.code;
    this.continueToken = options.continueToken;
  }
}

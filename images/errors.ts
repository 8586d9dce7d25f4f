/**
 * What can go wrong with an image, said once: the content breaks a rule (ImageRefused), it could not be fetched
 * (ImagePullFailed), or it could not be built (ImageBuildFailed).
 */

/** Why content is refused. */
export type RefusalCode =
  | "BadPath"
  | "BadLink"
  | "LimitExceeded"
  | "Malformed"
  | "Truncated"
  | "DigestMismatch"
  | "Unsupported";

/** An image, layer or archive that breaks a rule. Trying again with the same bytes gives the same answer. */
export class ImageRefused extends Error {
  override readonly name = "ImageRefused";
  readonly code: RefusalCode;

  constructor(code: RefusalCode, message: string, options: { cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
  }
}

/** A conversion that failed for a reason of the host's: disk full, a child that could not be started. */
export class ConversionFailed extends Error {
  override readonly name = "ConversionFailed";
}

/**
 * Why a pull failed. `InvalidName`, `NotFound` and `Unauthorized` are the registry's or the user's doing;
 * `Unavailable` and `Stalled` may pass; `Refused` is an image that breaks a rule; `HostFailed` is this host's disk or
 * processes; `BackOff` was not tried at all.
 */
export type PullFault =
  | "InvalidName"
  | "NotFound"
  | "Unauthorized"
  | "Unavailable"
  | "Stalled"
  | "Refused"
  | "HostFailed"
  | "BackOff";

/** An image that could not be fetched. The message is safe to show: it holds no credential. */
export class ImagePullFailed extends Error {
  override readonly name = "ImagePullFailed";
  readonly fault: PullFault;
  /** With `BackOff`: ms until the next try. */
  readonly retryAfterMs: number | undefined;

  constructor(fault: PullFault, message: string, options: { cause?: unknown; retryAfterMs?: number } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.fault = fault;
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** A build that did not end in an image. `output` is the end of what the tools printed. */
export class ImageBuildFailed extends Error {
  override readonly name = "ImageBuildFailed";
  readonly output: string;
  /** Exit code of the tool that failed. */
  readonly code: number | undefined;

  constructor(message: string, output = "", options: { cause?: unknown; code?: number | undefined } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.output = output;
    this.code = options.code;
  }
}

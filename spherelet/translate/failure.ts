/** What keeps a container from being started, in the words of its waiting state. */

/** A container that cannot be started now. */
export class CannotStart extends Error {
  override readonly name = "CannotStart";
  /** CreateContainerConfigError, CreateContainerError, ErrImagePull … */
  readonly reason: string;
  /** Until another try is worth it, ms; undefined for the usual time. */
  readonly retryAfterMs: number | undefined;

  constructor(reason: string, message: string, options: { cause?: unknown; retryAfterMs?: number } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.reason = reason;
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** Something that the container's configuration names is not there or makes no sense. */
export function configError(message: string): CannotStart {
  return new CannotStart("CreateContainerConfigError", message);
}

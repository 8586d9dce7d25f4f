/**
 * For how long the cluster surely counts on this host: from when it last *asked* to have its lease renewed, and was told
 * yes, for as long as the lease lasts. By the monotonic clock. Whoever gives hosts up waits longer than that (the grace of
 * controllers/nodelifecycle), so what a host keeps to itself within this term no other has.
 */
import type { Clock } from "@atoll/machinery/clock";

/** How long a lease lasts, s. Source: k8s.io/kubernetes/pkg/kubelet/apis/config/v1beta1 (nodeLeaseDurationSeconds) */
export const leaseSeconds = 40;

/** The term of a host's lease. */
export class LeaseTerm {
  readonly #clock: Clock;
  readonly #listeners: (() => void)[] = [];
  #endMs = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** How much of it is left, ms; 0 when it is over, or has not begun. */
  get leftMs(): number {
    return Math.max(0, this.#endMs - this.#clock.monotonicMs());
  }

  /** The lease was renewed. @param askedMs when that was asked for, monotonic */
  renewed(askedMs: number): void {
    this.#endMs = askedMs + leaseSeconds * 1_000;
    for (const listener of this.#listeners) listener();
  }

  /** Calls after each renewal. */
  onRenewed(listener: () => void): void {
    this.#listeners.push(listener);
  }
}

/**
 * What probes mean. Pure: results go in, verdicts come out.
 * Source: k8s.io/kubernetes/pkg/kubelet/prober/worker.go
 */
import type { Container, EphemeralContainer, Probe } from "@atoll/api/builtin/core/v1.types";

/** What a probe is for. */
export type ProbeKind = "startup" | "liveness" | "readiness";

/** Where a probe stands. */
export interface ProbeState {
  /** What counts, after thresholds; undefined before the first verdict. */
  readonly verdict: boolean | undefined;
  /** The last result, and how often it came in a row. */
  readonly last: boolean | undefined;
  readonly row: number;
}

/** A probe that has not run. */
export const untried: ProbeState = { verdict: undefined, last: undefined, row: 0 };

const defaults = { failureThreshold: 3, successThreshold: 1, periodSeconds: 10, timeoutSeconds: 1 } as const;

/** The probe with everything said. */
export function filled(probe: Probe): Probe & Required<Pick<Probe, keyof typeof defaults>> {
  return { ...defaults, ...probe };
}

/** Where a probe stands after one more result. */
export function afterResult(probe: Probe, { verdict, last, row }: ProbeState, result: boolean): ProbeState {
  const { failureThreshold, successThreshold } = filled(probe);
  const again = last === result ? row + 1 : 1;
  const isSettled = again >= (result ? successThreshold : failureThreshold);
  return { verdict: isSettled ? result : verdict, last: result, row: again };
}

/** The probe of a kind that a container has. */
export function probeOf(
  { startupProbe, livenessProbe, readinessProbe }: Container | EphemeralContainer,
  kind: ProbeKind,
): Probe | undefined {
  return { startup: startupProbe, liveness: livenessProbe, readiness: readinessProbe }[kind];
}

/** When a probe runs for the first time, ms after its container's start. */
export function firstProbeMs(probe: Probe): number {
  return (probe.initialDelaySeconds ?? 0) * 1000;
}

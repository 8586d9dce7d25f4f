/**
 * How the server's seats are divided among the priority levels.
 * Source: k8s.io/apiserver/pkg/util/flowcontrol/apf_controller.go; k8s.io/api/flowcontrol/v1 (PriorityLevelConfiguration)
 */
import type {
  PriorityLevelConfiguration,
  QueuingConfiguration,
} from "@atoll/api/builtin/flowcontrol.apiserver.k8s.io/v1.types";

/** What a level may use. Seats are requests' widths added up. */
export interface LevelLimits {
  readonly name: string;
  readonly uid: string;
  /** Never waits, never is refused. */
  readonly exempt: boolean;
  /** Its part of the whole. */
  readonly nominal: number;
  /** The part of it that others may use while it does not. */
  readonly lendable: number;
  /** The most it may use, with what it borrows. */
  readonly most: number;
  /** Absent: what finds no seat is refused. */
  readonly queuing: QueuingConfiguration | undefined;
}

const usualShares = 30;

/** Divides seats in proportion to the levels' shares, rounded up so that each gets some. */
export function divide(seats: number, levels: readonly PriorityLevelConfiguration[]): readonly LevelLimits[] {
  const sum = levels.reduce((total, level) => total + sharesOf(level), 0);
  return levels.map((level) => {
    const { metadata, spec } = level;
    const { name = "", uid = "" } = metadata;
    const exempt = spec.type === "Exempt";
    const nominal = sum === 0 ? 0 : Math.ceil((seats * sharesOf(level)) / sum);
    const lendablePercent = (exempt ? spec.exempt?.lendablePercent : spec.limited?.lendablePercent) ?? 0;
    const borrowPercent = spec.limited?.borrowingLimitPercent;
    return {
      name,
      uid,
      exempt,
      nominal,
      lendable: Math.round((nominal * lendablePercent) / 100),
      most: borrowPercent === undefined ? seats : nominal + Math.round((nominal * borrowPercent) / 100),
      queuing: spec.limited?.limitResponse.type === "Queue" ? spec.limited.limitResponse.queuing : undefined,
    };
  });
}

function sharesOf({ spec }: PriorityLevelConfiguration): number {
  if (spec.type === "Exempt") return spec.exempt?.nominalConcurrencyShares ?? 0;
  return spec.limited?.nominalConcurrencyShares ?? usualShares;
}

/** What an autoscaler says of itself. */
import type { HorizontalPodAutoscaler } from "@atoll/client/builtin";
import { formatTime } from "@atoll/machinery/clock";
import type { Reconcile } from "@atoll/runtime/controller";
import type { Said } from "./limits.ts";

type Status = HorizontalPodAutoscaler["status"];
type Condition = NonNullable<Status["conditions"]>[number];

/** The kinds of conditions, in the order in which they come to be. */
export type ConditionType = "AbleToScale" | "ScalingActive" | "ScalingLimited";

/** Conditions that are gathered, and written once at the end. */
export class Conditions {
  readonly #hpa: HorizontalPodAutoscaler;
  readonly #tools: Reconcile;
  #conditions: readonly Condition[];

  constructor(hpa: HorizontalPodAutoscaler, tools: Reconcile) {
    this.#hpa = hpa;
    this.#tools = tools;
    this.#conditions = hpa.status.conditions ?? [];
  }

  /** The time is that of the last change of the condition's status, not of its reason. */
  set(type: ConditionType, status: "True" | "False", { reason, message }: Said): void {
    const known = this.#conditions.find((each) => each.type === type);
    const isSame = (this.#hpa.status.conditions ?? []).some((each) => each.type === type && each.status === status);
    const kept = isSame
      ? this.#hpa.status.conditions?.find((each) => each.type === type)?.lastTransitionTime
      : undefined;
    const lastTransitionTime = kept ?? formatTime(this.#tools.clock.nowMs());
    const condition = { type, status, lastTransitionTime, reason, message };
    this.#conditions =
      known === undefined
        ? [...this.#conditions, condition]
        : this.#conditions.map((each) => (each.type === type ? condition : each));
  }

  /** Writes them with what else is to be said. No write if equal. */
  async write(status: Partial<Status>): Promise<void> {
    const { generation } = this.#hpa.metadata;
    const before = this.#hpa.status;
    await this.#tools.client.setStatus(this.#hpa, {
      ...before,
      desiredReplicas: before.desiredReplicas ?? 0,
      currentMetrics: before.currentMetrics ?? null,
      ...(generation === undefined ? {} : { observedGeneration: generation }),
      ...status,
      conditions: [...this.#conditions],
    });
  }
}

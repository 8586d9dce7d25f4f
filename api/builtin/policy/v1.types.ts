// Made by tools/kinds/generate.ts from k8s.io/api/policy/v1 0.36. Do not edit.
import type { ObjectMeta } from "@atoll/machinery/object";
import type * as meta from "../meta/v1.types.ts";

export type Eviction = {
  kind: string;
  apiVersion: string;
  metadata: ObjectMeta;
  deleteOptions?: meta.DeleteOptions;
};

export type PodDisruptionBudget = {
  kind: string;
  apiVersion: string;
  metadata: ObjectMeta;
  spec: PodDisruptionBudgetSpec;
  status: PodDisruptionBudgetStatus;
};

export type PodDisruptionBudgetList = {
  kind: string;
  apiVersion: string;
  metadata: meta.ListMeta;
  items: PodDisruptionBudget[] | null;
};

export type PodDisruptionBudgetSpec = {
  minAvailable?: number | string;
  selector?: meta.LabelSelector;
  maxUnavailable?: number | string;
  unhealthyPodEvictionPolicy?: UnhealthyPodEvictionPolicyType;
};

export type PodDisruptionBudgetStatus = {
  observedGeneration?: number;
  disruptedPods?: Record<string, string>;
  disruptionsAllowed: number;
  currentHealthy: number;
  desiredHealthy: number;
  expectedPods: number;
  conditions?: meta.Condition[];
};

/** One of "AlwaysAllow", "IfHealthyBudget". */
export type UnhealthyPodEvictionPolicyType = string;

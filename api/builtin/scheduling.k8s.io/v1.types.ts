// Made by tools/kinds/generate.ts from k8s.io/api/scheduling/v1 0.36. Do not edit.
import type { ObjectMeta } from "@atoll/machinery/object";
import type * as core from "../core/v1.types.ts";
import type * as meta from "../meta/v1.types.ts";

export type PriorityClass = {
  kind: string;
  apiVersion: string;
  metadata: ObjectMeta;
  value: number;
  globalDefault?: boolean;
  description?: string;
  preemptionPolicy?: core.PreemptionPolicy;
};

export type PriorityClassList = {
  kind: string;
  apiVersion: string;
  metadata: meta.ListMeta;
  items: PriorityClass[] | null;
};

// Made by tools/kinds/generate.ts from k8s.io/api/node/v1 0.36. Do not edit.
import type { ObjectMeta } from "@atoll/machinery/object";
import type * as core from "../core/v1.types.ts";
import type * as meta from "../meta/v1.types.ts";

export type Overhead = {
  podFixed?: Record<string, string>;
};

export type RuntimeClass = {
  kind: string;
  apiVersion: string;
  metadata: ObjectMeta;
  handler: string;
  overhead?: Overhead;
  scheduling?: Scheduling;
};

export type RuntimeClassList = {
  kind: string;
  apiVersion: string;
  metadata: meta.ListMeta;
  items: RuntimeClass[] | null;
};

export type Scheduling = {
  nodeSelector?: Record<string, string>;
  tolerations?: core.Toleration[];
};

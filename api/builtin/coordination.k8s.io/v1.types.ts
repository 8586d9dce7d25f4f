// Made by tools/kinds/generate.ts from k8s.io/api/coordination/v1 0.36. Do not edit.
import type { ObjectMeta } from "@atoll/machinery/object";
import type * as meta from "../meta/v1.types.ts";

export type Lease = {
  kind: string;
  apiVersion: string;
  metadata: ObjectMeta;
  spec: LeaseSpec;
};

export type LeaseList = {
  kind: string;
  apiVersion: string;
  metadata: meta.ListMeta;
  items: Lease[] | null;
};

export type LeaseSpec = {
  holderIdentity?: string;
  leaseDurationSeconds?: number;
  acquireTime?: string;
  renewTime?: string;
  leaseTransitions?: number;
  strategy?: string;
  preferredHolder?: string;
};

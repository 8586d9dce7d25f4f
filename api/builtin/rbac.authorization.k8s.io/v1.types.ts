// Made by tools/kinds/generate.ts from k8s.io/api/rbac/v1 0.36. Do not edit.
import type { ObjectMeta } from "@atoll/machinery/object";
import type * as meta from "../meta/v1.types.ts";

export type AggregationRule = {
  clusterRoleSelectors?: meta.LabelSelector[];
};

export type ClusterRole = {
  kind: string;
  apiVersion: string;
  metadata: ObjectMeta;
  rules: PolicyRule[] | null;
  aggregationRule?: AggregationRule;
};

export type ClusterRoleBinding = {
  kind: string;
  apiVersion: string;
  metadata: ObjectMeta;
  subjects?: Subject[];
  roleRef: RoleRef;
};

export type ClusterRoleBindingList = {
  kind: string;
  apiVersion: string;
  metadata: meta.ListMeta;
  items: ClusterRoleBinding[] | null;
};

export type ClusterRoleList = {
  kind: string;
  apiVersion: string;
  metadata: meta.ListMeta;
  items: ClusterRole[] | null;
};

export type PolicyRule = {
  verbs: string[] | null;
  apiGroups?: string[];
  resources?: string[];
  resourceNames?: string[];
  nonResourceURLs?: string[];
};

export type Role = {
  kind: string;
  apiVersion: string;
  metadata: ObjectMeta;
  rules: PolicyRule[] | null;
};

export type RoleBinding = {
  kind: string;
  apiVersion: string;
  metadata: ObjectMeta;
  subjects?: Subject[];
  roleRef: RoleRef;
};

export type RoleBindingList = {
  kind: string;
  apiVersion: string;
  metadata: meta.ListMeta;
  items: RoleBinding[] | null;
};

export type RoleList = {
  kind: string;
  apiVersion: string;
  metadata: meta.ListMeta;
  items: Role[] | null;
};

export type RoleRef = {
  apiGroup: string;
  kind: string;
  name: string;
};

export type Subject = {
  kind: string;
  apiGroup?: string;
  name: string;
  namespace?: string;
};

/** A policy that judges objects, as the two objects that make a cluster judge them. */
import type { ApiObject, ObjectMeta } from "@atoll/machinery/object";
import type { Validation } from "./pods.ts";

/** How strictly. */
export type Enforcement = "Enforce" | "Warn" | "Audit";

/** Labels as a selector. */
export interface LabelSelector {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly {
    readonly key: string;
    readonly operator: string;
    readonly values?: readonly string[];
  }[];
}

/** Where a policy holds within one cluster. */
export interface Reach {
  readonly namespaceSelector?: LabelSelector | undefined;
  /** Only the namespaces of this Workspace. */
  readonly workspace?: string | undefined;
  /** Only this namespace. */
  readonly namespace?: string | undefined;
}

/** The policy's part of the envelope. */
export interface Envelope {
  /** Name of the objects on the cluster. */
  readonly name: string;
  readonly enforcement: Enforcement;
  readonly reach: Reach;
}

/** What is judged, and how. */
export interface Judgement {
  readonly rules: readonly {
    readonly apiGroups: readonly string[];
    readonly apiVersions: readonly string[];
    readonly operations: readonly string[];
    readonly resources: readonly string[];
  }[];
  readonly variables?: readonly { readonly name: string; readonly expression: string }[];
  readonly validations: readonly Validation[];
}

/** Carried by namespaces that belong to a Workspace. */
export const workspaceLabel = "fleet.atoll.dev/workspace";

/** Namespaces that no policy touches: without them a cluster could not be mended. */
export const systemNamespaces = ["kube-system", "kube-public", "kube-node-lease", "atoll-system"] as const;

const actions = { Enforce: "Deny", Warn: "Warn", Audit: "Audit" } as const;

/** ValidatingAdmissionPolicy and its binding. Source: admissionregistration.k8s.io/v1 */
export function admissionPolicy({ name, enforcement, reach }: Envelope, judgement: Judgement): readonly ApiObject[] {
  const apiVersion = "admissionregistration.k8s.io/v1";
  const metadata: ObjectMeta = { name };
  const { rules, variables = [], validations } = judgement;
  return [
    {
      apiVersion,
      kind: "ValidatingAdmissionPolicy",
      metadata,
      spec: { failurePolicy: "Fail", matchConstraints: { resourceRules: rules }, variables, validations },
    },
    {
      apiVersion,
      kind: "ValidatingAdmissionPolicyBinding",
      metadata,
      spec: {
        policyName: name,
        validationActions: [actions[enforcement]],
        matchResources: { namespaceSelector: namespaces(reach) },
      },
    },
  ];
}

/** The namespaces that a policy reaches. */
export function namespaces({ namespaceSelector = {}, workspace, namespace }: Reach): LabelSelector {
  const { matchLabels = {}, matchExpressions = [] } = namespaceSelector;
  const own = namespace === undefined ? [] : [{ key: nameLabel, operator: "In", values: [namespace] }];
  return {
    matchLabels: { ...matchLabels, ...(workspace === undefined ? {} : { [workspaceLabel]: workspace }) },
    matchExpressions: [...matchExpressions, ...own, { key: nameLabel, operator: "NotIn", values: systemNamespaces }],
  };
}

const nameLabel = "kubernetes.io/metadata.name";

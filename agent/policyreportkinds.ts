/**
 * The kinds in which violations are told to whoever looks at this cluster alone: those of Kubernetes' policy working group.
 * A cluster may have them already, with more fields, from another tool. Source: wgpolicyk8s.io/v1alpha2
 */
import type { Resource } from "@atoll/client/resource";
import type { ApiObject } from "@atoll/machinery/object";

const group = "wgpolicyk8s.io";
const version = "v1alpha2";

/** Of one namespace. */
export const PolicyReport: Resource<ApiObject> = {
  ...{ group, version, kind: "PolicyReport", plural: "policyreports", namespaced: true },
};
/** Of what is in no namespace. */
export const ClusterPolicyReport: Resource<ApiObject> = {
  ...{ group, version, kind: "ClusterPolicyReport", plural: "clusterpolicyreports", namespaced: false },
};

const text = { type: "string" };
const reference = {
  type: "object",
  properties: Object.fromEntries(
    ["apiVersion", "fieldPath", "kind", "name", "namespace", "resourceVersion", "uid"].map((field) => [field, text]),
  ),
};
const selector = { type: "object", "x-kubernetes-preserve-unknown-fields": true };
const outcomes = ["pass", "fail", "warn", "error", "skip"];
const result = {
  type: "object",
  required: ["policy"],
  properties: {
    ...{ category: text, message: text, policy: text, rule: text, source: text },
    properties: { type: "object", additionalProperties: text },
    resourceSelector: selector,
    resources: { type: "array", items: reference },
    result: { type: "string", enum: outcomes },
    scored: { type: "boolean" },
    severity: { type: "string", enum: ["critical", "high", "low", "medium", "info"] },
    timestamp: {
      type: "object",
      required: ["nanos", "seconds"],
      properties: {
        nanos: { type: "integer", format: "int32" },
        seconds: { type: "integer", format: "int64" },
      },
    },
  },
};
const openAPIV3Schema = {
  type: "object",
  description: "What came of judging objects by policies.",
  properties: {
    apiVersion: text,
    kind: text,
    metadata: { type: "object" },
    results: { type: "array", items: result },
    scope: reference,
    scopeSelector: selector,
    summary: {
      type: "object",
      properties: Object.fromEntries(outcomes.map((outcome) => [outcome, { type: "integer" }])),
    },
  },
};
const columns = [
  { name: "Kind", type: "string", jsonPath: ".scope.kind", priority: 1 },
  { name: "Name", type: "string", jsonPath: ".scope.name", priority: 1 },
  ...outcomes.map((outcome) => ({
    name: `${outcome.charAt(0).toUpperCase()}${outcome.slice(1)}`,
    type: "integer",
    jsonPath: `.summary.${outcome}`,
  })),
  { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" },
];

/** The definition of a kind, for clusters that have none. @param labels that it gets */
export function definitionOfReport(
  { kind, plural, namespaced }: Resource,
  labels: Readonly<Record<string, string>>,
): { readonly metadata: ApiObject["metadata"]; readonly spec: object } {
  const names = {
    ...{ kind, listKind: `${kind}List`, plural, singular: kind.toLowerCase() },
    shortNames: [namespaced ? "polr" : "cpolr"],
  };
  const served = { name: version, served: true, storage: true, schema: { openAPIV3Schema } };
  return {
    metadata: { name: `${plural}.${group}`, labels },
    spec: {
      ...{ group, names, scope: namespaced ? "Namespaced" : "Cluster" },
      versions: [{ ...served, additionalPrinterColumns: columns }],
    },
  };
}

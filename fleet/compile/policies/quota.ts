/** QuotaPolicy: how much each namespace may use. */
import type { QuotaPolicy } from "@atoll/api/fleet/v1alpha1/quotapolicy";
import type { Envelope, Output } from "./envelope.ts";

const sizes = {
  Small: { "requests.cpu": "1", "requests.memory": "2Gi", "limits.cpu": "2", "limits.memory": "4Gi", pods: "20" },
  Medium: { "requests.cpu": "4", "requests.memory": "8Gi", "limits.cpu": "8", "limits.memory": "16Gi", pods: "100" },
  Large: { "requests.cpu": "16", "requests.memory": "32Gi", "limits.cpu": "32", "limits.memory": "64Gi", pods: "400" },
} as const;

/** A ResourceQuota in each namespace. */
export function quotaObjects({ spec }: QuotaPolicy, { name, namespaces }: Envelope): readonly Output[] {
  const given = spec.size === "Custom" ? (spec.hard ?? {}) : sizes[spec.size];
  const hard = Object.fromEntries(Object.entries(given).map(([resource, amount]) => [resource, String(amount)]));
  const manifest = { apiVersion: "v1", kind: "ResourceQuota", metadata: { name }, spec: { hard } };
  return [{ eachNamespace: namespaces, manifest }];
}

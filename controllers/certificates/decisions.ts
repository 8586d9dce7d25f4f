/** How a request for a certificate stands. Source: k8s.io/kubernetes/pkg/controller/certificates/certificate_controller_utils.go */
import type { CertificateSigningRequest } from "@atoll/client/builtin";

/** Whether a condition is there and true. */
export function hasCondition({ status }: CertificateSigningRequest, type: "Approved" | "Denied" | "Failed"): boolean {
  return (status.conditions ?? []).some((condition) => condition.type === type && condition.status === "True");
}

/** Whether the certificate is there. */
export function isIssued({ status }: CertificateSigningRequest): boolean {
  return (status.certificate ?? "") !== "";
}

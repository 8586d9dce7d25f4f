/** What the API server itself holds writers to, as Kubernetes' own admission policies: they hold on any Kubernetes. */
import type { ApiObject } from "@atoll/machinery/object";

/** Of both kinds of policies, and of what binds them. */
export const admissionVersion = "admissionregistration.k8s.io/v1";

/** A ValidatingAdmissionPolicy that refuses whatever breaks its validations, also when it fails, and its binding. */
export function guard(name: string, spec: object): readonly ApiObject[] {
  return [
    {
      apiVersion: admissionVersion,
      kind: "ValidatingAdmissionPolicy",
      metadata: { name },
      spec: { failurePolicy: "Fail", ...spec },
    } as ApiObject,
    {
      apiVersion: admissionVersion,
      kind: "ValidatingAdmissionPolicyBinding",
      metadata: { name },
      spec: { policyName: name, validationActions: ["Deny"] },
    } as ApiObject,
  ];
}

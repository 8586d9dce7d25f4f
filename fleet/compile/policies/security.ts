/** SecurityPolicy: what pods may ask of their host. */
import {
  baselineControls,
  type Control,
  restrictedControls,
  type SecurityPolicy,
} from "@atoll/api/fleet/v1alpha1/securitypolicy";
import { admissionPolicy, onCreateAndUpdate } from "./admission.ts";
import type { Envelope, Output } from "./envelope.ts";
import { podRules, podVariables } from "./podrules.ts";

/** The controls that hold. A restricted pod's capabilities and seccomp are judged by the stricter rule alone. */
function controlsOf({ level, custom }: SecurityPolicy["spec"]): readonly Control[] {
  if (level === "Custom") return custom?.controls ?? [];
  return level === "Baseline" ? baselineControls : [...baselineControls, ...restrictedControls];
}

/** Pods as they are made, and as containers are added to them. */
export function securityObjects({ spec }: SecurityPolicy, envelope: Envelope): readonly Output[] {
  return admissionPolicy(envelope, {
    rules: [{ ...onCreateAndUpdate, apiGroups: [""], resources: ["pods", "pods/ephemeralcontainers"] }],
    variables: podVariables,
    validations: controlsOf(spec).map((control) => podRules[control]),
  });
}

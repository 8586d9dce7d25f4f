/** SecurityPolicy: what pods may ask of their host. */
import {
  baselineControls,
  type Control,
  restrictedControls,
  type SecurityPolicy,
} from "@atoll/api/fleet/v1alpha1/securitypolicy";
import type { Judgement } from "./admission.ts";
import { podRules, podVariables } from "./pods.ts";

/** The controls that hold. A restricted pod's capabilities and seccomp are judged by the stricter rule alone. */
export function controlsOf({ level, custom }: SecurityPolicy["spec"]): readonly Control[] {
  if (level === "Custom") return custom?.controls ?? [];
  return level === "Baseline" ? baselineControls : [...baselineControls, ...restrictedControls];
}

/** Pods as they are made, and as containers are added to them. */
export function securityJudgement(spec: SecurityPolicy["spec"]): Judgement {
  return {
    rules: [
      {
        apiGroups: [""],
        apiVersions: ["v1"],
        operations: ["CREATE", "UPDATE"],
        resources: ["pods", "pods/ephemeralcontainers"],
      },
    ],
    variables: podVariables,
    validations: controlsOf(spec).map((control) => podRules[control]),
  };
}

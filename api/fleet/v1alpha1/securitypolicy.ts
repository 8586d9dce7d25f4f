import type { ObjectOf } from "../../own/kind.ts";
import { Type } from "@atoll/machinery/schema/type";
import { definePolicy } from "./policy.ts";

/** The controls of the Pod Security Standards, by the names of upstream's checks. */
export const baselineControls = [
  "hostProcess",
  "hostNamespaces",
  "privileged",
  "capabilities",
  "hostPathVolumes",
  "hostPorts",
  "appArmor",
  "seLinux",
  "procMount",
  "seccomp",
  "sysctls",
] as const;

/** Those that the restricted level adds. */
export const restrictedControls = [
  "restrictedVolumes",
  "allowPrivilegeEscalation",
  "runAsNonRoot",
  "runAsUser",
  "seccompRestricted",
  "capabilitiesRestricted",
] as const;

/** One control of the Pod Security Standards. */
export type Control = (typeof baselineControls)[number] | (typeof restrictedControls)[number];

/** `securitypolicies`: what pods may ask of their host, by the Pod Security Standards. */
export const SecurityPolicy = definePolicy(
  {
    kind: "SecurityPolicy",
    plural: "securitypolicies",
    shortNames: ["secpol"],
    description: "What pods may ask of their host: a level of the Pod Security Standards, or chosen controls of them.",
  },
  {
    level: Type.oneOf(["Baseline", "Restricted", "Custom"], { description: "Which controls hold." }),
    custom: Type.optional(
      Type.object(
        {
          controls: Type.list(
            Type.oneOf<Control>([...baselineControls, ...restrictedControls], { description: "A control." }),
            { description: "The controls that hold.", minItems: 1, "x-kubernetes-list-type": "set" },
          ),
        },
        { description: "For level Custom." },
      ),
    ),
  },
  {
    "x-kubernetes-validations": [
      {
        rule: "(self.level == 'Custom') == has(self.custom)",
        message: "custom goes with level Custom, and only with it",
      },
    ],
  },
);
export type SecurityPolicy = ObjectOf<typeof SecurityPolicy>;

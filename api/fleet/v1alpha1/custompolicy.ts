import type { ObjectOf } from "../../own/kind.ts";
import { Type } from "@atoll/machinery/schema/type";
import { definePolicy } from "./policy.ts";

const strings = (description: string) =>
  Type.list(Type.string({ description: "One of them." }), { description, "x-kubernetes-list-type": "atomic" });

const resourceRule = Type.object({
  apiGroups: strings('Groups; "" is the core group, * all.'),
  resources: strings("Resources, as deployments or pods/exec; * all."),
});

/** `custompolicies`: rules of one's own, or a ready recipe. */
export const CustomPolicy = definePolicy(
  {
    kind: "CustomPolicy",
    plural: "custompolicies",
    description: "Rules of one's own in CEL, or a ready recipe.",
  },
  {
    recipe: Type.oneOf(
      [
        "BlockNodePort",
        "BlockExternalIPs",
        "RequireHttps",
        "RequireLabels",
        "BlockResources",
        "BlockRoleSubjects",
        "Rules",
      ],
      { description: "What is judged." },
    ),
    labels: Type.optional(
      Type.list(
        Type.object({
          key: Type.string({ description: "The label." }),
          pattern: Type.optional(Type.string({ description: "RE2 that the value must match.", maxLength: 253 })),
        }),
        { description: "For RequireLabels.", minItems: 1, maxItems: 50, "x-kubernetes-list-type": "atomic" },
      ),
    ),
    subjects: Type.optional(
      Type.list(
        Type.object({
          kind: Type.oneOf(["User", "Group", "ServiceAccount"], { description: "What the name is of." }),
          name: Type.string({ description: "Who must not be bound." }),
        }),
        { description: "For BlockRoleSubjects.", minItems: 1, "x-kubernetes-list-type": "atomic" },
      ),
    ),
    resources: Type.optional(
      Type.list(resourceRule, {
        description: "What is judged, for RequireLabels, BlockResources and Rules.",
        minItems: 1,
        "x-kubernetes-list-type": "atomic",
      }),
    ),
    rules: Type.optional(
      Type.list(
        Type.object({
          expression: Type.string({ description: "CEL over object, oldObject, request; true lets it pass." }),
          message: Type.string({ description: "What is wrong when it is false." }),
        }),
        { description: "For Rules.", minItems: 1, maxItems: 50, "x-kubernetes-list-type": "atomic" },
      ),
    ),
  },
  {
    "x-kubernetes-validations": [
      { rule: "(self.recipe == 'Rules') == has(self.rules)", message: "rules go with recipe Rules, and only with it" },
      {
        rule: "(self.recipe == 'RequireLabels') == has(self.labels)",
        message: "labels go with recipe RequireLabels, and only with it",
      },
      {
        rule: "(self.recipe == 'BlockRoleSubjects') == has(self.subjects)",
        message: "subjects go with recipe BlockRoleSubjects, and only with it",
      },
      {
        rule: "(self.recipe in ['RequireLabels', 'BlockResources', 'Rules']) == has(self.resources)",
        message: "resources go with RequireLabels, BlockResources and Rules, and only with them",
      },
    ],
  },
);
export type CustomPolicy = ObjectOf<typeof CustomPolicy>;

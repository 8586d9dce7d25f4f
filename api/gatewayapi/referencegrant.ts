import { Type } from "@atoll/machinery/schema/type";
import { conditions, defineKind, type ObjectOf } from "../own/kind.ts";
import { gatewayFacts, required, text } from "./group.ts";

/** `referencegrants`: who of another namespace may name something here. `v1beta1` is what every release of the Gateway API has. */
export const ReferenceGrant = defineKind(
  {
    ...gatewayFacts,
    version: "v1beta1",
    alsoServed: ["v1"],
    kind: "ReferenceGrant",
    plural: "referencegrants",
    shortNames: ["refgrant"],
    namespaced: true,
    description: "Lets objects of other namespaces name objects of this one.",
    columns: [{ name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" }],
  },
  {
    spec: Type.object(
      {
        from: Type.list(
          Type.object(
            {
              group: Type.string({ description: "Group of who names.", maxLength: 253 }),
              kind: required("Kind of who names.", 63),
              namespace: required("Namespace of who names.", 63),
            },
            { description: "Who names." },
          ),
          { description: "Who may.", minItems: 1, maxItems: 16, "x-kubernetes-list-type": "atomic" },
        ),
        to: Type.list(
          Type.object(
            {
              group: Type.string({ description: "Group of what is named.", maxLength: 253 }),
              kind: required("Kind of what is named.", 63),
              name: text("Its name; any, if nothing is said."),
            },
            { description: "What is named." },
          ),
          { description: "What.", minItems: 1, maxItems: 16, "x-kubernetes-list-type": "atomic" },
        ),
      },
      { description: "Who may name what." },
    ),
    status: Type.object({ conditions }, { description: "Nothing." }),
  },
);
/** A ReferenceGrant. */
export type ReferenceGrant = ObjectOf<typeof ReferenceGrant>;

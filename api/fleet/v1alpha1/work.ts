import { conditions, defineKind, type ObjectOf } from "../../own/kind.ts";
import { Type } from "@atoll/machinery/schema/type";
import type { ApiObject } from "@atoll/machinery/object";
import { fleetGroup } from "./group.ts";
import { labelSelector } from "./labels.ts";

/** How far an object of a Work is. */
const objectStates = ["Applied", "Pending", "Failed", "Unsupported"] as const;

/** `works`: what one cluster is to have. In the cluster's namespace on the hub. */
export const Work = defineKind(
  {
    ...fleetGroup,
    kind: "Work",
    plural: "works",
    description: "Objects that one cluster is to have. Its agent applies them and keeps them so.",
    columns: [
      { name: "Objects", type: "integer", jsonPath: ".status.total" },
      { name: "Applied", type: "integer", jsonPath: ".status.applied" },
      { name: "Ready", type: "string", jsonPath: '.status.conditions[?(@.type=="Applied")].status' },
      { name: "Reason", type: "string", jsonPath: '.status.conditions[?(@.type=="Applied")].message', priority: 1 },
      { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" },
    ],
  },
  {
    spec: Type.object(
      {
        order: Type.integer({
          description:
            "Rises with each change of what the cluster is to have; an agent never goes back to a lower one.",
          minimum: 0,
        }),
        leaving: Type.optional(
          Type.oneOf(["Remove", "Keep"], {
            description: "The cluster is detached: its agent goes, and what it applied goes or stays.",
          }),
        ),
        objects: Type.list(
          Type.object({
            source: Type.string({ description: "KIND/NAME of what asks for the object." }),
            generation: Type.integer({ description: "The generation of what asks for it." }),
            eachNamespace: Type.optional(
              labelSelector("The object is wanted in every namespace with these labels; the manifest names none."),
            ),
            manifest: Type.any<ApiObject>({
              description: "The object, with apiVersion, kind and metadata.name.",
              "x-kubernetes-embedded-resource": true,
            }),
          }),
          { description: "The objects.", "x-kubernetes-list-type": "atomic" },
        ),
      },
      { description: "What the cluster is to have." },
    ),
    status: Type.object(
      {
        observedGeneration: Type.optional(Type.integer({ description: "The generation this is about." })),
        order: Type.optional(Type.integer({ description: "The order that was applied last." })),
        total: Type.optional(Type.integer({ description: "Objects." })),
        applied: Type.optional(Type.integer({ description: "Objects that are as they should be." })),
        objects: Type.optional(
          Type.list(
            Type.object({
              source: Type.string({ description: "KIND/NAME of what asks for it." }),
              object: Type.string({ description: "KIND[.GROUP]/[NAMESPACE/]NAME." }),
              state: Type.oneOf(objectStates, { description: "How far it is." }),
              reason: Type.string({
                description: "Why it is not applied; who had changed it, and when.",
                maxLength: 1024,
              }),
            }),
            { description: "Objects that are not simply applied, at most 100.", maxItems: 100 },
          ),
        ),
        conditions,
      },
      { description: "How far the cluster is." },
    ),
  },
);
export type Work = ObjectOf<typeof Work>;

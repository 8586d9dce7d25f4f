import { Type } from "@atoll/machinery/schema/type";
import { conditions, defineKind, type ObjectOf } from "../../own/kind.ts";
import { supervisorGroup } from "./group.ts";

/** `supervisornamespacerequests`: somebody asks for a SupervisorNamespace of the same name; it goes with its request. */
export const SupervisorNamespaceRequest = defineKind(
  {
    ...supervisorGroup,
    kind: "SupervisorNamespaceRequest",
    plural: "supervisornamespacerequests",
    shortNames: ["svnsr"],
    description: "Asks for a SupervisorNamespace of the same name, made from a template. It goes with the request.",
    columns: [
      { name: "Template", type: "string", jsonPath: ".spec.template" },
      { name: "Requester", type: "string", jsonPath: ".spec.requester" },
      { name: "Phase", type: "string", jsonPath: ".status.phase" },
      { name: "Reason", type: "string", jsonPath: ".status.conditions[?(@.type=='Granted')].reason" },
      { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" },
    ],
  },
  {
    spec: Type.object(
      {
        template: Type.string({
          description: "The SupervisorNamespaceTemplate. `kubectl get svnst` lists them.",
          minLength: 1,
          maxLength: 253,
        }),
        description: Type.optional(Type.string({ description: "What it is for.", maxLength: 1024 })),
        requester: Type.optional(Type.string({ description: "Who asks; filled in by the server.", maxLength: 1024 })),
      },
      {
        description: "What is asked for.",
        "x-kubernetes-validations": [
          { rule: "self == oldSelf", message: "cannot change; delete the request and make another" },
        ],
      },
    ),
    status: Type.object(
      {
        phase: Type.oneOf(["Pending", "Granted", "Ended"], { description: "Where it stands." }),
        conditions,
      },
      { description: "What came of it." },
    ),
  },
);
/** A SupervisorNamespaceRequest. */
export type SupervisorNamespaceRequest = ObjectOf<typeof SupervisorNamespaceRequest>;

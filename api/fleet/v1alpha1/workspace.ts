import { conditions, defineKind, type ObjectOf } from "../../own/kind.ts";
import { Type } from "@atoll/machinery/schema/type";
import { fleetGroup } from "./group.ts";

/** `workspaces`: namespaces that belong together, on whatever clusters. */
export const Workspace = defineKind(
  {
    ...fleetGroup,
    kind: "Workspace",
    plural: "workspaces",
    shortNames: ["wsp"],
    description: "Namespaces that belong together, on whatever clusters.",
    columns: [
      { name: "Description", type: "string", jsonPath: ".spec.description" },
      { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" },
    ],
  },
  {
    spec: Type.object(
      { description: Type.optional(Type.string({ description: "What it is for.", maxLength: 1024 })) },
      { description: "What the workspace is." },
    ),
    status: Type.object({ conditions }, { description: "How it is." }),
  },
);
export type Workspace = ObjectOf<typeof Workspace>;

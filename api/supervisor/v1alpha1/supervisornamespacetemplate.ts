import { Type } from "@atoll/machinery/schema/type";
import { defineKind, type ObjectOf } from "../../own/kind.ts";
import { supervisorGroup } from "./group.ts";
import { names, share } from "./supervisornamespace.ts";

/** `supervisornamespacetemplates`: SupervisorNamespaces that people may make for themselves. */
export const SupervisorNamespaceTemplate = defineKind(
  {
    ...supervisorGroup,
    kind: "SupervisorNamespaceTemplate",
    plural: "supervisornamespacetemplates",
    shortNames: ["svnst"],
    description: "What people get who may make SupervisorNamespaces for themselves, by a SupervisorNamespaceRequest.",
    columns: [
      { name: "Groups", type: "string", jsonPath: ".spec.groups" },
      { name: "Each", type: "integer", jsonPath: ".spec.perPerson" },
      { name: "CPU", type: "string", jsonPath: ".spec.namespace.limits.cpu" },
      { name: "Memory", type: "string", jsonPath: ".spec.namespace.limits.memory" },
      { name: "Description", type: "string", jsonPath: ".spec.description", priority: 1 },
      { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" },
    ],
  },
  {
    spec: Type.object(
      {
        description: Type.optional(Type.string({ description: "What it is for.", maxLength: 1024 })),
        users: names("A user, as the identity provider names it.", "Who may ask for one."),
        groups: names("A group, as the identity provider names it.", "Whose members may ask for one."),
        perPerson: Type.integer({ description: "How many of it a person may have at once.", minimum: 1, default: 1 }),
        role: Type.oneOf(["Owner", "Edit"], { description: "What who asks becomes in it.", default: "Owner" }),
        namespace: Type.object(share, {
          description: "What each of them gets, and who else has a role in it. Later changes are for later ones.",
        }),
      },
      { description: "Who may have what." },
    ),
    status: Type.object({}, { description: "Nothing yet." }),
  },
);
/** A SupervisorNamespaceTemplate. */
export type SupervisorNamespaceTemplate = ObjectOf<typeof SupervisorNamespaceTemplate>;

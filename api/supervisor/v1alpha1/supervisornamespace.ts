import { Type } from "@atoll/machinery/schema/type";
import { conditions, defineKind, type ObjectOf } from "../../own/kind.ts";
import { supervisorGroup } from "./group.ts";

const amount = (description: string) =>
  Type.quantity({
    description,
    maxLength: 32,
    "x-kubernetes-validations": [
      {
        rule: "type(self) == int ? self >= 0 : isQuantity(self) && !quantity(self).isLessThan(quantity('0'))",
        message: "must be an amount, as 4, 500m or 8Gi, and not below 0",
      },
    ],
  });

const resources = (description: string) =>
  Type.optional(
    Type.object(
      {
        cpu: Type.optional(amount("Cores.")),
        memory: Type.optional(amount("Bytes of memory.")),
      },
      { description },
    ),
  );

/** Names of one kind, each once. */
export const names = (one: string, description: string) =>
  Type.optional(
    Type.list(Type.string({ description: one, minLength: 1, maxLength: 253 }), {
      description,
      maxItems: 256,
      "x-kubernetes-list-type": "set",
    }),
  );

const limits = Type.object(
  {
    cpu: Type.optional(amount("Cores of all guests together.")),
    memory: Type.optional(amount("Memory of all guests together.")),
    storage: Type.optional(amount("Storage of all claims together.")),
    storagePolicies: Type.optional(
      Type.map(amount("Storage of its claims together."), {
        description: "Storage by storage policy (StorageClass).",
        maxProperties: 64,
      }),
    ),
    counts: Type.optional(
      Type.map(Type.integer({ description: "How many there may be.", minimum: 0 }), {
        description: "Counts by resource, as a ResourceQuota names them: pods, services, count/deployments.apps.",
        maxProperties: 64,
      }),
    ),
  },
  { description: "What may be used at most. Left out: no limit." },
);

const guestUse = Type.object(
  {
    guest: Type.oneOf(["Pod", "VirtualMachine"], { description: "The kind of guest." }),
    count: Type.integer({ description: "How many." }),
    cpu: Type.string({ description: "Cores they may use." }),
    memory: Type.string({ description: "Memory they may use." }),
  },
  { description: "What guests of a kind use." },
);

/** What a tenant gets: fields of a SupervisorNamespace, and of a template of such. */
export const share = {
  limits: Type.optional(limits),
  containerDefaults: Type.optional(
    Type.object(
      {
        limits: resources("What a container may use at most if it does not say."),
        requests: resources("What a container is sure of if it does not say."),
      },
      {
        description:
          "For containers that do not say what they need. With limits on cpu or memory and none of these: 500m and 512Mi.",
      },
    ),
  ),
  access: Type.optional(
    Type.list(
      Type.object(
        {
          role: Type.oneOf(["Owner", "Edit", "View"], {
            description: "Owner: all in the Namespace but its limits. Edit: workloads. View: to look, secrets aside.",
          }),
          users: names("A user, as the identity provider names it.", "Who has the role."),
          groups: names("A group, as the identity provider names it.", "Whose members have the role."),
        },
        { description: "Who has a role." },
      ),
      { description: "Who may do what.", maxItems: 64, "x-kubernetes-list-type": "atomic" },
    ),
  ),
  storagePolicies: names("A StorageClass.", "The storage policies that may be used. Left out: all."),
  vmClasses: names("A VirtualMachineClass.", "The classes that virtual machines may have. Left out: all."),
  contentLibraries: names("A content library.", "Where images of virtual machines may come from. Left out: all."),
  network: Type.oneOf(["Isolated", "Flat"], {
    description:
      "Isolated: a Pod is reached through Services. Flat: as elsewhere in Kubernetes, all Pods reach each other.",
    default: "Isolated",
  }),
  podSecurity: Type.oneOf(["Restricted", "Baseline", "Privileged"], {
    description: "The Pod Security Standard that Pods must meet.",
    default: "Restricted",
  }),
} as const;

/** `supervisornamespaces`: a tenant's share of the Supervisor; makes and owns the Namespace of its name. */
export const SupervisorNamespace = defineKind(
  {
    ...supervisorGroup,
    kind: "SupervisorNamespace",
    plural: "supervisornamespaces",
    shortNames: ["svns"],
    description: "A tenant's share of the Supervisor. It makes and owns the Namespace of its name.",
    columns: [
      { name: "Phase", type: "string", jsonPath: ".status.phase" },
      { name: "CPU", type: "string", jsonPath: ".status.summary.cpu" },
      { name: "Memory", type: "string", jsonPath: ".status.summary.memory" },
      { name: "Storage", type: "string", jsonPath: ".status.summary.storage", priority: 1 },
      { name: "Guests", type: "integer", jsonPath: ".status.summary.guests" },
      { name: "Network", type: "string", jsonPath: ".spec.network", priority: 1 },
      { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" },
    ],
  },
  {
    spec: Type.object(
      { description: Type.optional(Type.string({ description: "What it is for.", maxLength: 1024 })), ...share },
      { description: "What the tenant gets." },
    ),
    status: Type.object(
      {
        phase: Type.oneOf(["Pending", "Active", "Terminating"], { description: "Where it stands." }),
        summary: Type.optional(
          Type.object(
            {
              cpu: Type.string({ description: "Cores used of those allowed." }),
              memory: Type.string({ description: "Memory used of that allowed." }),
              storage: Type.string({ description: "Storage used of that allowed." }),
              guests: Type.integer({ description: "Guests of every kind." }),
            },
            { description: "Its use at a glance." },
          ),
        ),
        usage: Type.optional(
          Type.list(guestUse, {
            description: "Use by kind of guest.",
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["guest"],
          }),
        ),
        observedGeneration: Type.optional(Type.integer({ description: "The generation that was acted on." })),
        conditions,
      },
      { description: "What it uses." },
    ),
  },
);
/** A SupervisorNamespace. */
export type SupervisorNamespace = ObjectOf<typeof SupervisorNamespace>;

/** On a Namespace: Isolated (also when it is missing) or Flat. */
export const networkLabel = "supervisor.atoll.dev/network";

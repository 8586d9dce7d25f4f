import { Type } from "@atoll/machinery/schema/type";
import { conditions, defineKind, type ObjectOf } from "../../own/kind.ts";
import { supervisorGroup } from "./group.ts";

const text = (description: string) => Type.string({ description, maxLength: 256 });

const owner = Type.object(
  {
    kind: text("Kind of the owner: Pod or VirtualMachine."),
    namespace: text("Namespace of the owner."),
    name: text("Name of the owner."),
    uid: Type.optional(text("Uid of the owner.")),
  },
  { description: "Whom the machine is for." },
);

/** `hostvms`: the machines that run on a host's hypervisor, as the infrastructure admin sees them. Written by the node alone. */
export const HostVM = defineKind(
  {
    ...supervisorGroup,
    kind: "HostVM",
    plural: "hostvms",
    shortNames: ["hvm"],
    description:
      "A machine of a host's hypervisor: what runs, for whom, and how it was started. The host writes it, nobody else.",
    columns: [
      { name: "Kind", type: "string", jsonPath: ".spec.kind" },
      { name: "Node", type: "string", jsonPath: ".spec.node" },
      { name: "Namespace", type: "string", jsonPath: ".spec.owner.namespace" },
      { name: "Owner", type: "string", jsonPath: ".spec.owner.name" },
      { name: "PID", type: "integer", jsonPath: ".spec.hostPid" },
      { name: "MiB", type: "integer", jsonPath: ".spec.memoryMiB" },
      { name: "Accel", type: "string", jsonPath: ".spec.accelerator" },
      { name: "Started", type: "string", jsonPath: ".spec.startedAs" },
      { name: "ms", type: "integer", jsonPath: ".spec.startMs" },
      { name: "Kernel", type: "string", jsonPath: ".spec.kernelDigest", priority: 1 },
      { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" },
    ],
  },
  {
    spec: Type.object(
      {
        kind: Type.oneOf(["CRX", "VMX"], { description: "CRX: the machine of a Pod. VMX: one of a virtual machine." }),
        node: Type.string({
          description: "The Node it runs on.",
          maxLength: 253,
          "x-kubernetes-validations": [{ rule: "self == oldSelf", message: "a machine stays where it is" }],
        }),
        owner,
        hostPid: Type.integer({ description: "Process of the hypervisor on the host.", minimum: 1 }),
        memoryMiB: Type.integer({ description: "Memory of the machine, MiB." }),
        vcpus: Type.integer({ description: "Processors of the machine." }),
        accelerator: text("How the guest is executed: kvm or tcg."),
        kernelDigest: text("Digest of the guest's kernel."),
        startedAs: Type.oneOf(["clone", "boot"], { description: "Copied from a template, or booted." }),
        startMs: Type.integer({ description: "From the start of the process to the guest's answer, ms." }),
        bootReason: Type.optional(Type.string({ description: "Why it was booted.", maxLength: 4096 })),
      },
      { description: "The machine as its host tells it." },
    ),
    status: Type.object({ conditions }, { description: "How it is." }),
  },
);
export type HostVM = ObjectOf<typeof HostVM>;

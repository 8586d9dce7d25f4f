import { Type } from "@atoll/machinery/schema/type";
import { conditions, defineKind, type ObjectOf } from "../../own/kind.ts";
import { supervisorGroup } from "./group.ts";

const stays = [{ rule: "self == oldSelf", message: "disks lie there: it stays as it is" }];

const sharedDirectory = Type.object(
  {
    path: Type.string({
      description: "Where every host has it mounted, as /srv/disks.",
      maxLength: 255,
      pattern: "^(/[A-Za-z0-9_][A-Za-z0-9_.-]*)+$",
      "x-kubernetes-validations": stays,
    }),
    leaseSeconds: Type.integer({
      description:
        "After so long without an answer of the folder, a host ends the machines that have disks there; another host waits twice as long.",
      minimum: 2,
      maximum: 3600,
      default: 10,
      "x-kubernetes-validations": stays,
    }),
  },
  { description: "A folder that hosts share, on a network file system such as NFS." },
);

const rbd = Type.object(
  { pool: Type.string({ description: "Name of the pool.", maxLength: 255 }) },
  { description: "A pool of a Ceph cluster. Known, but not possible yet." },
);

/** `datastores`: where disks are kept besides on a host itself. Made by the infrastructure admin, named by StorageClasses. */
export const Datastore = defineKind(
  {
    ...supervisorGroup,
    kind: "Datastore",
    plural: "datastores",
    longestName: 63,
    shortNames: ["ds"],
    description:
      "Where disks of PersistentVolumeClaims are kept that several hosts can use. A StorageClass of disk.atoll.dev names it in its parameter datastore.",
    columns: [
      { name: "Path", type: "string", jsonPath: ".spec.sharedDirectory.path" },
      { name: "Capacity", type: "string", jsonPath: ".status.capacity" },
      { name: "Free", type: "string", jsonPath: ".status.free" },
      { name: "Hosts", type: "string", jsonPath: ".status.seenBy" },
      { name: "Accessible", type: "string", jsonPath: '.status.conditions[?(@.type=="Accessible")].status' },
      { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" },
    ],
  },
  {
    spec: Type.object(
      { sharedDirectory: Type.optional(sharedDirectory), rbd: Type.optional(rbd) },
      {
        description: "What it is.",
        "x-kubernetes-validations": [
          { rule: "!has(self.rbd)", message: "rbd: disks in a Ceph cluster are not possible yet", fieldPath: ".rbd" },
          { rule: "has(self.sharedDirectory) || has(self.rbd)", message: "sharedDirectory: is required" },
        ],
      },
    ),
    status: Type.object(
      {
        capacity: Type.optional(Type.string({ description: "Bytes in all, of every kind of file." })),
        free: Type.optional(Type.string({ description: "Bytes that are free." })),
        hosts: Type.optional(
          Type.list(Type.string({ description: "Name of a Node." }), {
            description: "Hosts that are ready and have it mounted. Pods whose disks lie there are put on these alone.",
            "x-kubernetes-list-type": "set",
          }),
        ),
        seenBy: Type.optional(Type.string({ description: "How many that is of the hosts that are ready, as 2/3." })),
        conditions,
      },
      { description: "How it is." },
    ),
  },
);
export type Datastore = ObjectOf<typeof Datastore>;

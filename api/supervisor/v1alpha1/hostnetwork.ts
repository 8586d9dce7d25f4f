import { Type } from "@atoll/machinery/schema/type";
import { conditions, defineKind, type ObjectOf } from "../../own/kind.ts";
import { supervisorGroup } from "./group.ts";

const text = (description: string, maxLength = 253) => Type.string({ description, maxLength });

const peer = Type.object(
  {
    node: text("Name of its Node."),
    address: text("Where it is on the network between hosts.", 64),
    range: text("Its pods, as 10.244.1.0/24.", 64),
  },
  { description: "Another host." },
);

const namespace = Type.object(
  {
    name: text("Name of the Namespace."),
    addresses: Type.list(text("An address.", 64), { description: "Of its pods on other hosts." }),
  },
  { description: "A Namespace to which something on this host is open." },
);

const port = Type.object(
  {
    name: text("Its name.", 63),
    protocol: text("TCP, UDP or SCTP.", 8),
    port: Type.integer({ description: "Its number.", minimum: 1, maximum: 65535 }),
  },
  { description: "A port with a name." },
);

const pod = Type.object(
  {
    namespace: text("Its Namespace."),
    address: text("Its address.", 64),
    labels: Type.map(Type.string({ description: "The label's value." }), { description: "Its labels." }),
    ports: Type.list(port, { description: "Its ports that have names." }),
  },
  { description: "A pod of another host." },
);

/**
 * `hostnetworks`: what a host has to know of the others, one for each Node, of its name. Written by a controller, read by
 * that node alone.
 */
export const HostNetwork = defineKind(
  {
    ...supervisorGroup,
    kind: "HostNetwork",
    plural: "hostnetworks",
    shortNames: ["hnet"],
    description:
      "What the network of a host has to know of the other hosts: where they are, and which of their pods may have to do with its own.",
    columns: [
      { name: "Network", type: "integer", jsonPath: ".spec.network" },
      { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" },
    ],
  },
  {
    spec: Type.object(
      {
        network: Type.integer({
          description: "Number of the cluster's overlay (VNI).",
          minimum: 1,
          maximum: 16_777_215,
        }),
        peers: Type.list(peer, { description: "The other hosts." }),
        namespaces: Type.list(namespace, { description: "Whose pods something here may be open for." }),
        pods: Type.list(pod, { description: "Pods that NetworkPolicies about pods here speak of." }),
      },
      { description: "What is known." },
    ),
    status: Type.object({ conditions }, { description: "Nothing yet." }),
  },
);
/** A HostNetwork. */
export type HostNetwork = ObjectOf<typeof HostNetwork>;

/** The parts of the system that `atoll up` runs on one machine, each a process of its own. */
import { join } from "node:path";
import { type StoreFlags, storeArguments } from "../storeflags.ts";

/** What the whole is to be. */
export interface Wish extends StoreFlags {
  readonly data: string;
  readonly bind: string;
  readonly apiPort: number;
  readonly serviceCidr: string;
  /** All pods. */
  readonly podCidr: string;
  readonly gatewayPort: number;
  /** Where the gateway listens, and how attached clusters reach it; by default as everything else. */
  readonly gatewayAddress?: string;
  readonly consolePort: number;
  /** Whether Services may be of the type NodePort. */
  readonly nodePorts?: boolean;
  /** Addresses for LoadBalancers; without it hosts' own. */
  readonly loadBalancerPool?: string;
}

/** What this host's node is to be. */
export interface NodeWish {
  readonly data: string;
  readonly name: string;
  readonly kubeletPort: number;
  /** Where others reach the host; by default at the address of its default route. */
  readonly address?: string;
  /** Ranges of addresses; without them the cluster says which. */
  readonly ranges?: Ranges;
}

interface Ranges {
  /** This host's pods. */
  readonly pods: string;
  /** All pods. */
  readonly cluster: string;
  readonly services: string;
}

/** One process: its command, and the line by which it says that it serves; none means at once. */
export interface Part {
  readonly name: string;
  readonly does: string;
  readonly args: readonly string[];
  readonly readyLine: string | undefined;
}

/** Kubeconfig of a part: each is somebody of its own to the API server. */
export const accountOf = (data: string, part: "controllers" | "gateway" | "node" | "console"): string =>
  join(data, `${part}.kubeconfig`);

/** The API server. */
export const serverPart = ({ data, bind, apiPort, serviceCidr, nodePorts = false, ...store }: Wish): Part => ({
  name: "server",
  does: "API server",
  args: [
    "server",
    ...["--data", data],
    ...["--bind", bind],
    ...["--api-port", String(apiPort)],
    ...storeArguments(store),
    ...["--service-cidr", serviceCidr],
    ...["--enable-admission-plugins", ["MicroPods", ...(nodePorts ? [] : ["DenyNodePorts"])].join(",")],
  ],
  readyLine: "ready ",
});

/** The controllers. */
export const controllersPart = ({ data, podCidr, serviceCidr, loadBalancerPool: pool }: Wish): Part => ({
  name: "controllers",
  does: "controllers",
  args: [
    "controllers",
    ...["--kubeconfig", accountOf(data, "controllers")],
    ...["--cluster-signing-cert", join(data, "pki", "ca.crt")],
    ...["--cluster-signing-key", join(data, "pki", "ca.key")],
    ...["--cluster-cidr", podCidr],
    ...["--service-cidr", serviceCidr],
    ...(pool === undefined ? [] : ["--load-balancer-pool", pool]),
  ],
  readyLine: undefined,
});

/** Where agents of attached clusters come in. It serves once Mission Control's kinds are there; nobody waits for it. */
export const gatewayPart = ({ data, bind, gatewayAddress = bind, gatewayPort }: Wish): Part => ({
  name: "gateway",
  does: "gateway",
  args: [
    "gateway",
    ...["--kubeconfig", accountOf(data, "gateway")],
    ...["--bind", gatewayAddress],
    ...["--port", String(gatewayPort)],
    ...["--images", join(data, "fleet-agent-image")],
  ],
  readyLine: undefined,
});

/** The web console. Its page may have to be built first; nobody waits for it. */
export const consolePart = ({ data, bind, consolePort }: Wish): Part => ({
  name: "console",
  does: "console",
  args: [
    "console",
    ...["--kubeconfig", accountOf(data, "console")],
    ...["--bind", bind],
    ...["--port", String(consolePort)],
  ],
  readyLine: undefined,
});

/** The node agent. */
export const sphereletPart = ({ data, name, kubeletPort, address, ranges }: NodeWish): Part => ({
  name: "spherelet",
  does: "spherelet",
  args: [
    "spherelet",
    ...["--kubeconfig", accountOf(data, "node")],
    ...["--data", data],
    ...["--node", name],
    ...["--port", String(kubeletPort)],
    ...(address === undefined ? [] : ["--address", address]),
    ...(ranges === undefined ? [] : rangeArguments(ranges)),
  ],
  readyLine: "ready ",
});

const rangeArguments = ({ pods, cluster, services }: Ranges): readonly string[] => [
  ...["--pod-cidr", pods],
  ...["--cluster-cidr", cluster],
  ...["--service-cidr", services],
];

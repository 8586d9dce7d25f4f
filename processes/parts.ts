/** The parts of the system that `atoll up` runs on one machine, each a process of its own. */
import { join } from "node:path";

/** What the whole is to be. */
export interface Wish {
  readonly data: string;
  readonly bind: string;
  readonly apiPort: number;
  readonly store: string;
  readonly serviceCidr: string;
  /** Flags of the server's configuration files. */
  readonly configuration: readonly string[];
}

/** One process: its command, and the line by which it says that it serves; none means at once. */
export interface Part {
  readonly name: string;
  readonly does: string;
  readonly args: readonly string[];
  readonly readyLine: string | undefined;
}

/** In the order in which they start; they stop the other way round. */
export function partsOf({ data, bind, apiPort, store, serviceCidr, configuration }: Wish): readonly Part[] {
  const kubeconfig = (account: string) => join(data, `${account}.kubeconfig`);
  return [
    {
      name: "server",
      does: "API server",
      args: [
        "server",
        ...["--data", data],
        ...["--bind", bind],
        ...["--api-port", String(apiPort)],
        ...["--store", store],
        ...["--service-cidr", serviceCidr],
        ...configuration,
      ],
      readyLine: "ready ",
    },
    {
      name: "controllers",
      does: "controllers",
      args: [
        "controllers",
        ...["--kubeconfig", kubeconfig("controllers")],
        ...["--cluster-signing-cert", join(data, "pki", "ca.crt")],
        ...["--cluster-signing-key", join(data, "pki", "ca.key")],
      ],
      readyLine: undefined,
    },
  ];
}

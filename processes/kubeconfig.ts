/** Writing the kubeconfigs of a data directory. */
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { defaultData } from "./datadir.ts";
import type { KeyPair } from "@atoll/server/pki/authority";

export interface KubeconfigOptions {
  /** `https://HOST:PORT` */
  readonly server: string;
  /** PEM */
  readonly ca: string;
  readonly user: string;
  readonly identity: KeyPair;
}

/** A kubeconfig with embedded certificates, as JSON, which is YAML too. */
export function formatKubeconfig({ server, ca, user, identity }: KubeconfigOptions): string {
  const base64 = (text: string) => Buffer.from(text).toString("base64");
  const config = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "atoll", cluster: { server, "certificate-authority-data": base64(ca) } }],
    users: [
      {
        name: user,
        user: { "client-certificate-data": base64(identity.cert), "client-key-data": base64(identity.key) },
      },
    ],
    contexts: [{ name: "atoll", context: { cluster: "atoll", user } }],
    "current-context": "atoll",
  };
  return `${JSON.stringify(config, undefined, 2)}\n`;
}

/** What was written by `formatKubeconfig`; undefined when there is nothing, or something else. */
export async function readKubeconfig(path: string): Promise<KubeconfigOptions | undefined> {
  const text = (base64: string) => Buffer.from(base64, "base64").toString("utf8");
  try {
    const { clusters, users } = JSON.parse(await readFile(path, "utf8"));
    const [{ cluster }] = clusters;
    const [{ name, user }] = users;
    return {
      server: cluster.server,
      ca: text(cluster["certificate-authority-data"]),
      user: name,
      identity: { cert: text(user["client-certificate-data"]), key: text(user["client-key-data"]) },
    };
  } catch {
    return undefined;
  }
}

/** Whose cluster a bundled client speaks to: KUBECONFIG when it is set, else the data directory's admin kubeconfig. */
export function adminKubeconfig(args: readonly string[]): { kubeconfig: string; rest: readonly string[] } {
  const [flag, data, ...rest] = args;
  if (flag === "--data" && data !== undefined) return { kubeconfig: join(resolve(data), "admin.kubeconfig"), rest };
  const usual = join(defaultData(), "admin.kubeconfig");
  return { kubeconfig: process.env["KUBECONFIG"] ?? usual, rest: args };
}

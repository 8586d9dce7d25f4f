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

/** By which file a command speaks to a server: that of the data directory's admin, or what KUBECONFIG says, or the usual one's. */
export function adminKubeconfig(data?: string): string {
  if (data !== undefined) return join(resolve(data), "admin.kubeconfig");
  return process.env["KUBECONFIG"] ?? join(defaultData(), "admin.kubeconfig");
}

/** The same of a bundled client, whose own arguments follow `--data DIR`. */
export function clientKubeconfig(args: readonly string[]): { kubeconfig: string; rest: readonly string[] } {
  const [flag, data, ...rest] = args;
  if (flag === "--data" && data !== undefined) return { kubeconfig: adminKubeconfig(data), rest };
  return { kubeconfig: adminKubeconfig(), rest: args };
}

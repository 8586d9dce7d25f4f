/** A running server under examination: its data directory, and ways to ask it. */
import { readFile } from "node:fs/promises";
import { request } from "node:https";
import { join } from "node:path";

/** Somebody who asks: the admin, or nobody in particular with a token or without. */
export interface Asking {
  readonly admin?: boolean;
  readonly token?: string;
  /** The admin, as somebody else. */
  readonly as?: { readonly user: string; readonly groups?: readonly string[] };
  readonly body?: object;
  readonly contentType?: string;
}

/** An answer. */
export interface Answer {
  readonly status: number;
  readonly text: string;
  /** The body as JSON; empty when it is none. */
  readonly json: Readonly<Record<string, unknown>>;
}

/** What checks work with. */
export interface Target {
  readonly data: string;
  readonly url: URL;
  readonly ca: string;
  /** A namespace made for the examination. */
  readonly namespace: string;
  ask(method: string, path: string, how?: Asking): Promise<Answer>;
}

interface Kubeconfig {
  readonly clusters: readonly {
    readonly cluster: { readonly server: string; readonly "certificate-authority-data": string };
  }[];
  readonly users: readonly {
    readonly user: { readonly "client-certificate-data": string; readonly "client-key-data": string };
  }[];
}

/** @throws {Error} the directory has no admin's kubeconfig */
export async function openTarget(data: string, namespace: string): Promise<Target> {
  const { clusters, users } = JSON.parse(await readFile(join(data, "admin.kubeconfig"), "utf8")) as Kubeconfig;
  const [cluster, user] = [clusters[0]?.cluster, users[0]?.user];
  if (cluster === undefined || user === undefined) throw new Error("the kubeconfig names no cluster or no user");
  const decode = (base64: string) => Buffer.from(base64, "base64").toString();
  const ca = decode(cluster["certificate-authority-data"]);
  const url = new URL(cluster.server);
  const admin = { cert: decode(user["client-certificate-data"]), key: decode(user["client-key-data"]) };
  const ask: Target["ask"] = (method, path, { admin: asAdmin = true, token, as, body, contentType } = {}) => {
    const data = body === undefined ? undefined : JSON.stringify(body);
    const headers = {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(as === undefined ? {} : { "impersonate-user": as.user, "impersonate-group": [...(as.groups ?? [])] }),
      ...(data === undefined
        ? {}
        : { "content-type": contentType ?? "application/json", "content-length": Buffer.byteLength(data) }),
    };
    const tls = { ca, ...(asAdmin && token === undefined ? admin : {}), agent: false } as const;
    return new Promise((resolve, reject) => {
      const sent = request(new URL(path, url), { method, headers, ...tls }, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () => {
          const text = Buffer.concat(chunks).toString();
          resolve({ status: response.statusCode ?? 0, text, json: parsed(text) });
        });
      });
      sent.on("error", reject);
      sent.end(data);
    });
  };
  return { data, url, ca, namespace, ask };
}

function parsed(text: string): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return {};
  }
}

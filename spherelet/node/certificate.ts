/**
 * Certificates in a node's name: asked for by a CertificateSigningRequest, kept on disk with their key.
 * Source: https://kubernetes.io/docs/reference/access-authn-authz/kubelet-tls-bootstrapping/
 */
import { X509Certificate } from "node:crypto";
import { readFile, rename, writeFile } from "node:fs/promises";
import { CertificateSigningRequest } from "@atoll/client/builtin";
import type { Client } from "@atoll/client/client";
import { type Key, toKey } from "@atoll/client/resource";
import type { Clock } from "@atoll/machinery/clock";
import { newPrivateKey, newRequest, type Subject } from "@atoll/runtime/certificates/newrequest";

/** A certificate and its key, PEM. */
export interface Pair {
  readonly cert: string;
  readonly key: string;
}

/** What is asked for. */
export interface CertificateWish {
  readonly node: string;
  readonly signerName: "kubernetes.io/kubelet-serving" | "kubernetes.io/kube-apiserver-client-kubelet";
  readonly names?: Subject["names"];
  readonly expirationSeconds?: number;
  /** Told once if it takes long: nobody may approve it by themselves. */
  onWaiting?(request: string): void;
}

const purposes = {
  "kubernetes.io/kubelet-serving": "server auth",
  "kubernetes.io/kube-apiserver-client-kubelet": "client auth",
} as const;
const askEveryMs = 200;
const usuallyMs = 3_000;
const patienceMs = 300_000;

/**
 * Makes a key and has a certificate of it signed.
 * @throws {Error} denied, or not signed within five minutes
 */
export async function obtainCertificate(
  { client, clock }: { readonly client: Client; readonly clock: Clock },
  { node, signerName, names = [], expirationSeconds, onWaiting }: CertificateWish,
  signal?: AbortSignal,
): Promise<Pair> {
  const key = newPrivateKey();
  const pem = await newRequest(key, { commonName: `system:node:${node}`, organizations: ["system:nodes"], names });
  const made = await client.create(CertificateSigningRequest, {
    metadata: { generateName: "csr-" },
    spec: {
      request: Buffer.from(pem).toString("base64"),
      signerName,
      usages: ["digital signature", purposes[signerName]],
      ...(expirationSeconds === undefined ? {} : { expirationSeconds }),
    },
  });
  const own = toKey(undefined, made.metadata.name ?? "");
  const late = clock.after(usuallyMs, () => onWaiting?.(own));
  try {
    return { cert: await signed({ client, clock }, own, signal), key };
  } finally {
    late.cancel();
  }
}

/** @returns PEM, once it is there */
async function signed(
  { client, clock }: { readonly client: Client; readonly clock: Clock },
  own: Key,
  signal: AbortSignal | undefined,
): Promise<string> {
  const endMs = clock.monotonicMs() + patienceMs;
  while (clock.monotonicMs() < endMs) {
    const { status } = await client.get(CertificateSigningRequest, own, { signal });
    if (status?.certificate !== undefined) return Buffer.from(status.certificate, "base64").toString();
    const denied = status?.conditions?.find(({ type }) => type === "Denied" || type === "Failed");
    if (denied !== undefined)
      throw new Error(`the request ${own} was refused: ${denied.message ?? denied.reason ?? ""}`);
    await clock.sleep(askEveryMs, signal);
  }
  throw new Error(`the request ${own} has not been approved and signed; kubectl certificate approve ${own}`);
}

/** When a certificate is to be renewed, ms since the epoch. */
export function halfLifeMs({ cert }: Pair): number {
  const { validFromDate, validToDate } = new X509Certificate(cert);
  return (validFromDate.getTime() + validToDate.getTime()) / 2;
}

/** What writePair() wrote; undefined when there is nothing, or something else. */
export async function readPair(path: string): Promise<Pair | undefined> {
  const text = await readFile(path, "utf8").catch(() => undefined);
  const parts = text?.split(/(?=-----BEGIN)/) ?? [];
  const cert = parts.find((part) => part.startsWith("-----BEGIN CERTIFICATE"));
  const key = parts.find((part) => part.startsWith("-----BEGIN PRIVATE KEY"));
  return cert === undefined || key === undefined ? undefined : { cert, key };
}

/** Both in one file, so that they always belong together. */
export async function writePair(path: string, { cert, key }: Pair): Promise<void> {
  const draft = `${path}.new`;
  await writeFile(draft, `${cert.trimEnd()}\n${key}`, { mode: 0o600 });
  await rename(draft, path);
}

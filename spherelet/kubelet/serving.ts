/**
 * The kubelet's API with a certificate of the cluster: asked for by a CertificateSigningRequest in the node's name, kept
 * on disk, renewed at half its life. While there is none, the API waits; the pods do not.
 */
import { X509Certificate } from "node:crypto";
import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CertificateSigningRequest } from "@atoll/client/builtin";
import type { Client } from "@atoll/client/client";
import { toKey } from "@atoll/client/resource";
import { newPrivateKey, newRequest } from "@atoll/runtime/certificates/newrequest";
import { authorizeBy } from "./access.ts";
import { type KubeletOptions, type KubeletServer, startKubelet } from "./server.ts";

/** What the API is served with. */
export interface ServingOptions extends Omit<KubeletOptions, "tls" | "authorize"> {
  readonly client: Client;
  /** Where the certificate is kept. */
  readonly folder: string;
  /** IP address that others reach this host at. */
  readonly address: string;
  /** PEM of the cluster's authority. */
  readonly ca: string;
}

interface Pair {
  readonly cert: string;
  readonly key: string;
}

const signerName = "kubernetes.io/kubelet-serving";
const retryMs = 5_000;
const askEveryMs = 200;
const patienceMs = 300_000;
const longestWaitMs = 3_600_000;

/** Serves until the signal aborts. Never rejects: what goes wrong is told to the log and tried again. */
export async function serveKubelet(options: ServingOptions, signal: AbortSignal): Promise<void> {
  const { clock, log } = options;
  let server: KubeletServer | undefined;
  while (!signal.aborted) {
    let waitMs = retryMs;
    try {
      const pair = await certificate(options, signal);
      const tls = { ...pair, clientCa: options.ca };
      if (server === undefined) server = await start(options, tls);
      else server.renew(tls);
      waitMs = Math.min(Math.max(halfLifeMs(pair) - clock.nowMs(), retryMs), longestWaitMs);
    } catch (error) {
      if (!signal.aborted) log.warn("the kubelet's API does not serve yet", { error });
    }
    await clock.sleep(waitMs, signal).catch(() => undefined);
  }
  await server?.close();
}

async function start(options: ServingOptions, tls: KubeletOptions["tls"]): Promise<KubeletServer> {
  const { client, clock, node } = options;
  const server = await startKubelet({ ...options, tls, authorize: authorizeBy(client, clock, node) });
  options.log.info("the kubelet's API serves", { port: server.port });
  return server;
}

/** The certificate on disk while it is good, else a new one. */
async function certificate(options: ServingOptions, signal: AbortSignal): Promise<Pair> {
  const kept = await read(options.folder);
  if (kept !== undefined && isGood(kept, options)) return kept;
  const key = newPrivateKey();
  const cert = await ask(options, key, signal);
  await write(options.folder, { cert, key });
  return { cert, key };
}

function isGood(pair: Pair, { address, ca, clock }: ServingOptions): boolean {
  const certificate = new X509Certificate(pair.cert);
  const isOurs = certificate.verify(new X509Certificate(ca).publicKey);
  return isOurs && certificate.checkIP(address) !== undefined && halfLifeMs(pair) > clock.nowMs();
}

function halfLifeMs({ cert }: Pair): number {
  const { validFromDate, validToDate } = new X509Certificate(cert);
  return (validFromDate.getTime() + validToDate.getTime()) / 2;
}

/** @returns PEM @throws {Error} denied, or not signed in time */
async function ask(
  { client, clock, node, address }: ServingOptions,
  key: string,
  signal: AbortSignal,
): Promise<string> {
  const names = [
    { type: "dns", value: node },
    { type: "ip", value: address },
  ] as const;
  const pem = await newRequest(key, { commonName: `system:node:${node}`, organizations: ["system:nodes"], names });
  const made = await client.create(CertificateSigningRequest, {
    metadata: { generateName: "csr-" },
    spec: { request: Buffer.from(pem).toString("base64"), signerName, usages: ["digital signature", "server auth"] },
  });
  const own = toKey(undefined, made.metadata.name ?? "");
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

const certificatePath = (folder: string) => join(folder, "kubelet.pem");

/** Both in one file, so that they always belong together. */
async function read(folder: string): Promise<Pair | undefined> {
  const text = await readFile(certificatePath(folder), "utf8").catch(() => undefined);
  const parts = text?.split(/(?=-----BEGIN)/) ?? [];
  const cert = parts.find((part) => part.startsWith("-----BEGIN CERTIFICATE"));
  const key = parts.find((part) => part.startsWith("-----BEGIN PRIVATE KEY"));
  return cert === undefined || key === undefined ? undefined : { cert, key };
}

async function write(folder: string, { cert, key }: Pair): Promise<void> {
  const draft = `${certificatePath(folder)}.new`;
  await writeFile(draft, `${cert.trimEnd()}\n${key}`, { mode: 0o600 });
  await rename(draft, certificatePath(folder));
}

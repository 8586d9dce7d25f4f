/**
 * The kubelet's API with a certificate of the cluster: asked for by a CertificateSigningRequest in the node's name, kept
 * on disk, renewed at half its life. While there is none, the API waits; the pods do not.
 */
import { X509Certificate } from "node:crypto";
import { join } from "node:path";
import type { Client } from "@atoll/client/client";
import { halfLifeMs, obtainCertificate, type Pair, readPair, writePair } from "../node/certificate.ts";
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

const retryMs = 5_000;
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
  const { folder, node, address } = options;
  const path = join(folder, "kubelet.pem");
  const kept = await readPair(path);
  if (kept !== undefined && isGood(kept, options)) return kept;
  const names = [
    { type: "dns", value: node },
    { type: "ip", value: address },
  ] as const;
  const pair = await obtainCertificate(options, { node, signerName: "kubernetes.io/kubelet-serving", names }, signal);
  await writePair(path, pair);
  return pair;
}

function isGood(pair: Pair, { address, ca, clock }: ServingOptions): boolean {
  const certificate = new X509Certificate(pair.cert);
  const isOurs = certificate.verify(new X509Certificate(ca).publicKey);
  return isOurs && certificate.checkIP(address) !== undefined && halfLifeMs(pair) > clock.nowMs();
}

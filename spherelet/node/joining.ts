/**
 * A host becomes a node of a cluster that it knows nothing of but a token: an identifier and a secret that the cluster
 * keeps as a bootstrap token, and the hash of the authority that vouches for the API. So neither is fooled by another.
 * Source: https://kubernetes.io/docs/reference/access-authn-authz/bootstrap-tokens/
 */
import { createHash, X509Certificate } from "node:crypto";
import { join } from "node:path";
import { connect, type DetailedPeerCertificate } from "node:tls";
import { podRangeAnnotation, serviceRangeAnnotation } from "@atoll/api/supervisor/annotations";
import { Node } from "@atoll/client/builtin";
import { Client } from "@atoll/client/client";
import { isAlreadyExists } from "@atoll/client/errors";
import { toKey } from "@atoll/client/resource";
import type { Clock } from "@atoll/machinery/clock";
import type { Log } from "@atoll/runtime/log";
import { nodeTransport } from "@atoll/runtime/transport";
import { halfLifeMs, obtainCertificate, type Pair, readPair, writePair } from "./certificate.ts";

/** A token of `atoll host token`, taken apart. */
export interface JoinToken {
  /** `ID.SECRET`, a bootstrap token. */
  readonly bearer: string;
  /** SHA-256 of the authority's certificate, hex. */
  readonly authority: string;
}

/** Who joins. */
export interface JoinOptions {
  readonly token: JoinToken;
  readonly node: string;
  readonly clock: Clock;
  readonly signal?: AbortSignal;
  /** Told once if the request waits for people. */
  onWaiting(request: string): void;
}

/** The hub is not the one of the token, or cannot be reached. */
export class JoinFailed extends Error {
  override readonly name = "JoinFailed";
}

const shape = /^([a-z0-9]{6}\.[a-z0-9]{16})\.([0-9a-f]{64})$/;
const signerName = "kubernetes.io/kube-apiserver-client-kubelet";
/** Thirty days. */
const expirationSeconds = 30 * 86_400;
const connectMs = 10_000;
const retryMs = 60_000;
const longestWaitMs = 3_600_000;
const lookEveryMs = 100;
const patienceMs = 60_000;

/** @returns undefined when it is none */
export function readToken(text: string): JoinToken | undefined {
  const [, bearer, authority] = shape.exec(text) ?? [];
  return bearer === undefined || authority === undefined ? undefined : { bearer, authority };
}

/** The hash by which a token knows an authority. @param pem its certificate */
export function authorityHash(pem: string): string {
  return createHash("sha256").update(new X509Certificate(pem).raw).digest("hex");
}

/**
 * Joins: finds the authority that the token names, and has a certificate signed in the node's name.
 * @param hub `https://HOST:PORT`
 * @throws {JoinFailed} @throws {StatusError} the token is not good, or a node of the name is there already
 */
export async function joinCluster(
  hub: string,
  { token, node, clock, signal, onWaiting }: JoinOptions,
): Promise<{ readonly ca: string; readonly identity: Pair }> {
  const ca = await authorityOf(hub, token.authority);
  const identity = { tls: async () => ({ ca }), authorization: async () => `Bearer ${token.bearer}` };
  const transport = nodeTransport({ server: hub, identity, clock });
  try {
    const client = new Client({ transport, clock, userAgent: "atoll-host-join" });
    const wish = { node, signerName, expirationSeconds, onWaiting } as const;
    return { ca, identity: await obtainCertificate({ client, clock }, wish, signal) };
  } finally {
    transport.close();
  }
}

/** The certificate of the server's authority, which the server shows with its own. */
async function authorityOf(hub: string, hash: string): Promise<string> {
  const { hostname, port } = new URL(hub);
  // Whatever is shown is trusted only if its hash is the one that is known.
  const socket = connect({ host: hostname, port: port === "" ? 443 : Number(port), rejectUnauthorized: false });
  try {
    const shown = await new Promise<DetailedPeerCertificate>((resolve, reject) => {
      socket.setTimeout(connectMs, () => reject(new JoinFailed(`${hub} does not answer`)));
      socket.once("error", (cause) => reject(new JoinFailed(`cannot connect to ${hub}`, { cause })));
      socket.once("secureConnect", () => resolve(socket.getPeerCertificate(true)));
    });
    for (let one = shown, depth = 0; depth < 8; one = one.issuerCertificate, depth++) {
      const pem = new X509Certificate(one.raw).toString();
      if (authorityHash(pem) === hash) return pem;
      if (one.issuerCertificate === undefined || one.issuerCertificate === one) break;
    }
  } finally {
    socket.destroy();
  }
  throw new JoinFailed(`${hub} is not of the cluster that the token is for; ask for a new token, or check the address`);
}

/** Where a joined host keeps its certificate and key. */
export const identityPath = (data: string): string => join(data, "node-client.pem");

/** Renews a joined host's certificate at half its life, until the signal aborts. What goes wrong is tried again. */
export async function keepIdentity(
  { client, clock, log, data, node }: { client: Client; clock: Clock; log: Log; data: string; node: string },
  signal: AbortSignal,
): Promise<void> {
  const path = identityPath(data);
  while (!signal.aborted) {
    const pair = await readPair(path);
    if (pair === undefined) return;
    const waitMs = halfLifeMs(pair) - clock.nowMs();
    if (waitMs > 0) {
      await clock.sleep(Math.min(waitMs, longestWaitMs), signal).catch(() => undefined);
      continue;
    }
    try {
      await writePair(
        path,
        await obtainCertificate({ client, clock }, { node, signerName, expirationSeconds }, signal),
      );
      log.info("the node's certificate was renewed", {});
    } catch (error) {
      if (!signal.aborted) log.warn("the node's certificate could not be renewed", { error });
      await clock.sleep(retryMs, signal).catch(() => undefined);
    }
  }
}

/** Ranges of addresses as a node is told them. */
export interface NodeRanges {
  /** This host's pods. */
  readonly pods: string;
  /** All pods. */
  readonly cluster: string;
  readonly services: string;
}

/**
 * The ranges that the cluster gives to a node, which is made when it is not there.
 * @throws {JoinFailed} nobody gives any within a minute
 */
export async function rangesOf(client: Client, name: string, clock: Clock): Promise<NodeRanges> {
  await client.create(Node, { metadata: { name } }).catch((error: unknown) => {
    if (!isAlreadyExists(error)) throw error;
  });
  const endMs = clock.monotonicMs() + patienceMs;
  while (clock.monotonicMs() < endMs) {
    const { metadata, spec } = await client.get(Node, toKey(undefined, name));
    const cluster = metadata.annotations?.[podRangeAnnotation];
    const services = metadata.annotations?.[serviceRangeAnnotation];
    if (spec?.podCIDR !== undefined && cluster !== undefined && services !== undefined)
      return { pods: spec.podCIDR, cluster, services };
    await clock.sleep(lookEveryMs);
  }
  throw new JoinFailed(`nobody gave node ${name} a range of addresses: do the controllers run?`);
}

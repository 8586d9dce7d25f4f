/**
 * Certificates for agents. The gateway holds no authority's key: it asks the hub by a CertificateSigningRequest for the
 * signer of API clients, in the name that the token or the presented certificate gives, never one that the request claims.
 */
import { createHash, createPublicKey } from "node:crypto";
import { FleetCluster } from "@atoll/api/fleet/v1alpha1/fleetcluster";
import { CertificateSigningRequest, Namespace } from "@atoll/client/builtin";
import type { Client } from "@atoll/client/client";
import { isConflict } from "@atoll/client/errors";
import { type Key, toKey } from "@atoll/client/resource";
import { type Clock, formatTime } from "@atoll/machinery/clock";
import { StatusError } from "@atoll/machinery/status";
import { readRequest } from "@atoll/runtime/certificates/request";
import { agentUser, clusterLabel, organizationLabel } from "../cluster/names.ts";

const lifeSeconds = 30 * 24 * 3600;
const waitMs = 30_000;
/** Who waits for a signature looks again after this, then after twice that: many clusters may come at once. */
const firstLookMs = 50;
const lastLookMs = 2_000;
const signerName = "kubernetes.io/kube-apiserver-client";

/** SHA-256 of a public key, hexadecimal. @param spki DER */
export function keyHash(spki: Uint8Array): string {
  return createHash("sha256").update(spki).digest("hex");
}

/** The cluster that a namespace is of. @throws {StatusError} NotFound */
async function clusterOf(client: Client, namespace: string): Promise<Key> {
  const { metadata } = await client.get(Namespace, toKey(undefined, namespace));
  const organization = metadata.labels?.[organizationLabel];
  const cluster = metadata.labels?.[clusterLabel];
  if (organization === undefined || cluster === undefined) {
    throw new StatusError("NotFound", `namespace ${namespace} is not that of a cluster`);
  }
  return toKey(organization, cluster);
}

/** An agent's request for a certificate, which nobody but the owner of its key made. */
export interface AgentRequest {
  /** The agent's name that it asks for, and nothing besides. */
  readonly commonName: string;
  readonly keyHash: string;
  /** PKCS #10 in PEM, in base64. */
  readonly base64: string;
}

/** What signing takes. */
interface Signing {
  readonly client: Client;
  readonly clock: Clock;
}

/** @param pem PKCS #10 @throws {StatusError} BadRequest: it is none; Forbidden: it asks for more than a name */
export async function readAgentRequest(pem: string): Promise<AgentRequest> {
  const base64 = Buffer.from(pem).toString("base64");
  const request = await readRequest(base64).catch((cause: unknown) => {
    throw new StatusError("BadRequest", "csr is not a certificate request in PEM", { cause });
  });
  const { names, organizations, commonName } = request;
  const extra = [...names.dns, ...names.ip, ...names.email, ...names.uri, ...organizations];
  if (extra.length > 0 || !(await request.verify())) {
    throw new StatusError("Forbidden", "csr must ask for the agent's name and nothing else");
  }
  const der = createPublicKey(request.publicKey.toString("pem")).export({ type: "spki", format: "der" });
  return { commonName, keyHash: keyHash(der), base64 };
}

/**
 * Registers a request's key as the cluster's, and has it signed.
 * @returns PEM of the certificate, and whose it is
 * @throws {StatusError} Forbidden: the request names somebody else
 */
export async function enrol(
  signing: Signing,
  namespace: string,
  request: AgentRequest,
): Promise<{ readonly certificate: string; readonly cluster: Key }> {
  const wanted = agentUser(namespace);
  if (request.commonName !== wanted) {
    throw new StatusError("Forbidden", `csr must ask for the name ${JSON.stringify(wanted)} and nothing else`);
  }
  const cluster = await clusterOf(signing.client, namespace);
  await writeStatus(signing.client, cluster, { agentKey: request.keyHash });
  return { certificate: await sign(signing, namespace, request), cluster };
}

/** Writes to a FleetCluster's status. The controllers write the same: whoever is too late reads again. */
export async function writeStatus(client: Client, cluster: Key, more: FleetCluster["status"]): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const found = await client.get(FleetCluster, cluster);
    try {
      await client.setStatus(FleetCluster, { object: found, status: { ...found.status, ...more } });
      return;
    } catch (error) {
      if (!isConflict(error) || attempt >= 8) throw error;
    }
  }
}

/**
 * The next certificate of an agent whose key is registered already.
 * @returns PEM @throws {StatusError} Timeout
 */
export async function sign(
  { client, clock }: Signing,
  namespace: string,
  { base64: request }: AgentRequest,
): Promise<string> {
  const made = await client.create(CertificateSigningRequest, {
    metadata: { generateName: `${namespace}-` },
    spec: { request, signerName, usages: ["digital signature", "client auth"], expirationSeconds: lifeSeconds },
  });
  const now = formatTime(clock.nowMs());
  const approved = {
    type: "Approved",
    status: "True",
    reason: "FleetAgent",
    message: "The fleet's gateway checked the agent's token or certificate.",
    lastUpdateTime: now,
    lastTransitionTime: now,
  };
  const object = { ...made, status: { ...made.status, conditions: [approved] } };
  await client.replace(CertificateSigningRequest, { object, subresource: "approval" });
  const key = toKey(undefined, made.metadata.name ?? "");
  const endMs = clock.monotonicMs() + waitMs;
  for (let lookMs = firstLookMs; ; lookMs = Math.min(lookMs * 2, lastLookMs)) {
    await clock.sleep(lookMs);
    const { status } = await client.get(CertificateSigningRequest, key);
    if (status?.certificate !== undefined) return Buffer.from(status.certificate, "base64").toString();
    if (clock.monotonicMs() > endMs) throw new StatusError("Timeout", "the hub has not signed in time; try again");
  }
}

/**
 * Who the agent is to the gateway: a key it made itself, kept in a Secret of its cluster, and a certificate that it renews at half
 * its life, or when it is back after its end: by proof of the key, which stays the same until the cluster is attached anew.
 */
import { createHash, X509Certificate } from "node:crypto";
import { request as httpsRequest, type RequestOptions } from "node:https";
import { Secret } from "@atoll/client/builtin";
import type { Client } from "@atoll/client/client";
import { isNotFound } from "@atoll/client/errors";
import { toKey } from "@atoll/client/resource";
import type { Clock } from "@atoll/machinery/clock";
import type { TlsMaterial } from "@atoll/runtime/carrier";
import { newPrivateKey, newRequest } from "@atoll/runtime/certificates/newrequest";
import type { Identity } from "@atoll/runtime/transport";
import { agentNamespace } from "./inventory.ts";

/** The Secret with it. */
export const identitySecret = "fleet-agent-identity";
/** In it: whether the agent is leaving for good. A new identity is not. */
export const leavingField = "leaving";
/** Of it: SHA-256 of the token that it came by. */
const tokenAnnotation = "fleet.atoll.dev/token";
const namePrefix = "fleet.atoll.dev:agent:";

/** Where the gateway is, and what proves it. */
export interface GatewayAddress {
  readonly url: string;
  /** PEM. */
  readonly ca: string;
}

/** The gateway refused, or did not answer. */
export class RegistrationFailed extends Error {
  override readonly name = "RegistrationFailed";
}

interface Kept {
  readonly key: string;
  readonly certificate: string;
  /** SHA-256 of the token that was spent for it. */
  readonly token: string;
}

/** The identity of one cluster's agent. */
export class AgentIdentity implements Identity {
  readonly #cluster: Client;
  readonly #gateway: GatewayAddress;
  readonly #clock: Clock;
  #kept: Kept;
  /** Whether it was made just now, for a token. */
  readonly isNew: boolean;

  private constructor(
    cluster: Client,
    gateway: GatewayAddress,
    { clock, kept, isNew }: { clock: Clock; kept: Kept; isNew: boolean },
  ) {
    this.#cluster = cluster;
    this.#gateway = gateway;
    this.#clock = clock;
    this.#kept = kept;
    this.isNew = isNew;
  }

  /**
   * A new identity for a token that is another than the one before, else the one that the cluster keeps. A cluster that is attached
   * again brings another.
   * @throws {RegistrationFailed} there is none, and no token or a bad one
   */
  static async open(
    cluster: Client,
    gateway: GatewayAddress,
    { clock, token }: { readonly clock: Clock; readonly token?: string | undefined },
  ): Promise<AgentIdentity> {
    const found = await load(cluster);
    const spent = createHash("sha256")
      .update(token ?? "")
      .digest("hex");
    if (found !== undefined && (token === undefined || found.token === spent))
      return new AgentIdentity(cluster, gateway, { clock, kept: found, isNew: false });
    if (token === undefined) throw new RegistrationFailed("this cluster is not registered yet, and no token was given");
    const key = newPrivateKey();
    const csr = await newRequest(key, { commonName: `${namePrefix}${token.split(".")[0] ?? ""}` });
    const { certificate } = await post(gateway, "/register", { token, csr });
    const kept = { key, certificate, token: spent };
    await save(cluster, kept);
    return new AgentIdentity(cluster, gateway, { clock, kept, isNew: true });
  }

  /** The cluster's namespace on the hub. */
  get hubNamespace(): string {
    return this.#commonName.slice(namePrefix.length);
  }

  get #commonName(): string {
    const { subject } = new X509Certificate(this.#kept.certificate);
    return /^CN=(.*)$/m.exec(subject)?.[1] ?? "";
  }

  /** As the transport asks. */
  async tls(): Promise<TlsMaterial> {
    return { ca: this.#gateway.ca, cert: this.#kept.certificate, key: this.#kept.key };
  }

  /** None: the certificate says it all. */
  async authorization(): Promise<undefined> {
    return undefined;
  }

  /** Renews at half the certificate's life until the signal aborts. @param onFailure told, then tried again */
  async keepRenewed(signal: AbortSignal, onFailure: (error: unknown) => void): Promise<void> {
    while (!signal.aborted) {
      const leftMs = this.#dueMs() - this.#clock.nowMs();
      if (leftMs <= 0) await this.renew().catch(onFailure);
      const waitMs = Math.max(Math.min(leftMs, longestWaitMs), retryMs);
      await this.#clock.sleep(waitMs, signal).catch(() => undefined);
    }
  }

  /** Asks for the next certificate. @throws {RegistrationFailed} */
  async renew(): Promise<void> {
    const { key, token } = this.#kept;
    const csr = await newRequest(key, { commonName: this.#commonName });
    const { certificate } = await post(this.#gateway, "/renew", { csr });
    await save(this.#cluster, { key, certificate, token });
    this.#kept = { key, certificate, token };
  }

  #dueMs(): number {
    const { validFromDate, validToDate } = new X509Certificate(this.#kept.certificate);
    return (validFromDate.getTime() + validToDate.getTime()) / 2;
  }
}

const longestWaitMs = 3600_000;
const retryMs = 60_000;

async function load(cluster: Client): Promise<Kept | undefined> {
  try {
    const { data = {}, metadata } = await cluster.get(Secret, toKey(agentNamespace, identitySecret));
    const text = (field: string) => Buffer.from(data[field] ?? "", "base64").toString();
    const token = metadata.annotations?.[tokenAnnotation] ?? "";
    return { key: text("tls.key"), certificate: text("tls.crt"), token };
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

async function save(cluster: Client, { key, certificate, token }: Kept): Promise<void> {
  const object = {
    metadata: { name: identitySecret, namespace: agentNamespace, annotations: { [tokenAnnotation]: token } },
    type: "kubernetes.io/tls",
    stringData: { "tls.key": key, "tls.crt": certificate, [leavingField]: "" },
  };
  await cluster.apply(Secret, { object, force: true }, { fieldManager: "atoll-fleet-agent" });
}

function post({ url, ca }: GatewayAddress, path: string, body: object): Promise<{ certificate: string }> {
  const options: RequestOptions = { method: "POST", ca, headers: { "content-type": "application/json" } };
  return new Promise((resolve, reject) => {
    const fail = (message: string, cause?: unknown) => reject(new RegistrationFailed(message, { cause }));
    const sent = httpsRequest(new URL(path, url), options, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", (error) => fail(`the gateway at ${url} broke off`, error));
      response.on("end", () => {
        const answer = parse(Buffer.concat(chunks).toString());
        if (typeof answer.certificate === "string") resolve({ certificate: answer.certificate });
        else fail(`the gateway at ${url} refused: ${answer.message ?? `status ${response.statusCode}`}`);
      });
    });
    sent.on("error", (error) => fail(`the gateway at ${url} does not answer: ${error.message}`, error));
    sent.end(JSON.stringify(body));
  });
}

function parse(text: string): { certificate?: unknown; message?: string } {
  try {
    return JSON.parse(text) as { certificate?: unknown; message?: string };
  } catch {
    return {};
  }
}

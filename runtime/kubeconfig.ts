/**
 * From a kubeconfig file to a transport: certificates, tokens and credential programs, read again as they change.
 * Source: k8s.io/client-go/tools/clientcmd; https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins
 */
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import type { KubeconfigContext, Material } from "@atoll/client/kubeconfig";
import { KubeconfigInvalid, readContext } from "@atoll/client/kubeconfig";
import type { Transport } from "@atoll/client/transport";
import { TransportFailed } from "@atoll/client/transport";
import type { Clock } from "@atoll/machinery/clock";
import { parseTime } from "@atoll/machinery/clock";
import { parseJson } from "@atoll/machinery/json/json";
import type { TlsMaterial } from "./carrier.ts";
import type { Identity } from "./transport.ts";
import { nodeTransport } from "./transport.ts";

/** Which kubeconfig, and what to take from it. */
export interface KubeconfigOptions {
  readonly path: string;
  /** Default: current-context. */
  readonly context?: string;
  readonly clock: Clock;
}

/** A server that a kubeconfig names. */
export interface Kubeconfig {
  readonly context: KubeconfigContext;
  /** PEM of the authority that vouches for the server; "" when the file names none. */
  readonly ca: string;
  /** Who speaks, for what is no exchange of the transport's. */
  readonly identity: Identity;
  readonly transport: Transport;
}

/** How long a token read from a file is used, ms. */
const tokenFileMs = 60_000;
const programTimeoutMs = 60_000;
/** Credentials are renewed this long before they expire, ms. */
const renewEarlyMs = 30_000;

/**
 * Opens the server of a kubeconfig's context.
 * @throws {KubeconfigInvalid} it cannot be read or used
 */
export async function openKubeconfig(options: KubeconfigOptions): Promise<Kubeconfig> {
  const { path, clock } = options;
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    throw new KubeconfigInvalid(`cannot read ${path}`, { cause });
  });
  const context = readContext(await parseDocument(text, path), options.context);
  const identity = new KubeconfigIdentity({ context, folder: dirname(resolve(path)), clock });
  const ca = (await identity.tls()).ca?.toString() ?? "";
  return { context, ca, identity, transport: nodeTransport({ server: context.server, identity, clock }) };
}

/** Those that Atoll writes are JSON, for which YAML need not be loaded. */
async function parseDocument(text: string, path: string): Promise<unknown> {
  try {
    return parseJson(text).value;
  } catch {
    // It is YAML proper.
  }
  try {
    const { parseYaml } = await import("@atoll/machinery/yaml/yaml");
    return parseYaml(text).value;
  } catch (cause) {
    throw new KubeconfigInvalid(`${path} is no YAML`, { cause });
  }
}

/** What a credential program answered. */
interface Credential {
  readonly token?: string;
  readonly clientCertificateData?: string;
  readonly clientKeyData?: string;
  readonly expirationTimestamp?: string;
}

class KubeconfigIdentity implements Identity {
  readonly headers: Readonly<Record<string, string>>;
  readonly #context: KubeconfigContext;
  readonly #folder: string;
  readonly #clock: Clock;
  #credential: Promise<Credential> | undefined;
  #token: { readonly value: string; readonly readMs: number } | undefined;

  constructor({ context, folder, clock }: { context: KubeconfigContext; folder: string; clock: Clock }) {
    this.#context = context;
    this.#folder = folder;
    this.#clock = clock;
    this.headers = impersonation(context);
  }

  async tls(): Promise<TlsMaterial> {
    const { certificateAuthority, clientCertificate, clientKey, insecureSkipTlsVerify, tlsServerName } = this.#context;
    const credential = await this.#obtain();
    return {
      ca: await this.#read(certificateAuthority),
      cert: credential?.clientCertificateData ?? (await this.#read(clientCertificate)),
      key: credential?.clientKeyData ?? (await this.#read(clientKey)),
      serverName: tlsServerName,
      insecureSkipTlsVerify,
    };
  }

  async authorization(): Promise<string | undefined> {
    const { basic, token, tokenFile } = this.#context;
    const credential = await this.#obtain();
    if (credential?.token !== undefined) return `Bearer ${credential.token}`;
    if (tokenFile !== undefined) return `Bearer ${await this.#tokenFrom(tokenFile)}`;
    if (token !== undefined) return `Bearer ${token}`;
    if (basic === undefined) return undefined;
    return `Basic ${Buffer.from(`${basic.username}:${basic.password}`).toString("base64")}`;
  }

  refused(): void {
    this.#credential = undefined;
    this.#token = undefined;
  }

  async #read(material: Material | undefined): Promise<Buffer | undefined> {
    if (material === undefined) return undefined;
    return "data" in material ? Buffer.from(material.data, "base64") : readFile(resolve(this.#folder, material.file));
  }

  async #tokenFrom(file: string): Promise<string> {
    const nowMs = this.#clock.monotonicMs();
    if (this.#token === undefined || nowMs - this.#token.readMs > tokenFileMs) {
      const value = (await readFile(resolve(this.#folder, file), "utf8")).trim();
      this.#token = { value, readMs: nowMs };
    }
    return this.#token.value;
  }

  /** The program's credential: run once for all who wait, and again when it is about to expire. */
  async #obtain(): Promise<Credential | undefined> {
    if (this.#context.exec === undefined) return undefined;
    const asked = this.#credential;
    const held = await asked?.catch(() => undefined);
    if (held !== undefined && !this.#expires(held)) return held;
    // Somebody else may have asked anew meanwhile.
    if (this.#credential === asked) this.#credential = this.#runProgram();
    return this.#credential;
  }

  #expires({ expirationTimestamp }: Credential): boolean {
    const endMs = expirationTimestamp === undefined ? Number.NaN : parseTime(expirationTimestamp);
    return !Number.isNaN(endMs) && endMs - renewEarlyMs < this.#clock.nowMs();
  }

  async #runProgram(): Promise<Credential> {
    const { exec, server, insecureSkipTlsVerify } = this.#context;
    if (exec === undefined) return {};
    const cluster = exec.provideClusterInfo
      ? { cluster: { server, "insecure-skip-tls-verify": insecureSkipTlsVerify } }
      : {};
    const info = { apiVersion: exec.apiVersion, kind: "ExecCredential", spec: { interactive: false, ...cluster } };
    const added = Object.fromEntries(exec.env.map(({ name, value }) => [name, value]));
    const env = { ...process.env, ...added, KUBERNETES_EXEC_INFO: JSON.stringify(info) };
    const command = exec.command.includes("/") ? resolve(this.#folder, exec.command) : exec.command;
    const output = await run(command, exec.args, env);
    const { status } = JSON.parse(output) as { status?: Credential };
    if (status === undefined) throw new TransportFailed(`${exec.command} gave no credential`, { uncertain: false });
    return status;
  }
}

function run(command: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<string> {
  return new Promise((done, fail) => {
    execFile(command, [...args], { env, timeout: programTimeoutMs }, (cause, output) => {
      // Its output may hold a secret; its exit code says enough.
      if (cause === null) done(output);
      else
        fail(
          new TransportFailed(`the credential program ${command} failed (${cause.code ?? "killed"})`, {
            uncertain: false,
          }),
        );
    });
  });
}

function impersonation({ impersonate }: KubeconfigContext): Record<string, string> {
  if (impersonate === undefined) return {};
  const { user, uid, groups } = impersonate;
  if (groups.length > 1) throw new KubeconfigInvalid("impersonation of several groups is not supported");
  const [group] = groups;
  return {
    "impersonate-user": user,
    ...(uid === "" ? {} : { "impersonate-uid": uid }),
    ...(group === undefined ? {} : { "impersonate-group": group }),
  };
}

/**
 * The folder of keys: made on first start, shared by the servers of one cluster.
 *
 *     ca.crt ca.key                    signs people, nodes and servers
 *     sa.key sa.pub                    signs service-account tokens; to rotate, put another sa.key in its place and append
 *                                      its public key to sa.pub, and take the old one out when its tokens are over
 *     front-proxy-ca.crt .key          signs the client certificate shown to aggregated APIs
 *     front-proxy-client.crt .key
 *     apiserver.crt .key               this server's own; renewed when its names or time run out
 *     kubelet-client.crt .key          shown to the nodes' kubelet API
 *     admin.crt admin.key              full access, for people in need
 */
import { X509Certificate } from "node:crypto";
import { chmod, mkdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { createPublicKey } from "node:crypto";
import { parseDate } from "@atoll/machinery/clock";
import { alone } from "./lock.ts";
import { writePrivate } from "./private.ts";
import { type CertificateWish, issue, type KeyPair, newAuthority, newKey } from "./authority.ts";

/** All that a server signs and identifies itself with. */
export interface Pki {
  readonly ca: KeyPair;
  readonly frontProxyCa: KeyPair;
  readonly frontProxyClient: KeyPair;
  readonly server: KeyPair;
  readonly kubeletClient: KeyPair;
  readonly admin: KeyPair;
  /** PEM private key that signs service-account tokens. */
  readonly serviceAccountKey: string;
  /** PEM public keys whose tokens hold, besides that key's own. */
  readonly serviceAccountPublicKeys: string;
}

const year = 365;
// Renewed at start when less than this is left.
const renewBeforeMs = 30 * 24 * 60 * 60 * 1000;

/**
 * Reads the folder, making what is missing; servers that do so at the same moment wait for each other.
 * @param names DNS names and addresses that the server's certificate must have
 * @throws when a file is there but cannot be read
 */
export async function openPki(folder: string, names: readonly string[], nowMs: number): Promise<Pki> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await chmod(folder, 0o700);
  return await alone(folder, () => openAlone(folder, names, nowMs));
}

async function openAlone(folder: string, names: readonly string[], nowMs: number): Promise<Pki> {
  const ca = await authority(folder, "ca", { name: "atoll-ca", nowMs });
  const frontProxyCa = await authority(folder, "front-proxy-ca", { name: "atoll-front-proxy-ca", nowMs });
  const signed = (name: string, issuer: KeyPair, wish: Omit<CertificateWish, "days">) =>
    certificate({ folder, name, issuer, nowMs }, { ...wish, days: year });
  return {
    ca,
    frontProxyCa,
    frontProxyClient: await signed("front-proxy-client", frontProxyCa, {
      commonName: "front-proxy-client",
      usage: "client",
    }),
    server: await signed("apiserver", ca, { commonName: "kube-apiserver", usage: "server", names }),
    kubeletClient: await signed("kubelet-client", ca, {
      // What it may do at kubelets, a role says (server/bootstrap/rbacown.ts); here, it may do nothing.
      commonName: "kube-apiserver-kubelet-client",
      usage: "client",
    }),
    admin: await signed("admin", ca, {
      commonName: "kubernetes-admin",
      organizations: ["system:masters"],
      usage: "client",
    }),
    serviceAccountKey: await serviceAccountKey(folder),
    serviceAccountPublicKeys: (await read(join(folder, "sa.pub"))) ?? "",
  };
}

async function authority(folder: string, name: string, { name: commonName, nowMs }: { name: string; nowMs: number }) {
  const known = await readPair(folder, name);
  if (known !== undefined) return known;
  return await keepPair(folder, name, await newAuthority(commonName, nowMs));
}

interface Slot {
  readonly folder: string;
  readonly name: string;
  readonly issuer: KeyPair;
  readonly nowMs: number;
}

async function certificate({ folder, name, issuer, nowMs }: Slot, wish: CertificateWish): Promise<KeyPair> {
  const known = await readPair(folder, name);
  if (known !== undefined && serves(known, issuer, { wish, nowMs })) return known;
  return await keepPair(folder, name, await issue(issuer, wish, nowMs), { replace: known !== undefined });
}

/** Whether a certificate is the issuer's, and has time left. */
export function servesYet(pair: KeyPair, issuer: KeyPair, nowMs: number): boolean {
  const cert = new X509Certificate(pair.cert);
  if (parseDate(cert.validTo) - nowMs < renewBeforeMs) return false;
  return cert.verify(new X509Certificate(issuer.cert).publicKey);
}

/** Whether a certificate still has the names, the time and the issuer that are wanted. */
function serves(pair: KeyPair, issuer: KeyPair, { wish, nowMs }: { wish: CertificateWish; nowMs: number }): boolean {
  if (!servesYet(pair, issuer, nowMs)) return false;
  const cert = new X509Certificate(pair.cert);
  const has = new Set((cert.subjectAltName ?? "").split(", ").map((name) => name.replace(/^(DNS|IP Address):/, "")));
  return (wish.names ?? []).every((name) => has.has(name));
}

async function serviceAccountKey(folder: string): Promise<string> {
  const known = await read(join(folder, "sa.key"));
  if (known !== undefined) return known;
  const key = newKey();
  const publicKey = createPublicKey(key).export({ type: "spki", format: "pem" }).toString();
  await writePrivate(join(folder, "sa.pub"), publicKey);
  await writePrivate(join(folder, "sa.key"), key);
  return (await read(join(folder, "sa.key"))) ?? key;
}

async function readPair(folder: string, name: string): Promise<KeyPair | undefined> {
  const [cert, key] = await Promise.all([read(join(folder, `${name}.crt`)), read(join(folder, `${name}.key`))]);
  return cert === undefined || key === undefined ? undefined : { cert, key };
}

/** Keeps a pair, unless half of one is there already and the other half, too, by now. */
async function keepPair(
  folder: string,
  name: string,
  pair: KeyPair,
  { replace } = { replace: false },
): Promise<KeyPair> {
  if (!replace && (await exists(join(folder, `${name}.crt`)))) return (await readPair(folder, name)) ?? pair;
  await writePrivate(join(folder, `${name}.key`), pair.key);
  await writePrivate(join(folder, `${name}.crt`), pair.cert);
  return pair;
}

async function read(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if ((error as { code?: string }).code === "ENOENT") return undefined;
    throw error;
  }
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}

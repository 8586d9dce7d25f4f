/**
 * A certificate authority and the certificates it gives.
 * The X.509 library takes a tenth of a second to load, so it is loaded only when something is to be signed.
 */
import { createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes, webcrypto } from "node:crypto";
import { isIP } from "node:net";
import { dateOf } from "@atoll/machinery/clock";

/** A certificate and its private key, PEM. */
export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

/** What a certificate is for. */
export interface CertificateWish {
  readonly commonName: string;
  /** Groups, in Kubernetes' reading. */
  readonly organizations?: readonly string[];
  readonly usage: "server" | "client" | "both";
  /** DNS names and IP addresses. */
  readonly names?: readonly string[];
  readonly days: number;
}

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const dayMs = 24 * 60 * 60 * 1000;
// A clock that is a little behind still takes a new certificate.
const backdateMs = 5 * 60 * 1000;
const caDays = 3650;

async function library() {
  await import("reflect-metadata");
  return await import("@peculiar/x509");
}

/** A new P-256 key, PEM (PKCS #8). */
export function newKey(): string {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return privateKey.export({ type: "pkcs8", format: "pem" }).toString();
}

/** A new authority of the given name. */
export async function newAuthority(commonName: string, nowMs: number): Promise<KeyPair> {
  const x509 = await library();
  const key = newKey();
  const keys = await importKeys(key);
  const cert = await x509.X509CertificateGenerator.createSelfSigned(
    {
      serialNumber: serial(),
      name: [{ CN: [commonName] }],
      notBefore: dateOf(nowMs - backdateMs),
      notAfter: dateOf(nowMs + caDays * dayMs),
      signingAlgorithm: algorithm,
      keys,
      extensions: [
        new x509.BasicConstraintsExtension(true, undefined, true),
        new x509.KeyUsagesExtension(
          x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign | x509.KeyUsageFlags.digitalSignature,
          true,
        ),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      ],
    },
    webcrypto,
  );
  return { cert: cert.toString("pem"), key };
}

/**
 * Signs a certificate for a public key.
 * @param publicKey PEM (SPKI)
 * @returns PEM
 */
export async function sign(
  authority: KeyPair,
  publicKey: string,
  { wish, nowMs }: { wish: CertificateWish; nowMs: number },
): Promise<string> {
  const x509 = await library();
  const issuer = new x509.X509Certificate(authority.cert);
  const signer = await importKeys(authority.key);
  const spki = createPublicKey(publicKey).export({ type: "spki", format: "der" });
  const usages = {
    server: [x509.ExtendedKeyUsage.serverAuth],
    client: [x509.ExtendedKeyUsage.clientAuth],
    both: [x509.ExtendedKeyUsage.serverAuth, x509.ExtendedKeyUsage.clientAuth],
  };
  const names = (wish.names ?? []).map((value) => ({
    type: isIP(value) === 0 ? ("dns" as const) : ("ip" as const),
    value,
  }));
  const subject = [...(wish.organizations ?? []).map((group) => ({ O: [group] })), { CN: [wish.commonName] }];
  const cert = await x509.X509CertificateGenerator.create(
    {
      serialNumber: serial(),
      subject,
      issuer: issuer.subject,
      notBefore: dateOf(nowMs - backdateMs),
      notAfter: dateOf(Math.min(nowMs + wish.days * dayMs, issuer.notAfter.getTime())),
      signingAlgorithm: algorithm,
      signingKey: signer.privateKey,
      publicKey: new x509.PublicKey(spki),
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyEncipherment, true),
        new x509.ExtendedKeyUsageExtension(usages[wish.usage]),
        await x509.AuthorityKeyIdentifierExtension.create(await issuer.publicKey.export(webcrypto), false, webcrypto),
        ...(names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(names)]),
      ],
    },
    webcrypto,
  );
  return cert.toString("pem");
}

/** A new key with a certificate for it. */
export async function issue(authority: KeyPair, wish: CertificateWish, nowMs: number): Promise<KeyPair> {
  const key = newKey();
  const publicKey = createPublicKey(createPrivateKey(key)).export({ type: "spki", format: "pem" }).toString();
  return { key, cert: await sign(authority, publicKey, { wish, nowMs }) };
}

async function importKeys(pem: string): Promise<webcrypto.CryptoKeyPair> {
  const privateKey = createPrivateKey(pem);
  const publicKey = createPublicKey(privateKey);
  const { subtle } = webcrypto;
  return {
    privateKey: await subtle.importKey("pkcs8", privateKey.export({ type: "pkcs8", format: "der" }), algorithm, false, [
      "sign",
    ]),
    publicKey: await subtle.importKey("spki", publicKey.export({ type: "spki", format: "der" }), algorithm, true, [
      "verify",
    ]),
  };
}

/** 128 random bits, positive as DER reads them. */
function serial(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes.toString("hex");
}

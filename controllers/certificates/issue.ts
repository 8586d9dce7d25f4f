/**
 * Signing an approved request with the authority's key.
 * Source: k8s.io/kubernetes/pkg/controller/certificates/authority
 */
import { createPrivateKey, createPublicKey, type KeyObject, randomBytes, webcrypto } from "node:crypto";
import { dateOf } from "@atoll/machinery/clock";
import type { Extension } from "@peculiar/x509";
import { type AlternativeNames, type CertificateRequest, x509 } from "@atoll/runtime/certificates/request";

/** What signs: PEM of a certificate and of its private key. */
export interface SigningAuthority {
  readonly cert: string;
  readonly key: string;
}

/** For what, and for how long, ms; `nowMs` since the epoch. */
export interface Terms {
  readonly usages: readonly string[];
  readonly durationMs: number;
  readonly nowMs: number;
}

const minuteMs = 60_000;
// A clock that is a little behind still takes a new certificate; short ones keep their full time all the same.
const backdateMs = 5 * minuteMs;
const shortMs = 8 * 60 * minuteMs;

/** Bits of the key usage extension. Source: RFC 5280, 4.2.1.3 */
const keyUsages: Readonly<Record<string, number>> = {
  signing: 1,
  "digital signature": 1,
  "content commitment": 2,
  "key encipherment": 4,
  "data encipherment": 8,
  "key agreement": 16,
  "cert sign": 32,
  "crl sign": 64,
  "encipher only": 128,
  "decipher only": 256,
};

/** Purposes that the built-in signers let through. */
const purposes: Readonly<Record<string, string>> = {
  "server auth": "1.3.6.1.5.5.7.3.1",
  "client auth": "1.3.6.1.5.5.7.3.2",
};

/**
 * A certificate for the request's key, subject and names. It never outlives the authority's own, and is no authority.
 * @returns PEM
 * @throws {Error} the requester does not hold the key, or the authority's is of a kind that is not known
 */
export async function issueCertificate(
  authority: SigningAuthority,
  request: CertificateRequest,
  { usages, durationMs, nowMs }: Terms,
): Promise<string> {
  if (!(await request.verify())) throw new Error("unable to verify certificate request signature");
  const library = await x509();
  const issuer = new library.X509Certificate(authority.cert);
  const key = createPrivateKey(authority.key);
  const notBeforeMs = nowMs - backdateMs;
  const notAfterMs = (durationMs < shortMs ? nowMs : notBeforeMs) + durationMs;
  const certificate = await library.X509CertificateGenerator.create(
    {
      serialNumber: serial(),
      subject: new library.Name(request.subject),
      issuer: issuer.subjectName,
      notBefore: dateOf(notBeforeMs),
      notAfter: dateOf(Math.min(notAfterMs, issuer.notAfter.getTime())),
      signingAlgorithm: algorithmOf(key),
      signingKey: await importKey(key),
      publicKey: request.publicKey,
      extensions: await extensionsOf(usages, request.names, await issuer.publicKey.export(webcrypto)),
    },
    webcrypto,
  );
  return `${certificate.toString("pem")}\n`;
}

async function extensionsOf(
  usages: readonly string[],
  names: AlternativeNames,
  issuerKey: webcrypto.CryptoKey,
): Promise<Extension[]> {
  const library = await x509();
  const bits = usages.reduce((sum, usage) => sum | (keyUsages[usage] ?? 0), 0);
  const extended = usages.flatMap((usage) => purposes[usage] ?? []);
  const alternatives = [
    ...names.dns.map((value) => ({ type: "dns" as const, value })),
    ...names.ip.map((value) => ({ type: "ip" as const, value })),
    ...names.email.map((value) => ({ type: "email" as const, value })),
    ...names.uri.map((value) => ({ type: "url" as const, value })),
  ];
  return [
    ...(bits === 0 ? [] : [new library.KeyUsagesExtension(bits, true)]),
    ...(extended.length === 0 ? [] : [new library.ExtendedKeyUsageExtension(extended)]),
    new library.BasicConstraintsExtension(false, undefined, true),
    await library.AuthorityKeyIdentifierExtension.create(issuerKey, false, webcrypto),
    ...(alternatives.length === 0 ? [] : [new library.SubjectAlternativeNameExtension(alternatives)]),
  ];
}

const hashes: Readonly<Record<string, string>> = { "P-256": "SHA-256", "P-384": "SHA-384", "P-521": "SHA-512" };
const curves: Readonly<Record<string, string>> = { prime256v1: "P-256", secp384r1: "P-384", secp521r1: "P-521" };

function algorithmOf(key: KeyObject): { name: string; hash: string; namedCurve?: string } {
  if (key.asymmetricKeyType === "rsa") return { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
  const curve = curves[key.asymmetricKeyDetails?.namedCurve ?? ""];
  if (curve === undefined) throw new Error(`cannot sign with a key of type ${key.asymmetricKeyType}`);
  return { name: "ECDSA", namedCurve: curve, hash: hashes[curve] ?? "SHA-256" };
}

async function importKey(key: KeyObject): Promise<webcrypto.CryptoKey> {
  const der = key.export({ type: "pkcs8", format: "der" });
  return await webcrypto.subtle.importKey("pkcs8", der, algorithmOf(key), false, ["sign"]);
}

/** 128 random bits, positive as DER reads them. */
function serial(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes.toString("hex");
}

/** Whether a key belongs to a certificate; asked once, at the start. */
export function isPair({ cert, key }: SigningAuthority): boolean {
  const own = createPublicKey(createPrivateKey(key)).export({ type: "spki", format: "der" });
  return own.equals(createPublicKey(cert).export({ type: "spki", format: "der" }));
}

/**
 * A certificate authority and the certificates it gives.
 * Written out here, as an X.509 library takes a sixth of a second to load and use, which every first start would wait for.
 * Source: RFC 5280; RFC 5758 and RFC 4055 for the signatures
 */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  randomBytes,
  sign as signBytes,
  X509Certificate,
} from "node:crypto";
import { formatTime, parseDate } from "@atoll/machinery/clock";
import { parseIp } from "@atoll/machinery/cel/ip-address";
import { bits, contextual, type Found, identifier, read, tag, value } from "./der.ts";

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

const dayMs = 24 * 60 * 60 * 1000;
// A clock that is a little behind still takes a new certificate.
const backdateMs = 5 * 60 * 1000;
const caDays = 3650;

const ids = {
  commonName: "2.5.4.3",
  organization: "2.5.4.10",
  subjectKey: "2.5.29.14",
  keyUsage: "2.5.29.15",
  names: "2.5.29.17",
  basicConstraints: "2.5.29.19",
  authorityKey: "2.5.29.35",
  extendedKeyUsage: "2.5.29.37",
} as const;

const purposes = { server: "1.3.6.1.5.5.7.3.1", client: "1.3.6.1.5.5.7.3.2" } as const;

/** How keys sign. By EC keys' curve, or the kind of key. */
const signatures: Readonly<Record<string, { readonly hash: string; readonly algorithm: Buffer }>> = {
  prime256v1: { hash: "sha256", algorithm: value(tag.sequence, identifier("1.2.840.10045.4.3.2")) },
  secp384r1: { hash: "sha384", algorithm: value(tag.sequence, identifier("1.2.840.10045.4.3.3")) },
  rsa: { hash: "sha256", algorithm: value(tag.sequence, identifier("1.2.840.113549.1.1.11"), value(tag.nothing)) },
};

/** A new P-256 key, PEM (PKCS #8). */
export function newKey(): string {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return privateKey.export({ type: "pkcs8", format: "pem" }).toString();
}

/** A new authority of the given name. */
export function newAuthority(commonName: string, nowMs: number): KeyPair {
  const key = newKey();
  const publicKey = spkiOf(key);
  const name = nameOf({ commonName });
  const extensions = [
    extension(ids.basicConstraints, value(tag.sequence, value(tag.boolean, Buffer.from([0xff]))), { critical: true }),
    // Signs certificates, revocation lists and whatever else.
    extension(ids.keyUsage, bits(Buffer.from([0b1000_0110]), 1), { critical: true }),
    extension(ids.subjectKey, value(tag.octets, keyId(publicKey))),
  ];
  const [fromMs, untilMs] = [nowMs - backdateMs, nowMs + caDays * dayMs];
  return { key, cert: signed(key, { issuer: name, subject: name, fromMs, untilMs, publicKey, extensions }) };
}

/**
 * Signs a certificate for a public key.
 * @param publicKey PEM (SPKI)
 * @returns PEM
 * @throws the authority's key is neither RSA nor EC on P-256 or P-384
 */
function sign(
  authority: KeyPair,
  publicKey: string,
  { wish, nowMs }: { wish: CertificateWish; nowMs: number },
): string {
  const issuer = new X509Certificate(authority.cert);
  const { subject, subjectKey } = partsOf(issuer.raw);
  const alternatives = (wish.names ?? []).map(alternative);
  const usages = wish.usage === "both" ? (["server", "client"] as const) : [wish.usage];
  const extensions = [
    extension(ids.basicConstraints, value(tag.sequence), { critical: true }),
    // Digital signature, key encipherment.
    extension(ids.keyUsage, bits(Buffer.from([0b1010_0000]), 5), { critical: true }),
    extension(ids.extendedKeyUsage, value(tag.sequence, ...usages.map((usage) => identifier(purposes[usage])))),
    extension(ids.authorityKey, value(tag.sequence, contextual(0, { constructed: false }, subjectKey))),
    ...(alternatives.length === 0 ? [] : [extension(ids.names, value(tag.sequence, ...alternatives))]),
  ];
  return signed(authority.key, {
    issuer: subject,
    subject: nameOf(wish),
    fromMs: nowMs - backdateMs,
    untilMs: Math.min(nowMs + wish.days * dayMs, parseDate(issuer.validTo)),
    publicKey: createPublicKey(publicKey).export({ type: "spki", format: "der" }),
    extensions,
  });
}

/** A new key with a certificate for it. */
export function issue(authority: KeyPair, wish: CertificateWish, nowMs: number): KeyPair {
  const key = newKey();
  const publicKey = createPublicKey(key).export({ type: "spki", format: "pem" }).toString();
  return { key, cert: sign(authority, publicKey, { wish, nowMs }) };
}

interface Contents {
  /** DER of the names. */
  readonly issuer: Buffer;
  readonly subject: Buffer;
  readonly fromMs: number;
  readonly untilMs: number;
  /** SPKI. */
  readonly publicKey: Buffer;
  readonly extensions: readonly Buffer[];
}

/** A certificate in PEM, signed with the key. */
function signed(key: string, { issuer, subject, fromMs, untilMs, publicKey, extensions }: Contents): string {
  const { hash, algorithm } = signatureOf(key);
  const toBeSigned = value(
    tag.sequence,
    contextual(0, { constructed: true }, value(tag.integer, Buffer.from([2]))),
    value(tag.integer, serial()),
    algorithm,
    issuer,
    value(tag.sequence, time(fromMs), time(untilMs)),
    subject,
    publicKey,
    contextual(3, { constructed: true }, value(tag.sequence, ...extensions)),
  );
  const der = value(tag.sequence, toBeSigned, algorithm, bits(signBytes(hash, toBeSigned, key)));
  const lines = der.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}

function signatureOf(key: string) {
  const { asymmetricKeyType, asymmetricKeyDetails } = createPrivateKey(key);
  const signature = signatures[asymmetricKeyDetails?.namedCurve ?? asymmetricKeyType ?? ""];
  if (signature === undefined) throw new Error(`an authority's key cannot be of the type ${asymmetricKeyType}`);
  return signature;
}

function nameOf({ commonName, organizations = [] }: Pick<CertificateWish, "commonName" | "organizations">): Buffer {
  const part = (id: string, text: string) =>
    value(tag.set, value(tag.sequence, identifier(id), value(tag.utf8, Buffer.from(text))));
  const groups = organizations.map((group) => part(ids.organization, group));
  return value(tag.sequence, ...groups, part(ids.commonName, commonName));
}

function alternative(name: string): Buffer {
  const address = parseIp(name);
  if (address === undefined) return contextual(2, { constructed: false }, Buffer.from(name));
  const hex = address.value.toString(16).padStart(address.bits / 4, "0");
  return contextual(7, { constructed: false }, Buffer.from(hex, "hex"));
}

function extension(id: string, content: Buffer, { critical } = { critical: false }): Buffer {
  const mark = critical ? [value(tag.boolean, Buffer.from([0xff]))] : [];
  return value(tag.sequence, identifier(id), ...mark, value(tag.octets, content));
}

// From 2050 on, years have four digits. Source: RFC 5280, 4.1.2.5
function time(ms: number): Buffer {
  const digits = formatTime(ms).replace(/[-:T]/g, "");
  if (digits >= "2050") return value(tag.generalizedTime, Buffer.from(digits));
  return value(tag.utcTime, Buffer.from(digits.slice(2)));
}

function spkiOf(key: string): Buffer {
  return createPublicKey(key).export({ type: "spki", format: "der" });
}

/** What names a key: the SHA-1 of its bits. Source: RFC 5280, 4.2.1.2 */
function keyId(spki: Buffer): Buffer {
  const [, key] = read(read(spki)[0]?.content ?? spki);
  return createHash("sha1")
    .update(key?.content.subarray(1) ?? spki)
    .digest();
}

/** An authority's name, and what it names its key by. */
function partsOf(certificate: Buffer): { subject: Buffer; subjectKey: Buffer } {
  const inside = ({ content }: Found) => read(content);
  // Version, serial number, signature, issuer, validity, subject, key.
  const fields = read(certificate).flatMap(inside).slice(0, 1).flatMap(inside);
  const [, , , , , subject, key] = fields;
  if (subject === undefined || key === undefined) throw new Error("an authority's certificate cannot be read");
  const extensions = fields
    .filter(({ identifier: is }) => is === 0xa3)
    .flatMap(inside)
    .flatMap(inside);
  const id = identifier(ids.subjectKey);
  const known = extensions.find(({ content }) => content.subarray(0, id.length).equals(id));
  const [octets] = known === undefined ? [] : inside(known).slice(-1).flatMap(inside);
  return { subject: subject.whole, subjectKey: octets?.content ?? keyId(key.whole) };
}

/** 128 random bits, positive as DER reads them. */
function serial(): Buffer {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes;
}

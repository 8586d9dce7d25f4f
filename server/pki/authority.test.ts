import assert from "node:assert/strict";
import { createPrivateKey, createPublicKey, generateKeyPairSync, X509Certificate, webcrypto } from "node:crypto";
import { test } from "node:test";
import "reflect-metadata";
import * as x509 from "@peculiar/x509";
import { type CertificateWish, issue, type KeyPair, newAuthority } from "./authority.ts";

const nowMs = Date.UTC(2026, 10, 23, 12);
const dayMs = 24 * 60 * 60 * 1000;
const wish: CertificateWish = {
  commonName: "Jürgen, the + one",
  organizations: ["system:masters", "dev"],
  usage: "both",
  names: ["localhost", "10.96.0.1", "fe80::1:2", "::ffff:1.2.3.4"],
  days: 30,
};

test("an authority signs itself, and may sign", () => {
  const { cert, key } = newAuthority("atoll-ca", nowMs);
  const ca = new X509Certificate(cert);
  assert.equal(ca.ca, true);
  assert.equal(ca.subject, "CN=atoll-ca");
  assert.ok(ca.checkIssued(ca) && ca.verify(ca.publicKey) && ca.checkPrivateKey(createPrivateKey(key)));
  assert.equal(Date.parse(ca.validTo), nowMs + 3650 * dayMs);
});

test("a certificate has the names, groups, usages and time that were wished for", () => {
  const ca = newAuthority("atoll-ca", nowMs);
  const { cert, key } = issue(ca, wish, nowMs);
  const read = new X509Certificate(cert);
  assert.ok(read.checkIssued(new X509Certificate(ca.cert)) && read.checkPrivateKey(createPrivateKey(key)));
  assert.deepEqual({ ...read.toLegacyObject().subject }, { O: ["system:masters", "dev"], CN: wish.commonName });
  assert.equal(
    read.subjectAltName,
    "DNS:localhost, IP Address:10.96.0.1, IP Address:FE80:0:0:0:0:0:1:2, IP Address:0:0:0:0:0:FFFF:102:304",
  );
  assert.deepEqual(read.keyUsage, ["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"]);
  assert.equal(read.ca, false);
  assert.equal(Date.parse(read.validTo), nowMs + 30 * dayMs);
  assert.ok(Date.parse(read.validFrom) < nowMs);
});

test("another reader of certificates finds the same in one, extension by extension", async () => {
  const ca = newAuthority("atoll-ca", nowMs);
  const read = new x509.X509Certificate(issue(ca, wish, nowMs).cert);
  assert.ok(await read.verify({ publicKey: new x509.X509Certificate(ca.cert), date: new Date(nowMs) }, webcrypto));
  const known = new Map(read.extensions.map((each) => [each.type, each]));
  assert.equal((known.get("2.5.29.15") as x509.KeyUsagesExtension).usages, 5);
  assert.equal(known.get("2.5.29.15")?.critical, true);
  const issuer = new x509.X509Certificate(ca.cert);
  const subjectKey = issuer.getExtension(x509.SubjectKeyIdentifierExtension)?.keyId;
  assert.equal((known.get("2.5.29.35") as x509.AuthorityKeyIdentifierExtension).keyId, subjectKey);
  const own = await x509.SubjectKeyIdentifierExtension.create(issuer.publicKey, false, webcrypto);
  assert.equal(subjectKey, own.keyId);
});

test("a certificate never outlives its authority, and years after 2049 have four digits", () => {
  const ca = newAuthority("atoll-ca", Date.UTC(2045, 0, 1));
  const { cert } = issue(ca, { ...wish, days: 10_000 }, Date.UTC(2045, 0, 2));
  assert.equal(new X509Certificate(cert).validTo, new X509Certificate(ca.cert).validTo);
  assert.match(new X509Certificate(cert).validTo, /2054/);
});

for (const [type, keys] of [
  ["RSA", () => generateKeyPairSync("rsa", { modulusLength: 2048 })],
  ["P-384", () => generateKeyPairSync("ec", { namedCurve: "P-384" })],
] as const) {
  test(`an authority of one's own may have a key of the type ${type}, and a name of any parts`, async () => {
    const ca = await authorityOf(keys().privateKey.export({ type: "pkcs8", format: "pem" }).toString(), type);
    const read = new X509Certificate(issue(ca, wish, nowMs).cert);
    assert.ok(read.checkIssued(new X509Certificate(ca.cert)) && read.verify(new X509Certificate(ca.cert).publicKey));
    assert.equal(read.issuer, "C=DE\nO=Example\nOU=Keys\nCN=Their CA");
  });
}

/** An authority that somebody else's program made. */
async function authorityOf(key: string, type: "RSA" | "P-384"): Promise<KeyPair> {
  const algorithm =
    type === "RSA"
      ? { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" }
      : { name: "ECDSA", namedCurve: "P-384", hash: "SHA-384" };
  const der = createPrivateKey(key).export({ type: "pkcs8", format: "der" });
  const privateKey = await webcrypto.subtle.importKey("pkcs8", der, algorithm, true, ["sign"]);
  const spki = createPublicKey(key).export({ type: "spki", format: "der" });
  const publicKey = await webcrypto.subtle.importKey("spki", spki, algorithm, true, ["verify"]);
  const cert = await x509.X509CertificateGenerator.createSelfSigned(
    {
      name: "C=DE, O=Example, OU=Keys, CN=Their CA",
      notBefore: new Date(nowMs - dayMs),
      notAfter: new Date(nowMs + 1000 * dayMs),
      signingAlgorithm: algorithm,
      keys: { privateKey, publicKey },
      extensions: [
        new x509.BasicConstraintsExtension(true, undefined, true),
        new x509.SubjectKeyIdentifierExtension("0102030405060708"),
      ],
    },
    webcrypto,
  );
  return { cert: cert.toString("pem"), key };
}

import assert from "node:assert/strict";
import { webcrypto } from "node:crypto";
import { test } from "node:test";
import { startHarness } from "@atoll/harness/server";
import "reflect-metadata";
import * as x509 from "@peculiar/x509";

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };

async function der(name: string): Promise<Buffer> {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const wish = { name, keys, signingAlgorithm: algorithm };
  return Buffer.from((await x509.Pkcs10CertificateRequestGenerator.create(wish, webcrypto)).rawData);
}

function object(bytes: Buffer): object {
  const pem = x509.PemConverter.encode(bytes, "CERTIFICATE REQUEST");
  const request = Buffer.from(pem).toString("base64");
  const spec = { request, signerName: "kubernetes.io/kube-apiserver-client", usages: ["client auth"] };
  return { apiVersion: "certificates.k8s.io/v1", kind: "CertificateSigningRequest", metadata: { name: "c" }, spec };
}

test("a certificate request is taken only if its key signed it, and never for system:masters", async (t) => {
  const harness = await startHarness();
  t.after(() => harness.close());
  const post = async (bytes: Buffer) =>
    await harness.send("POST", "/apis/certificates.k8s.io/v1/certificatesigningrequests?dryRun=All", {
      body: object(bytes),
    });
  const good = await der("CN=alice, O=devs");
  assert.equal((await post(good)).status, 201);
  // Another name under the same signature.
  const changed = Buffer.from(good);
  changed.write("mallo", changed.indexOf("alice"));
  const refused = await post(changed);
  assert.equal(refused.status, 422);
  assert.match(String(refused.json?.["message"]), /unable to verify certificate request signature/);
  const master = await post(await der("CN=alice, O=system:masters"));
  assert.equal(master.status, 403);
  assert.equal(
    master.json?.["message"],
    'certificatesigningrequests.certificates.k8s.io "c" is forbidden: use of kubernetes.io/kube-apiserver-client signer with system:masters group is not allowed',
  );
});

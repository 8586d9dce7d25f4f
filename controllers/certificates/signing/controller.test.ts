import assert from "node:assert/strict";
import { generateKeyPairSync, webcrypto, X509Certificate } from "node:crypto";
import { test, type TestContext } from "node:test";
import { CertificateSigningRequest, Node } from "@atoll/client/builtin";
import { toKey } from "@atoll/client/resource";
import { clientOf, eventually } from "@atoll/harness/client";
import { startControllers } from "@atoll/harness/controllers";
import { startHarness } from "@atoll/harness/server";
import { approvingController } from "../approving/controller.ts";
import { x509 } from "@atoll/runtime/certificates/request";
import { durationMs, signingController } from "./controller.ts";

const nodeUsages = ["digital signature", "client auth"];

/** base64 of PEM of a request for a new key. */
async function makeRequest(name: string, names: readonly string[] = []): Promise<string> {
  const library = await x509();
  const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const dns = names.map((value) => ({ type: "dns" as const, value }));
  const extensions = names.length === 0 ? [] : [new library.SubjectAlternativeNameExtension(dns)];
  const made = await library.Pkcs10CertificateRequestGenerator.create(
    { name, keys, signingAlgorithm: algorithm, extensions },
    webcrypto,
  );
  return Buffer.from(made.toString("pem")).toString("base64");
}

async function setUp(t: TestContext) {
  const harness = await startHarness();
  const client = clientOf(harness);
  const workshop = startControllers(harness, [approvingController, signingController(harness.pki.ca)]);
  t.after(async () => {
    await workshop.stop();
    await harness.close();
  });
  const make = async (name: string, spec: CertificateSigningRequest["spec"]) =>
    await client.create(CertificateSigningRequest, { metadata: { name }, spec });
  const get = async (name: string) => await client.get(CertificateSigningRequest, toKey("", name));
  const approve = async (made: CertificateSigningRequest) => {
    const at = { lastUpdateTime: null, lastTransitionTime: null };
    const conditions = [{ type: "Approved", status: "True", reason: "test", message: "", ...at }];
    await client.replace(CertificateSigningRequest, {
      object: { ...made, status: { conditions } },
      subresource: "approval",
    });
  };
  const issued = async (name: string): Promise<X509Certificate> => {
    await eventually(`${name} is issued`, async () => (await get(name)).status.certificate !== undefined);
    return new X509Certificate(Buffer.from((await get(name)).status.certificate ?? "", "base64"));
  };
  return { harness, client, make, get, approve, issued };
}

test("a node's client certificate is approved, signed and taken by the server", async (t) => {
  const { harness, make, get, issued } = await setUp(t);
  const library = await x509();
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
  const der = privateKey.export({ type: "pkcs8", format: "der" });
  const signer = await webcrypto.subtle.importKey("pkcs8", der, algorithm, true, ["sign"]);
  const { x, y, kty = "", crv = "" } = privateKey.export({ format: "jwk" });
  const jwk = { kty, crv, x: x ?? "", y: y ?? "" };
  const verifier = await webcrypto.subtle.importKey("jwk", jwk, algorithm, true, ["verify"]);
  const keys = { privateKey: signer, publicKey: verifier };
  const name = "O=system:nodes, CN=system:node:n1";
  const made = await library.Pkcs10CertificateRequestGenerator.create(
    { name, keys, signingAlgorithm: algorithm },
    webcrypto,
  );
  const request = Buffer.from(made.toString("pem")).toString("base64");
  const signerName = "kubernetes.io/kube-apiserver-client-kubelet";
  await make("join", { request, signerName, usages: nodeUsages, expirationSeconds: 3600 });
  const certificate = await issued("join");
  assert.ok(certificate.verify(new X509Certificate(harness.pki.ca.cert).publicKey));
  assert.deepEqual(certificate.subject.split("\n").sort(), ["CN=system:node:n1", "O=system:nodes"]);
  assert.equal(certificate.ca, false);
  const conditions = (await get("join")).status.conditions ?? [];
  assert.deepEqual(
    conditions.map(({ type, reason }) => [type, reason]),
    [["Approved", "AutoApproved"]],
  );
  const lasts = Date.parse(certificate.validTo) - Date.parse(certificate.validFrom);
  assert.equal(lasts, 3_900_000, "an hour from now, backdated by five minutes");
  const { Agent, request: send } = await import("node:https");
  const key = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  const agent = new Agent({ ca: harness.pki.ca.cert, cert: certificate.toString(), key });
  const text = await new Promise<string>((resolve, reject) => {
    const path = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
    const asked = send({ host: "127.0.0.1", port: harness.server.port, agent, method: "POST", path }, (response) => {
      let body = "";
      response.on("data", (chunk) => (body += String(chunk))).on("end", () => resolve(body));
    });
    asked.on("error", reject).setHeader("content-type", "application/json");
    asked.end(JSON.stringify({ apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview" }));
  });
  agent.destroy();
  // Whether or not a node may ask who it is, the answer knows who asks.
  assert.match(text, /system:node:n1/);
});

test("a client's certificate waits for approval, and then has the names and uses asked for", async (t) => {
  const { make, get, approve, issued } = await setUp(t);
  const request = await makeRequest("CN=alice, O=devs, O=ops");
  const usages = ["client auth", "key encipherment"];
  const made = await make("alice", { request, signerName: "kubernetes.io/kube-apiserver-client", usages });
  assert.deepEqual((await get("alice")).status, {});
  await approve(made);
  const certificate = await issued("alice");
  assert.deepEqual(certificate.subject.split("\n").sort(), ["CN=alice", "O=devs", "O=ops"]);
  assert.deepEqual(certificate.keyUsage, ["1.3.6.1.5.5.7.3.2"]);
});

test("an approved request that its signer does not take fails, with the reason", async (t) => {
  const { make, get, approve } = await setUp(t);
  const request = await makeRequest("CN=alice");
  const signerName = "kubernetes.io/kubelet-serving";
  await approve(await make("bad", { request, signerName, usages: ["digital signature", "server auth"] }));
  await eventually("it fails", async () => (await get("bad")).status.conditions?.length === 2);
  const failed = (await get("bad")).status.conditions?.at(1);
  assert.equal(failed?.reason, "SignerValidationFailure");
  assert.equal(failed?.message, "subject organization is not system:nodes");
});

test("a node's serving certificate is approved only for addresses its Node has, and only for itself", async (t) => {
  const { client, make, get } = await setUp(t);
  await client.create(Node, { metadata: { name: "n1" } });
  const request = await makeRequest("O=system:nodes, CN=system:node:n1", ["n1.example"]);
  const signerName = "kubernetes.io/kubelet-serving";
  // The test's admin is not the node that the request is about.
  await make("serve", { request, signerName, usages: ["digital signature", "server auth"] });
  const own = await makeRequest("O=system:nodes, CN=system:node:n2");
  await make("later", { request: own, signerName: "kubernetes.io/kube-apiserver-client-kubelet", usages: nodeUsages });
  await eventually("the later one is approved", async () => (await get("later")).status.conditions !== undefined);
  assert.deepEqual((await get("serve")).status, {});
});

test("durationMs() keeps to ten minutes and a year", () => {
  assert.equal(durationMs(undefined), 365 * 86_400_000);
  assert.equal(durationMs(10 * 365 * 86_400), 365 * 86_400_000);
  assert.equal(durationMs(1), 600_000);
  assert.equal(durationMs(7200), 7_200_000);
});

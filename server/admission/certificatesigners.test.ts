import assert from "node:assert/strict";
import { webcrypto } from "node:crypto";
import test from "node:test";
import { startHarness } from "@atoll/harness/server";
import "reflect-metadata";
import * as x509 from "@peculiar/x509";

const requests = "/apis/certificates.k8s.io/v1/certificatesigningrequests";
const rbac = "/apis/rbac.authorization.k8s.io/v1";
const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };

test("who approves or signs a request must be allowed to for its signer", async (t) => {
  const harness = await startHarness();
  t.after(() => harness.close());
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const wish = { name: "CN=x", keys, signingAlgorithm: algorithm };
  const pem = (await x509.Pkcs10CertificateRequestGenerator.create(wish, webcrypto)).toString("pem");
  const spec = { request: Buffer.from(pem).toString("base64"), signerName: "example.com/a", usages: ["client auth"] };
  const made = await harness.send("POST", requests, { body: { metadata: { name: "r" }, spec } });
  assert.equal(made.status, 201, made.text);
  const signers = (resourceName: string) => ({
    verbs: ["approve", "sign"],
    apiGroups: ["certificates.k8s.io"],
    resources: ["signers"],
    resourceNames: [resourceName],
  });
  const user = async (name: string, ...rules: readonly object[]) => {
    const all = {
      verbs: ["*"],
      apiGroups: ["certificates.k8s.io"],
      resources: ["certificatesigningrequests/approval", "certificatesigningrequests/status"],
    };
    const role = { metadata: { name }, rules: [all, ...rules] };
    const binding = { metadata: { name }, roleRef: { kind: "ClusterRole", name }, subjects: [{ kind: "User", name }] };
    assert.equal((await harness.send("POST", `${rbac}/clusterroles`, { body: role })).status, 201);
    assert.equal((await harness.send("POST", `${rbac}/clusterrolebindings`, { body: binding })).status, 201);
    return await harness.user(name);
  };
  const now = async () => (await harness.send("GET", `${requests}/r`)).json;
  const types: Readonly<Record<string, string>> = { approval: "Approved", status: "Failed" };
  const decide = async (who: Awaited<ReturnType<typeof user>>, subresource: string) => {
    const conditions = [{ type: types[subresource], status: "True", reason: "x", message: "" }];
    return await who.send("PUT", `${requests}/r/${subresource}`, {
      body: { ...(await now()), status: { conditions } },
    });
  };
  const stranger = await user("stranger", signers("example.com/b"));
  for (const [subresource, verb] of [
    ["approval", "approve"],
    ["status", "sign"],
  ] as const) {
    const refused = await decide(stranger, subresource);
    const why = `user not permitted to ${verb} requests with signerName "example.com/a"`;
    const told = `certificatesigningrequests.certificates.k8s.io "r" is forbidden: ${why}`;
    assert.deepEqual([refused.status, refused.json?.["message"]], [403, told]);
  }
  assert.equal((await decide(await user("of-domain", signers("example.com/*")), "approval")).status, 200);
  assert.equal((await decide(await user("of-signer", signers("example.com/a")), "status")).status, 200);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import type { CertificateRequest } from "@atoll/runtime/certificates/request";
import { requestProblem } from "./rules.ts";

const none = { dns: [], ip: [], email: [], uri: [] };

function request(other: Partial<CertificateRequest> = {}): CertificateRequest {
  const node = { commonName: "system:node:n1", organizations: ["system:nodes"], names: none };
  return { ...node, ...other } as CertificateRequest;
}

const client = "kubernetes.io/kube-apiserver-client";
const nodeClient = "kubernetes.io/kube-apiserver-client-kubelet";
const serving = "kubernetes.io/kubelet-serving";
const clientUsages = ["digital signature", "key encipherment", "client auth"];
const servingUsages = ["digital signature", "server auth"];
const served = { ...none, dns: ["n1"] };

test("a client's request needs client auth, and may ask for signature and encipherment only", () => {
  assert.equal(requestProblem(client, request({ organizations: [] }), ["client auth"]), undefined);
  assert.match(requestProblem(client, request(), ["digital signature"]) ?? "", /missing required usage/);
  assert.equal(
    requestProblem(client, request(), ["client auth", "server auth"]),
    "invalid usage for client certificate: server auth",
  );
});

test("a node's client request is of system:nodes, named for a node, with no other names", () => {
  assert.equal(requestProblem(nodeClient, request(), clientUsages), undefined);
  assert.equal(requestProblem(nodeClient, request(), clientUsages.slice().reverse()), undefined);
  const cases: readonly [Partial<CertificateRequest>, RegExp][] = [
    [{ organizations: ["system:nodes", "system:masters"] }, /organization is not system:nodes/],
    [{ organizations: [] }, /organization is not system:nodes/],
    [{ commonName: "system:admin" }, /common name does not begin/],
    [{ names: { ...none, dns: ["a"] } }, /DNS subjectAltNames/],
    [{ names: { ...none, ip: ["1.2.3.4"] } }, /IP subjectAltNames/],
    [{ names: { ...none, email: ["a@b"] } }, /Email subjectAltNames/],
    [{ names: { ...none, uri: ["spiffe://a"] } }, /URI subjectAltNames/],
  ];
  for (const [other, why] of cases) assert.match(requestProblem(nodeClient, request(other), clientUsages) ?? "", why);
  assert.equal(
    requestProblem(nodeClient, request(), ["client auth"]),
    "usages did not match [client auth digital signature key encipherment]",
  );
});

test("a node's serving request has names to serve", () => {
  assert.equal(requestProblem(serving, request({ names: served }), servingUsages), undefined);
  assert.match(requestProblem(serving, request(), servingUsages) ?? "", /DNS or IP subjectAltName is required/);
  assert.match(requestProblem(serving, request({ names: served }), clientUsages) ?? "", /usages did not match/);
});

test("other signers' requests are refused", () => {
  assert.match(requestProblem("kubernetes.io/legacy-unknown", request(), clientUsages) ?? "", /unrecognized/);
});

import assert from "node:assert/strict";
import test from "node:test";
import type { CertificateSigningRequest, Node } from "@atoll/client/builtin";
import type { CertificateRequest } from "@atoll/runtime/certificates/request";
import { waysTo } from "./controller.ts";

const names = { dns: [], ip: [], email: [], uri: [] };
const request = {
  commonName: "system:node:n1",
  organizations: ["system:nodes"],
  names,
} as unknown as CertificateRequest;
const node = { metadata: { name: "n1" } } as Node;
const asks = (username: string): CertificateSigningRequest => ({
  apiVersion: "certificates.k8s.io/v1",
  kind: "CertificateSigningRequest",
  metadata: { name: "r" },
  spec: {
    request: "",
    username,
    signerName: "kubernetes.io/kube-apiserver-client-kubelet",
    usages: ["digital signature", "client auth"],
  },
  status: {},
});
const rights = (username: string, of: Node | undefined) =>
  waysTo(asks(username), request, of).map(({ right }) => right);

test("waysTo() lets a node renew while its Node is there, and tokens take no node over", () => {
  assert.deepEqual(rights("system:node:n1", node), ["selfnodeclient"]);
  assert.deepEqual(rights("system:bootstrap:abcdef", node), []);
});

test("waysTo() lets a removed host renew nothing: it joins as whoever is new, by a right that no node has", () => {
  assert.deepEqual(rights("system:node:n1", undefined), ["nodeclient"]);
  assert.deepEqual(rights("system:bootstrap:abcdef", undefined), ["nodeclient"]);
});

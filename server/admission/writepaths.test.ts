import assert from "node:assert/strict";
import test, { after, before, mock } from "node:test";
import { webcrypto } from "node:crypto";
import { type Harness, type SendOptions, startHarness } from "@atoll/harness/server";
import "reflect-metadata";
import * as x509 from "@peculiar/x509";
import { Admission, type AdmissionRequest } from "./admission.ts";

/** What admission heard, as `phase OPERATION resource[/subresource] name`. */
const heard: string[] = [];
let harness: Harness;

before(async () => {
  for (const phase of ["mutate", "validate"] as const) {
    const real = Admission.prototype[phase];
    mock.method(Admission.prototype, phase, function record(this: Admission, request: AdmissionRequest) {
      const { operation, kind, subresource, name } = request;
      heard.push(`${phase} ${operation} ${kind.plural}${subresource === "" ? "" : `/${subresource}`} ${name}`);
      return real.call(this, request);
    });
  }
  harness = await startHarness();
});
after(async () => {
  mock.restoreAll();
  await harness.close();
});

const space = "/api/v1/namespaces/default";
const apps = "/apis/apps/v1/namespaces/default/deployments";
const leases = "/apis/coordination.k8s.io/v1/namespaces/default/leases";
const requests = "/apis/certificates.k8s.io/v1/certificatesigningrequests";
const custom = "/apis/example.com/v1/namespaces/default/things";
const crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

const merge = "application/merge-patch+json";
const strategic = "application/strategic-merge-patch+json";
const apply = "application/apply-patch+yaml";
const container = { name: "c", image: "i", resources: { requests: { cpu: "100m" } } };
const labelled = { metadata: { labels: { x: "y" } } };

interface Path {
  /** Method and path; `@p` in a body is the object as it is. */
  readonly method: string;
  readonly path: string;
  readonly body?: object | (() => Promise<object>);
  readonly type?: string;
  /** What admission hears, without the phase. */
  readonly hears: string;
  /** Default: anything below 300. Connections have nowhere to go here, and are admitted before they find out. */
  readonly answers?: number;
}

async function current(path: string, change: object = {}): Promise<object> {
  return { ...(await harness.send("GET", path)).json, ...change };
}

const things = {
  metadata: { name: "things.example.com" },
  spec: {
    group: "example.com",
    scope: "Namespaced",
    names: { plural: "things", singular: "thing", kind: "Thing", listKind: "ThingList" },
    versions: [
      {
        name: "v1",
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } },
        subresources: {
          status: {},
          scale: { specReplicasPath: ".spec.replicas", statusReplicasPath: ".status.replicas" },
        },
      },
    ],
  },
};

async function certificateRequest(): Promise<object> {
  const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const wish = { name: "CN=x", keys, signingAlgorithm: algorithm };
  const pem = (await x509.Pkcs10CertificateRequestGenerator.create(wish, webcrypto)).toString("pem");
  const request = Buffer.from(pem).toString("base64");
  return { metadata: { name: "r" }, spec: { request, signerName: "example.com/a", usages: ["client auth"] } };
}

const deployment = {
  metadata: { name: "d" },
  spec: {
    selector: { matchLabels: { a: "b" } },
    template: { metadata: { labels: { a: "b" } }, spec: { containers: [container] } },
  },
};
const pod = (name: string) => ({ metadata: { name }, spec: { containers: [container] } });

const paths: readonly Path[] = [
  {
    method: "POST",
    path: `${space}/serviceaccounts`,
    body: { metadata: { name: "default" } },
    hears: "CREATE serviceaccounts default",
  },
  { method: "POST", path: `${space}/configmaps`, body: { metadata: { name: "m" } }, hears: "CREATE configmaps m" },
  {
    method: "PUT",
    path: `${space}/configmaps/m`,
    body: () => current(`${space}/configmaps/m`, { data: { a: "b" } }),
    hears: "UPDATE configmaps m",
  },
  { method: "PATCH", path: `${space}/configmaps/m`, body: labelled, type: merge, hears: "UPDATE configmaps m" },
  { method: "PATCH", path: `${space}/configmaps/m`, body: labelled, type: strategic, hears: "UPDATE configmaps m" },
  {
    method: "PATCH",
    path: `${space}/configmaps/m`,
    body: [{ op: "add", path: "/data", value: {} }],
    type: "application/json-patch+json",
    hears: "UPDATE configmaps m",
  },
  {
    method: "PATCH",
    path: `${space}/configmaps/m?fieldManager=t&force=true`,
    body: { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "m" }, data: { x: "y" } },
    type: apply,
    hears: "UPDATE configmaps m",
  },
  {
    method: "PATCH",
    path: `${space}/configmaps/new?fieldManager=t`,
    body: { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "new" } },
    type: apply,
    hears: "CREATE configmaps new",
  },
  {
    method: "PUT",
    path: `${leases}/l`,
    body: { apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata: { name: "l" } },
    hears: "CREATE leases l",
  },
  { method: "DELETE", path: `${space}/configmaps/m`, hears: "DELETE configmaps m" },
  { method: "DELETE", path: `${space}/configmaps`, hears: "DELETE configmaps new" },
  { method: "POST", path: apps, body: deployment, hears: "CREATE deployments d" },
  {
    method: "PUT",
    path: `${apps}/d/status`,
    body: () => current(`${apps}/d`, { status: { replicas: 1 } }),
    hears: "UPDATE deployments/status d",
  },
  {
    method: "PATCH",
    path: `${apps}/d/status`,
    body: { status: { replicas: 2 } },
    type: merge,
    hears: "UPDATE deployments/status d",
  },
  {
    method: "PUT",
    path: `${apps}/d/scale`,
    body: () => current(`${apps}/d/scale`, { spec: { replicas: 2 } }),
    hears: "UPDATE deployments/scale d",
  },
  {
    method: "PATCH",
    path: `${apps}/d/scale`,
    body: { spec: { replicas: 3 } },
    type: merge,
    hears: "UPDATE deployments/scale d",
  },
  { method: "POST", path: `${space}/pods`, body: pod("p"), hears: "CREATE pods p" },
  {
    method: "POST",
    path: `${space}/pods/p/binding`,
    body: { metadata: { name: "p" }, target: { kind: "Node", name: "n" } },
    hears: "CREATE pods/binding p",
  },
  {
    method: "PATCH",
    path: `${space}/pods/p/ephemeralcontainers`,
    body: { spec: { ephemeralContainers: [{ name: "e", image: "i" }] } },
    type: strategic,
    hears: "UPDATE pods/ephemeralcontainers p",
  },
  {
    method: "PATCH",
    path: `${space}/pods/p/resize`,
    body: { spec: { containers: [{ name: "c", resources: { requests: { cpu: "200m" } } }] } },
    type: strategic,
    hears: "UPDATE pods/resize p",
  },
  {
    method: "PATCH",
    path: `${space}/pods/p/status`,
    body: { status: { phase: "Running" } },
    type: merge,
    hears: "UPDATE pods/status p",
  },
  { method: "GET", path: `${space}/pods/p/exec?command=x&stdout=true`, hears: "CONNECT pods/exec p", answers: 404 },
  { method: "GET", path: `${space}/pods/p/attach?stdout=true`, hears: "CONNECT pods/attach p", answers: 404 },
  { method: "POST", path: `${space}/pods/p/portforward?ports=80`, hears: "CONNECT pods/portforward p", answers: 404 },
  { method: "GET", path: `${space}/pods/p/proxy/`, hears: "CONNECT pods/proxy p", answers: 400 },
  {
    method: "POST",
    path: `${space}/pods/p/eviction`,
    body: { metadata: { name: "p" } },
    hears: "CREATE pods/eviction p",
  },
  {
    method: "POST",
    path: `${space}/serviceaccounts/default/token`,
    body: { spec: {} },
    hears: "CREATE serviceaccounts/token default",
  },
  {
    method: "POST",
    path: "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
    body: { spec: { nonResourceAttributes: { path: "/", verb: "get" } } },
    hears: "CREATE selfsubjectaccessreviews ",
  },
  {
    method: "POST",
    path: "/apis/authentication.k8s.io/v1/tokenreviews",
    body: { spec: { token: "x" } },
    hears: "CREATE tokenreviews ",
  },
  { method: "POST", path: requests, body: certificateRequest, hears: "CREATE certificatesigningrequests r" },
  {
    method: "PUT",
    path: `${requests}/r/approval`,
    body: () => current(`${requests}/r`),
    hears: "UPDATE certificatesigningrequests/approval r",
  },
  { method: "POST", path: "/api/v1/namespaces", body: { metadata: { name: "s" } }, hears: "CREATE namespaces s" },
  { method: "DELETE", path: "/api/v1/namespaces/s", hears: "DELETE namespaces s" },
  {
    method: "PUT",
    path: "/api/v1/namespaces/s/finalize",
    body: () => current("/api/v1/namespaces/s", { spec: { finalizers: [] } }),
    hears: "UPDATE namespaces/finalize s",
  },
  { method: "POST", path: crds, body: things, hears: "CREATE customresourcedefinitions things.example.com" },
  {
    method: "POST",
    path: custom,
    body: { apiVersion: "example.com/v1", kind: "Thing", metadata: { name: "t" }, spec: { replicas: 1 } },
    hears: "CREATE things t",
  },
  { method: "PATCH", path: `${custom}/t`, body: labelled, type: merge, hears: "UPDATE things t" },
  {
    method: "PATCH",
    path: `${custom}/t/status`,
    body: { status: { replicas: 1 } },
    type: merge,
    hears: "UPDATE things/status t",
  },
  {
    method: "PATCH",
    path: `${custom}/t/scale`,
    body: { spec: { replicas: 2 } },
    type: merge,
    hears: "UPDATE things/scale t",
  },
  { method: "DELETE", path: `${custom}/t`, hears: "DELETE things t" },
  {
    method: "DELETE",
    path: `${crds}/things.example.com`,
    hears: "DELETE customresourcedefinitions things.example.com",
  },
];

for (const { method, path, body, type, hears, answers } of paths) {
  test(`admission hears of ${method} ${path}${type === undefined ? "" : ` (${type})`}`, async () => {
    const given = typeof body === "function" ? await body() : body;
    const how: SendOptions = {
      ...(given === undefined ? {} : { body: given }),
      ...(type === undefined ? {} : { contentType: type }),
    };
    const send = async () => await harness.send(method, path, how);
    heard.length = 0;
    let answer = await send();
    // A definition takes a moment until it is served.
    for (let i = 0; i < 100 && answer.status === 404 && path.startsWith(custom); i++) {
      await new Promise<void>((resolve) => setImmediate(resolve));
      answer = await send();
    }
    assert.ok(answers === undefined ? answer.status < 300 : answer.status === answers, answer.text);
    for (const phase of ["mutate", "validate"]) assert.ok(heard.includes(`${phase} ${hears}`), JSON.stringify(heard));
  });
}

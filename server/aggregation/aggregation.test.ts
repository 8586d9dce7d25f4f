import assert from "node:assert/strict";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, request as httpsRequest } from "node:https";
import { connect } from "node:http2";
import type { AddressInfo } from "node:net";
import { after, test } from "node:test";
import type { TLSSocket } from "node:tls";
import { systemClock } from "@atoll/machinery/clock";
import { issue } from "@atoll/server/pki/authority";
import { eventually } from "@atoll/harness/client";
import { type Answer, startHarness } from "@atoll/harness/server";

/** What the backend was asked, and by whom. */
const asked: { method: string; url: string; headers: IncomingMessage["headersDistinct"]; certified: boolean }[] = [];

const watchEnded = Promise.withResolvers<void>();

const group = "metrics.example.org";
const name = `v1.${group}`;
const apiServices = "/apis/apiregistration.k8s.io/v1/apiservices";

function serve(request: IncomingMessage, response: ServerResponse): void {
  const { method = "", url = "", headersDistinct: headers } = request;
  asked.push({ method, url, headers, certified: (request.socket as TLSSocket).authorized });
  const json = (value: unknown) => response.setHeader("content-type", "application/json").end(JSON.stringify(value));
  if (url === `/apis/${group}/v1`) {
    const verbs = ["get", "list"];
    const resources = [
      { name: "samples", singularName: "sample", namespaced: true, kind: "Sample", verbs, shortNames: ["smp"] },
      { name: "samples/status", singularName: "", namespaced: true, kind: "Sample", verbs: ["get"] },
    ];
    json({ kind: "APIResourceList", apiVersion: "v1", groupVersion: `${group}/v1`, resources });
  } else if (url === "/openapi/v3") {
    json({ paths: { [`apis/${group}/v1`]: { serverRelativeURL: `/openapi/v3/apis/${group}/v1?hash=ABC` } } });
  } else if (url.startsWith("/openapi/v3/")) {
    json({ openapi: "3.0.0", info: { title: "metrics" } });
  } else if (url.includes("redirect")) {
    response.writeHead(302, { location: "https://127.0.0.1:1/stolen" }).end();
  } else if (url.includes("watch=true")) {
    response.setHeader("content-type", "application/json");
    response.write('{"type":"ADDED"}\n');
    // Nothing more, and no end but the client's.
    response.on("close", () => watchEnded.resolve());
  } else if (method === "POST") {
    request.setEncoding("utf8").on("data", (posted: string) => json({ posted }));
  } else json({ kind: "SampleList", apiVersion: `${group}/v1`, metadata: {}, items: [] });
}

const harness = await startHarness();
const wish = { commonName: "metrics", usage: "server", names: ["metrics.default.svc"], days: 1 } as const;
const pair = await issue(harness.pki.ca, wish, systemClock.nowMs());
const ca = harness.pki.frontProxyCa.cert;
const backend = createServer({ ...pair, ca, requestCert: true, rejectUnauthorized: false }, serve);
backend.on("upgrade", (request, socket) => {
  asked.push({ method: "UPGRADE", url: request.url ?? "", headers: request.headersDistinct, certified: true });
  socket.write("HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: echo\r\n\r\n");
  socket.pipe(socket);
});
await new Promise<void>((resolve) => backend.listen(0, "127.0.0.1", resolve));

after(async () => {
  backend.closeAllConnections();
  backend.close();
  await harness.close();
});

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
}

async function condition(of: string): Promise<Condition | undefined> {
  const { json } = await harness.send("GET", `${apiServices}/${of}`);
  const { conditions = [] } = (json?.["status"] ?? {}) as { conditions?: Condition[] };
  return conditions.find(({ type }) => type === "Available");
}

/** Waits until a condition says so. */
async function until(reason: string): Promise<Condition> {
  let found: Condition | undefined;
  await eventually(`the APIService is told ${reason}`, async () => (found = await condition(name))?.reason === reason);
  assert.ok(found);
  return found;
}

function made(answer: Answer): void {
  assert.equal(answer.status, 201, answer.text);
}

const samples = `/apis/${group}/v1/namespaces/default/samples`;

test("an APIService is told unavailable, by what is missing, until its server answers", async () => {
  const caBundle = Buffer.from(harness.pki.ca.cert).toString("base64");
  const service = { namespace: "default", name: "metrics", port: 443 };
  const spec = { group, version: "v1", service, caBundle, groupPriorityMinimum: 100, versionPriority: 10 };
  const body = { apiVersion: "apiregistration.k8s.io/v1", kind: "APIService", metadata: { name }, spec };
  made(await harness.send("POST", apiServices, { body }));
  assert.equal((await until("ServiceNotFound")).message, 'service/metrics in "default" is not present');
  const refused = await harness.send("GET", samples);
  assert.deepEqual([refused.status, refused.text], [503, "service unavailable\n"]);
  const stale = await discovered();
  assert.deepEqual(stale, { metadata: { name: group }, versions: [{ version: "v1", freshness: "Stale" }] });

  const ports = [{ name: "https", port: 443 }];
  const newService = { apiVersion: "v1", kind: "Service", metadata: { name: "metrics" }, spec: { ports } };
  made(await harness.send("POST", "/api/v1/namespaces/default/services", { body: newService }));
  const missing = await until("MissingEndpoints");
  assert.equal(
    missing.message,
    'endpointslices for service/metrics in "default" have no addresses with port name "https"',
  );
  const slice = {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { name: "metrics-1", labels: { "kubernetes.io/service-name": "metrics" } },
    addressType: "IPv4",
    ports: [{ name: "https", port: (backend.address() as AddressInfo).port }],
    endpoints: [],
  };
  made(await harness.send("POST", "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices", { body: slice }));
  // Loopback addresses are refused in slices, so the address is put right behind the API's back.
  const slices = harness.server.catalogue.resource("discovery.k8s.io", "endpointslices");
  await slices?.update({ namespace: "default", name: "metrics-1" }, ({ object }) => ({
    object: { ...object, endpoints: [{ addresses: ["127.0.0.1"] }] },
  }));
  assert.equal((await until("Passed")).message, "all checks passed");
});

async function discovered(): Promise<unknown> {
  const accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
  const { json } = await harness.send("GET", "/apis", { headers: { accept } });
  const items = (json?.["items"] ?? []) as { metadata: { name: string } }[];
  return items.find(({ metadata }) => metadata.name === group);
}

test("requests go to the aggregated server with the user's identity, told over the front proxy's certificate", async () => {
  const forged = { "x-remote-user": "mallory", "x-remote-group": "system:masters", authorization: "Bearer x" };
  const answer = await harness.send("GET", `${samples}?labelSelector=a%3Db`, { headers: forged });
  assert.equal(answer.status, 200, answer.text);
  assert.equal(answer.json?.["kind"], "SampleList");
  const last = asked.findLast(({ url }) => url.startsWith(samples));
  assert.equal(last?.url, `${samples}?labelSelector=a%3Db`);
  assert.equal(last.certified, true);
  assert.deepEqual(last.headers["x-remote-user"], ["kubernetes-admin"]);
  assert.deepEqual(last.headers["x-remote-group"], ["system:masters", "system:authenticated"]);
  assert.equal(last.headers["authorization"], undefined);
});

test("discovery has the aggregated group in both forms", async () => {
  const list = await harness.send("GET", `/apis/${group}/v1`);
  assert.equal(list.json?.["groupVersion"], `${group}/v1`);
  const groups = await harness.send("GET", `/apis/${group}`);
  assert.deepEqual(groups.json?.["preferredVersion"], { groupVersion: `${group}/v1`, version: "v1" });
  const responseKind = { group, version: "v1", kind: "Sample" };
  const subresources = [{ subresource: "status", responseKind, verbs: ["get"] }];
  const resource = {
    resource: "samples",
    responseKind,
    scope: "Namespaced",
    singularResource: "sample",
    verbs: ["get", "list"],
    shortNames: ["smp"],
    subresources,
  };
  assert.deepEqual(await discovered(), {
    metadata: { name: group },
    versions: [{ version: "v1", resources: [resource], freshness: "Current" }],
  });
});

test("the OpenAPI document of the aggregated group is found among this server's own", async () => {
  const { json } = await harness.send("GET", "/openapi/v3");
  const paths = json?.["paths"] as Record<string, { serverRelativeURL: string }>;
  const url = paths[`apis/${group}/v1`]?.serverRelativeURL ?? "";
  assert.equal(url, `/openapi/v3/apis/${group}/v1?hash=ABC`);
  const document = await harness.send("GET", url);
  assert.deepEqual(document.json?.["info"], { title: "metrics" });
});

test("a redirect of the aggregated server is not passed on", async () => {
  const answer = await harness.send("GET", `/apis/${group}/v1/redirect`);
  assert.equal(answer.status, 502, answer.text);
  assert.equal(answer.headers["location"], undefined);
});

test("a watch is streamed, and ends at the backend when the client goes", async () => {
  const { port } = harness.server;
  const first = await new Promise<string>((resolve, reject) => {
    const request = httpsRequest(
      { host: "127.0.0.1", port, path: `${samples}?watch=true`, ...harness.tls, agent: false },
      (response) => {
        response.once("data", (part: Buffer) => {
          resolve(part.toString());
          request.destroy();
        });
        response.on("error", () => {});
      },
    );
    request.on("error", reject);
    request.end();
  });
  assert.equal(first, '{"type":"ADDED"}\n');
  await watchEnded.promise;
});

test("a client that speaks HTTP/2 is answered, body and all", async () => {
  const session = connect(harness.url, harness.tls);
  const sent = { ":method": "POST", ":path": samples, "content-type": "application/json", te: "trailers" };
  const text = await new Promise<string>((resolve, reject) => {
    const stream = session.request(sent);
    const parts: Buffer[] = [];
    stream.on("data", (part: Buffer) => parts.push(part));
    stream.on("end", () => resolve(Buffer.concat(parts).toString()));
    stream.on("error", reject);
    stream.end('{"kind":"Sample"}');
  });
  session.close();
  assert.equal((JSON.parse(text) as { posted?: unknown }).posted, '{"kind":"Sample"}');
});

test("an upgrade is passed through", async () => {
  const { port } = harness.server;
  const echoed = await new Promise<string>((resolve, reject) => {
    const headers = { connection: "Upgrade", upgrade: "echo" };
    const path = `/apis/${group}/v1/namespaces/default/samples/a/connect`;
    const request = httpsRequest({ host: "127.0.0.1", port, path, headers, ...harness.tls, agent: false });
    request.on("upgrade", (_, socket) => {
      socket.once("data", (part: Buffer) => {
        resolve(part.toString());
        socket.destroy();
      });
      socket.write("hello");
    });
    request.on("response", (response) => reject(new Error(`answered with ${response.statusCode}`)));
    request.on("error", reject);
    request.end();
  });
  assert.equal(echoed, "hello");
  assert.deepEqual(asked.findLast(({ method }) => method === "UPGRADE")?.headers["x-remote-user"], [
    "kubernetes-admin",
  ]);
});

test("a server whose certificate is another's is not spoken to", async () => {
  const patch = { spec: { caBundle: Buffer.from(harness.pki.frontProxyCa.cert).toString("base64") } };
  const contentType = "application/merge-patch+json";
  await harness.send("PATCH", `${apiServices}/${name}`, { body: patch, contentType });
  const before = asked.length;
  const answer = await harness.send("GET", samples);
  assert.equal(answer.status, 503, answer.text);
  assert.equal(
    asked.slice(before).some(({ url }) => url.startsWith(samples)),
    false,
  );
});

test("aggregated servers find what they need to trust this one", async () => {
  const path = "/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication";
  const { json } = await harness.send("GET", path);
  const data = json?.["data"] as Record<string, string>;
  assert.equal(data["client-ca-file"], harness.pki.ca.cert);
  assert.equal(data["requestheader-client-ca-file"], harness.pki.frontProxyCa.cert);
  assert.equal(data["requestheader-allowed-names"], '["front-proxy-client"]');
});

test("an APIService that cannot be reached is counted while it is so", async () => {
  const metric = async () => {
    const { text } = await harness.send("GET", "/metrics");
    return /aggregator_unavailable_apiservice\{name="v1.metrics.example.org"\} (\d)/.exec(text)?.[1];
  };
  assert.equal(await metric(), "0");
  const path = "/api/v1/namespaces/default/services/metrics";
  await harness.send("DELETE", path);
  await until("ServiceNotFound");
  assert.equal(await metric(), "1");
  const body = { metadata: { name: "metrics" }, spec: { ports: [{ name: "https", port: 443 }] } };
  made(await harness.send("POST", "/api/v1/namespaces/default/services", { body }));
  await until("Passed");
  assert.equal(await metric(), "0");
});

test("`kubectl get apiservices` shows the service and whether it is there", async () => {
  const accept = "application/json;as=Table;v=v1;g=meta.k8s.io";
  const { json } = await harness.send("GET", `${apiServices}/${name}`, { headers: { accept } });
  const [row] = (json?.["rows"] ?? []) as { cells: unknown[] }[];
  assert.deepEqual(row?.cells.slice(0, 3), [name, "default/metrics", "True"]);
});

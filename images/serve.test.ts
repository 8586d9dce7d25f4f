import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { digestOf } from "./digest.ts";
import { ImagePuller } from "./pull.ts";
import { registryHandler } from "./serve.ts";
import { ImageStore } from "./store/store.ts";
import { listing } from "./testing/conversion.ts";
import { admitImage, testImage } from "./testing/image.ts";
import { testToolsMissing } from "./testing/registry.ts";

const scratch = mkdtempSync(join(tmpdir(), "serve-"));
const missing = testToolsMissing(["skopeo"]);
const agent = testImage([[{ path: "agent", content: "x".repeat(100_000) }]]);
const secret = testImage([[{ path: "secret", content: "s" }]]);
let server: Server;
let host = "";

before(async () => {
  const store = await ImageStore.open({ dir: join(scratch, "hub") });
  await admitImage(store, agent, { origin: "built", names: ["localhost/atoll/agent:v1", "localhost/atoll/agent:v2"] });
  await admitImage(store, secret, { origin: "built", names: ["localhost/secret:v1"] });
  const handler = registryHandler({ store, repositories: { "atoll/agent": "localhost/atoll/agent" } });
  server = createServer((request, response) => void handler(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  host = typeof address === "object" && address !== null ? `127.0.0.1:${address.port}` : "";
});
after(() => {
  server.closeAllConnections();
  server.close();
  rmSync(scratch, { recursive: true, force: true });
});

const get = (path: string, init: RequestInit = {}) => fetch(`http://${host}${path}`, init);

test("our own puller and skopeo pull what is served", async (t) => {
  const store = await ImageStore.open({ dir: join(scratch, "host") });
  const puller = new ImagePuller({
    store,
    settings: { insecure: [host] },
    platform: { os: "linux", architecture: "amd64" },
  });
  const found = await puller.pull({ image: `${host}/atoll/agent:v1` });
  puller.close();
  assert.equal(found.manifest.digest, agent.digest);
  assert.deepEqual(await listing(found.erofsPath), { agent: `file ${"x".repeat(100_000)}` });
  if (missing !== false) return t.diagnostic(missing);
  const to = `oci:${join(scratch, "copy")}`;
  await promisify(execFile)("skopeo", [
    "--insecure-policy",
    "copy",
    "--src-tls-verify=false",
    `docker://${host}/atoll/agent:v2`,
    to,
  ]);
});

test("manifests, blobs, ranges and tags have the headers clients rely on", async () => {
  assert.equal((await get("/v2/")).status, 200);
  const manifest = await get("/v2/atoll/agent/manifests/v1");
  assert.equal(manifest.headers.get("docker-content-digest"), agent.digest);
  assert.equal(manifest.headers.get("content-type"), "application/vnd.oci.image.manifest.v1+json");
  assert.deepEqual(Buffer.from(await manifest.arrayBuffer()), agent.manifest);
  const head = await get(`/v2/atoll/agent/manifests/${agent.digest}`, { method: "HEAD" });
  assert.deepEqual([head.status, head.headers.get("content-length")], [200, String(agent.manifest.length)]);
  const [layer = Buffer.alloc(0)] = agent.layers;
  const part = await get(`/v2/atoll/agent/blobs/${digestOf(layer)}?ns=x`, { headers: { range: "bytes=10-19" } });
  assert.equal(part.status, 206);
  assert.equal(part.headers.get("content-range"), `bytes 10-19/${layer.length}`);
  assert.deepEqual(Buffer.from(await part.arrayBuffer()), layer.subarray(10, 20));
  const beyond = await get(`/v2/atoll/agent/blobs/${digestOf(layer)}`, { headers: { range: "bytes=999999-" } });
  assert.equal(beyond.status, 416);
  assert.deepEqual(await (await get("/v2/atoll/agent/tags/list")).json(), { name: "atoll/agent", tags: ["v1", "v2"] });
});

test("nothing else is served, and nothing can be written", async () => {
  const refused: [string, RequestInit, number][] = [
    ["/v2/secret/manifests/v1", {}, 404],
    ["/v2/localhost/secret/manifests/v1", {}, 404],
    ["/v2/__proto__/manifests/v1", {}, 404],
    [`/v2/atoll/agent/manifests/${secret.digest}`, {}, 404],
    [`/v2/atoll/agent/blobs/${digestOf(secret.config)}`, {}, 404],
    [`/v2/atoll/agent/blobs/${digestOf("missing")}`, {}, 404],
    ["/v2/atoll/agent/blobs/..%2f..%2fetc%2fpasswd", {}, 404],
    ["/v2/atoll/agent/manifests/none", {}, 404],
    ["/v2/_catalog", {}, 404],
    [`/v2/${"a".repeat(3000)}/tags/list`, {}, 404],
    ["/v2/atoll/agent/manifests/v1", { method: "PUT", body: "{}" }, 405],
    ["/v2/atoll/agent/blobs/uploads/", { method: "POST" }, 405],
    ["/v2/atoll/agent/manifests/v1", { method: "DELETE" }, 405],
  ];
  for (const [path, init, status] of refused) {
    const response = await get(path, init);
    assert.equal(response.status, status, path);
    assert.ok(Array.isArray(((await response.json()) as { errors: unknown }).errors), path);
  }
});

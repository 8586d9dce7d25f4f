/**
 * The kubelet's API with nothing but a node's own credentials: it asks for a certificate, which is approved and signed by
 * the controllers; the API server believes it, and it believes the API server, by roles alone.
 */
import assert from "node:assert/strict";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Pod } from "@atoll/api/builtin/core/v1.types";
import { CertificateSigningRequest, Node, Pod as Pods } from "@atoll/client/builtin";
import type { Client } from "@atoll/client/client";
import { approvingController } from "@atoll/controllers/certificates/approving/controller";
import { signingController } from "@atoll/controllers/certificates/signing/controller";
import { clientOf, eventually, makeNamespace, transportTo } from "@atoll/harness/client";
import { startControllers, type Workshop } from "@atoll/harness/controllers";
import { type Harness, startHarness } from "@atoll/harness/server";
import { systemClock } from "@atoll/machinery/clock";
import { logTo } from "@atoll/runtime/log";
import type { KubeletRuntime } from "@atoll/spherelet/kubelet/runtime";
import { serveKubelet } from "@atoll/spherelet/kubelet/serving";

const folder = await mkdtemp(join(tmpdir(), "atoll-kubelet-"));
let harness: Harness;
let admin: Client;
let workshop: Workshop;
let closeTransport: () => void;
let node: { readonly client: Client; close(): void };

before(async () => {
  harness = await startHarness();
  const transport = transportTo(harness);
  admin = clientOf(harness, transport);
  workshop = startControllers(harness, [approvingController, signingController(harness.pki.ca)]);
  const { cert, key } = (await harness.user("system:node:n1", ["system:nodes"])).tls;
  assert.ok(cert !== undefined && key !== undefined);
  const own = transportTo({ url: harness.url, tls: { ca: harness.pki.ca.cert, cert, key } });
  node = { client: clientOf(harness, own), close: () => own.close() };
  await makeNamespace(admin, "shop");
  const containers = [{ name: "a", image: "x" }];
  await admin.create(Node, { metadata: { name: "n1" } });
  await admin.create(Pods, { metadata: { name: "web", namespace: "shop" }, spec: { nodeName: "n1", containers } });
  closeTransport = () => transport.close();
});

after(async () => {
  node.close();
  closeTransport();
  await workshop.stop();
  await harness.close();
  await rm(folder, { recursive: true, force: true });
});

const refuse = () => Promise.reject(new Error("nobody asks for this here"));
const runtime: KubeletRuntime = {
  pods: (): readonly Pod[] => [],
  log: async () =>
    await Promise.resolve(
      (async function* () {
        yield await Promise.resolve(Buffer.from("said\n"));
      })(),
    ),
  exec: refuse,
  attach: refuse,
  dial: refuse,
  usage: async () => await Promise.resolve([]),
};

/** Serves until it is stopped. @returns once it listens */
async function serve(address: string): Promise<{ readonly port: number; stop(): Promise<void> }> {
  const stop = new AbortController();
  const said: string[] = [];
  let port = 0;
  const log = logTo((level, message, fields) => {
    if (level === "warn") said.push(JSON.stringify([message, fields]));
    if (typeof fields["port"] === "number") port = fields["port"];
  });
  const { client } = node;
  const ca = harness.pki.ca.cert;
  const options = {
    client,
    clock: systemClock,
    log,
    node: "n1",
    folder,
    address,
    ca,
    runtime,
    bind: "127.0.0.1",
    port,
  };
  const serving = serveKubelet(options, stop.signal);
  await eventually("it serves", () => {
    assert.deepEqual(said, []);
    return port !== 0;
  });
  return {
    port,
    async stop() {
      stop.abort();
      await serving;
    },
  };
}

async function tellAddress(address: string, port: number): Promise<void> {
  const { json } = await harness.send("GET", "/api/v1/nodes/n1");
  const addresses = [
    { type: "InternalIP", address },
    { type: "Hostname", address: "n1" },
  ];
  const status = { addresses, daemonEndpoints: { kubeletEndpoint: { Port: port } } };
  const told = await harness.send("PUT", "/api/v1/nodes/n1/status", { body: { ...json, status } });
  assert.equal(told.status, 200, told.text);
}

const requests = async () => (await admin.list(CertificateSigningRequest)).items.length;

test("a node serves by its own credentials, keeps its certificate, and asks anew for another address", async () => {
  await tellAddress("127.0.0.1", 1);
  const first = await serve("127.0.0.1");
  await tellAddress("127.0.0.1", first.port);
  const log = await harness.send("GET", "/api/v1/namespaces/shop/pods/web/log");
  assert.deepEqual([log.status, log.text], [200, "said\n"]);
  assert.equal((await stat(join(folder, "kubelet.pem"))).mode & 0o777, 0o600);
  await first.stop();
  assert.equal((await harness.send("GET", "/api/v1/namespaces/shop/pods/web/log")).status, 503);
  const asked = await requests();
  assert.equal(asked, 1);
  await (await serve("127.0.0.1")).stop();
  assert.equal(await requests(), asked);
  await tellAddress("127.0.0.2", 1);
  await (await serve("127.0.0.2")).stop();
  assert.equal(await requests(), asked + 1);
});

import assert from "node:assert/strict";
import { createServer as createHttp } from "node:http";
import { createSecureServer } from "node:http2";
import { createServer as createHttps } from "node:https";
import type { AddressInfo, Server } from "node:net";
import test, { after } from "node:test";
import { ConfigMap, Pod } from "@atoll/client/builtin";
import { Client } from "@atoll/client/client";
import { isRefusal } from "@atoll/client/errors";
import { TransportFailed } from "@atoll/client/transport";
import { clientOf, eventually, transportTo } from "@atoll/harness/client";
import { startHarness } from "@atoll/harness/server";
import { systemClock } from "@atoll/machinery/clock";
import type { Identity } from "./transport.ts";
import { nodeTransport } from "./transport.ts";

const harness = await startHarness();
after(() => harness.close());

function clientFor(server: string, identity: Partial<Identity> = {}): { client: Client; close: () => void } {
  const whole = { tls: async () => harness.tls, authorization: async () => undefined, ...identity };
  const transport = nodeTransport({ server, identity: whole, clock: systemClock });
  const client = new Client({ transport, clock: systemClock, userAgent: "test", attempts: 1 });
  return { client, close: () => transport.close() };
}

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

test("nodeTransport carries more watches than one connection has streams, and requests beside them", async () => {
  const transport = transportTo(harness);
  const client = clientOf(harness, transport);
  const end = new AbortController();
  let begun = 0;
  const watching = Array.from({ length: 300 }, async () => {
    try {
      for await (const _ of client.watch(Pod, { initialEvents: true, signal: end.signal })) begun++;
    } catch (error) {
      if (!end.signal.aborted) throw error;
    }
  });
  await eventually("all watches have begun", () => begun >= 300);
  const made = await client.create(ConfigMap, { metadata: { name: "beside", namespace: "default" } });
  assert.equal(made.metadata.name, "beside");
  end.abort(new Error("enough"));
  await Promise.all(watching);
  transport.close();
});

test("nodeTransport speaks HTTP/1.1 with a server that knows no other", async () => {
  const { cert, key } = harness.pki.server;
  const server = createHttps({ cert, key }, (request, response) => {
    const kind = request.httpVersion === "1.1" && request.method === "POST" ? "ConfigMap" : "Unexpected";
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ apiVersion: "v1", kind, metadata: { name: request.url } }));
  });
  const port = await listening(server);
  const { client, close } = clientFor(`https://127.0.0.1:${port}/prefix/`);
  for (let i = 0; i < 3; i++) {
    const made = await client.create(ConfigMap, { metadata: { name: "a", namespace: "n" } });
    assert.equal(made.kind, "ConfigMap");
    assert.equal(made.metadata.name, "/prefix/api/v1/namespaces/n/configmaps");
  }
  close();
  server.close();
});

test("nodeTransport says how long a body is, over HTTP/2 too", async () => {
  const { cert, key } = harness.pki.server;
  const lengths: (string | undefined)[] = [];
  const server = createSecureServer({ cert, key }, (request, response) => {
    lengths.push(request.headers["content-length"]);
    request.resume().on("end", () => {
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: {} }));
    });
  });
  const port = await listening(server);
  const transport = nodeTransport({
    server: `https://127.0.0.1:${port}`,
    identity: { tls: async () => harness.tls, authorization: async () => undefined },
    clock: systemClock,
  });
  const sent = { method: "POST", path: "/", headers: {}, body: "größer" } as const;
  for await (const _ of (await transport.request(sent)).body);
  assert.deepEqual(lengths, [String(Buffer.byteLength("größer"))]);
  transport.close();
  server.close();
});

test("nodeTransport gives an answer whole that had come, and its stream ended, before anybody read it", async () => {
  const transport = transportTo(harness);
  const request = { method: "GET", path: "/version", headers: {} };
  const answers = await Promise.all(Array.from({ length: 10 }, () => transport.request(request)));
  await systemClock.sleep(100);
  for (const { status, body } of answers) {
    const chunks: Uint8Array[] = [];
    for await (const chunk of body) chunks.push(chunk);
    assert.equal(status, 200);
    assert.match(Buffer.concat(chunks).toString(), /gitVersion/);
  }
  transport.close();
});

test("nodeTransport sends who it is, and is told when that was refused", async () => {
  const seen: (string | undefined)[] = [];
  const server = createHttp((request, response) => {
    seen.push(request.headers.authorization, request.headers["impersonate-user"] as string | undefined);
    response.statusCode = 401;
    response.end("who?");
  });
  const port = await listening(server);
  let refused = 0;
  const { client, close } = clientFor(`http://127.0.0.1:${port}`, {
    authorization: async () => "Bearer t",
    headers: { "impersonate-user": "somebody" },
    refused: () => refused++,
  });
  await assert.rejects(client.list(Pod), (error: unknown) => isRefusal(error, "Unauthorized"));
  assert.deepEqual(seen, ["Bearer t", "somebody"]);
  assert.equal(refused, 1);
  close();
  server.close();
});

test("nodeTransport trusts only the authority it was given", async () => {
  const { client, close } = clientFor(harness.url, {
    tls: async () => ({ cert: harness.tls.cert, key: harness.tls.key }),
  });
  await assert.rejects(client.list(Pod), (error: unknown) => error instanceof TransportFailed && !error.uncertain);
  close();
});

test("nodeTransport says that nothing was done when nobody answers the door", async () => {
  const { client, close } = clientFor("https://127.0.0.1:1");
  const draft = { metadata: { name: "a", namespace: "n" } };
  await assert.rejects(
    client.create(ConfigMap, draft),
    (error: unknown) => error instanceof TransportFailed && !error.uncertain,
  );
  close();
});

test("nodeTransport finds a server again that went away and came back", async () => {
  const { cert, key } = harness.pki.server;
  const answer = (_: unknown, response: { end(text: string): void }) => response.end('{"items":[],"metadata":{}}');
  const first = createHttps({ cert, key }, answer);
  const port = await listening(first);
  const { client, close } = clientFor(`https://127.0.0.1:${port}`);
  await client.list(Pod);
  first.closeAllConnections();
  await new Promise((resolve) => first.close(resolve));
  await assert.rejects(client.list(Pod), TransportFailed);
  const second = createHttps({ cert, key }, answer);
  await new Promise<void>((resolve) => second.listen(port, "127.0.0.1", resolve));
  assert.deepEqual((await client.list(Pod)).items, []);
  close();
  second.closeAllConnections();
  second.close();
});

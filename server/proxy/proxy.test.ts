/** Streams and proxies, from a client through the server to a backend that speaks as a kubelet does. */
import assert from "node:assert/strict";
import {
  createServer as createPlain,
  type IncomingMessage,
  type Server as HttpServer,
  type ServerResponse,
} from "node:http";
import { createServer, request as httpsRequest, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import { after, before, test } from "node:test";
import { systemClock } from "@atoll/machinery/clock";
import { eventually } from "@atoll/harness/client";
import { type Harness, startHarness } from "@atoll/harness/server";
import { issue } from "../pki/authority.ts";

interface Seen {
  readonly url: string;
  readonly headers: IncomingMessage["headers"];
  readonly client: string;
}

const state: {
  harness?: Harness;
  kubelet?: Server;
  answer: (request: IncomingMessage, response: ServerResponse) => void;
  upgrade: (socket: Duplex, request: IncomingMessage) => void;
  seen: Seen[];
  closed: number;
} = {
  answer: (_, response) => response.end("said\n"),
  upgrade: (socket) => socket.end("HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n"),
  seen: [],
  closed: 0,
};

function harness(): Harness {
  assert.ok(state.harness !== undefined);
  return state.harness;
}

before(async () => {
  const started = await startHarness();
  state.harness = started;
  const { ca } = started.pki;
  const wish = {
    commonName: "system:node:n1",
    organizations: ["system:nodes"],
    usage: "server" as const,
    names: ["127.0.0.1"],
    days: 1,
  };
  const pair = await issue(ca, wish, systemClock.nowMs());
  const look = (request: IncomingMessage) => {
    const subject = (request.socket as TLSSocket).getPeerCertificate().subject;
    state.seen.push({ url: request.url ?? "", headers: request.headers, client: subject?.CN?.toString() ?? "" });
  };
  const kubelet = createServer(
    { ...pair, ca: ca.cert, requestCert: true, rejectUnauthorized: true },
    (request, response) => {
      look(request);
      state.answer(request, response);
    },
  );
  kubelet.on("upgrade", (request: IncomingMessage, socket: Duplex) => {
    look(request);
    socket.on("close", () => state.closed++);
    socket.on("error", () => socket.destroy());
    state.upgrade(socket, request);
  });
  await new Promise<void>((resolve) => kubelet.listen(0, "127.0.0.1", resolve));
  state.kubelet = kubelet;
  await makeNode("n1", (kubelet.address() as AddressInfo).port);
  await makeNode("n2", (kubelet.address() as AddressInfo).port);
  await makePod("web", "n1");
  await makePod("astray", "n2");
  await makePod("idle", undefined);
});

after(async () => {
  state.kubelet?.closeAllConnections();
  state.kubelet?.close();
  await harness().close();
});

async function makeNode(name: string, port: number): Promise<void> {
  const body = { apiVersion: "v1", kind: "Node", metadata: { name } };
  const { json } = await harness().send("POST", "/api/v1/nodes", { body });
  const status = {
    addresses: [{ type: "InternalIP", address: "127.0.0.1" }],
    daemonEndpoints: { kubeletEndpoint: { Port: port } },
  };
  const { status: code } = await harness().send("PUT", `/api/v1/nodes/${name}/status`, { body: { ...json, status } });
  assert.equal(code, 200);
}

async function makePod(name: string, nodeName: string | undefined): Promise<void> {
  await harness().send("POST", "/api/v1/namespaces/default/serviceaccounts", {
    body: { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "default" } },
  });
  const containers = [
    { name: "a", image: "x" },
    { name: "b", image: "x" },
  ];
  const spec = { containers, ...(nodeName === undefined ? {} : { nodeName }) };
  const body = { apiVersion: "v1", kind: "Pod", metadata: { name }, spec };
  const { status, text } = await harness().send("POST", "/api/v1/namespaces/default/pods", { body });
  assert.equal(status, 201, text);
}

const pod = (name: string, rest: string) => `/api/v1/namespaces/default/pods/${name}/${rest}`;

test("a log is asked of the node's kubelet, as this server, and nothing of the client's identity goes with it", async () => {
  state.seen.length = 0;
  const answer = await harness().send("GET", pod("web", "log?container=a&follow=true&tailLines=5&other=1"), {
    headers: { "x-remote-user": "eve", authorization: "Basic eve" },
  });
  assert.equal(answer.status, 200);
  assert.equal(answer.text, "said\n");
  const [seen] = state.seen;
  assert.equal(seen?.url, "/containerLogs/default/web/a?follow=true&tailLines=5");
  assert.equal(seen?.client, "kube-apiserver-kubelet-client");
  assert.equal(seen?.headers["x-remote-user"], undefined);
  assert.equal(seen?.headers.authorization, undefined);
});

test("a log needs a container of the pod, a node, and options that make sense", async () => {
  const several = await harness().send("GET", pod("web", "log"));
  assert.equal(several.status, 400);
  assert.match(several.text, /a container name must be specified for pod web, choose one of: \[a b\]/);
  assert.equal((await harness().send("GET", pod("web", "log?container=z"))).status, 400);
  assert.equal((await harness().send("GET", pod("idle", "log?container=a"))).status, 204);
  for (const [query, told] of [
    ["tailLines=-1", /tailLines: Invalid value: -1: must be greater than or equal to 0/],
    ["limitBytes=0", /limitBytes: Invalid value: 0: must be greater than 0/],
    ["sinceSeconds=5&sinceTime=2026-01-01T00:00:00Z", /at most one of `sinceTime` or `sinceSeconds`/],
    ["stream=Stdout&tailLines=1", /mutually exclusive/],
    ["stream=Both", /stream: Unsupported value/],
  ] as const) {
    const wrong = await harness().send("GET", pod("web", `log?container=a&${query}`));
    assert.equal(wrong.status, 422, query);
    assert.match(String(wrong.json?.["message"]), told);
  }
  assert.equal((await harness().send("GET", pod("gone", "log"))).status, 404);
});

test("what a kubelet refuses is told as a Status; its redirects are not followed", async () => {
  const told = async (code: number, headers = {}) => {
    state.answer = (_, response) => response.writeHead(code, headers).end("because");
    return await harness().send("GET", pod("web", "log?container=a"));
  };
  const bad = await told(400);
  assert.equal(bad.json?.["message"], "because");
  assert.equal((await told(404)).json?.["reason"], "NotFound");
  assert.equal((await told(302, { location: "https://127.0.0.1:1/" })).status, 502);
  state.answer = (_, response) => response.end("said\n");
});

interface Upgraded {
  readonly status: number;
  readonly socket: Duplex | undefined;
}

function upgrade(path: string): Promise<Upgraded> {
  const { url, tls } = harness();
  return new Promise((resolve, reject) => {
    const headers = { connection: "Upgrade", upgrade: "websocket", "sec-websocket-protocol": "v5.channel.k8s.io" };
    const request = httpsRequest(new URL(path, url), { ...tls, agent: false, headers });
    request.on("upgrade", (response, socket) => resolve({ status: response.statusCode ?? 0, socket }));
    request.on("response", (response) => {
      response.resume();
      resolve({ status: response.statusCode ?? 0, socket: undefined });
    });
    request.on("error", reject);
    request.end();
  });
}

test("exec is an upgrade, passed through byte for byte, both ways", async () => {
  state.seen.length = 0;
  state.upgrade = (socket) => {
    socket.write("HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\nhello");
    socket.pipe(socket);
  };
  const { status, socket } = await upgrade(pod("web", "exec?container=b&command=ls&command=-l&stdin=true&stdout=1"));
  assert.equal(status, 101);
  assert.ok(socket !== undefined);
  const big = Buffer.alloc(1_000_000, 7);
  const chunks: Buffer[] = [];
  const done = new Promise<void>((resolve) => {
    socket.on("data", (chunk: Buffer) => {
      chunks.push(chunk);
      if (Buffer.concat(chunks).length === big.length + 5) resolve();
    });
  });
  socket.write(big);
  await done;
  assert.equal(Buffer.concat(chunks).subarray(0, 5).toString(), "hello");
  assert.ok(Buffer.concat(chunks).subarray(5).equals(big));
  assert.equal(state.seen[0]?.url, "/exec/default/web/b?input=1&output=1&command=ls&command=-l");
  assert.equal(state.seen[0]?.headers["sec-websocket-protocol"], "v5.channel.k8s.io");
  socket.destroy();
});

const switched = "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n";

test("the last of what a backend says arrives, however slow the client and quick the backend's end", async () => {
  const big = Buffer.alloc(20_000_000, 7);
  state.upgrade = (socket) => {
    socket.write(switched);
    socket.end(big);
    socket.resume();
  };
  const { socket } = await upgrade(pod("web", "exec?container=a&command=x"));
  assert.ok(socket !== undefined);
  await systemClock.sleep(300);
  let length = 0;
  for await (const chunk of socket as AsyncIterable<Buffer>) length += chunk.length;
  assert.equal(length, big.length);
});

test("the last of what a client says arrives, and its going is noticed by the backend", async () => {
  const big = Buffer.alloc(5_000_000, 7);
  const heard = Promise.withResolvers<number>();
  state.upgrade = (socket) => {
    socket.write(switched);
    void systemClock.sleep(200).then(async () => {
      let length = 0;
      for await (const chunk of socket as AsyncIterable<Buffer>) length += chunk.length;
      heard.resolve(length);
    });
  };
  const { socket } = await upgrade(pod("web", "exec?container=a&command=x"));
  socket?.resume().end(big);
  assert.equal(await heard.promise, big.length);
});

test("a client that breaks off takes the backend's connection with it", async () => {
  const before = state.closed;
  state.upgrade = (socket) => {
    socket.write(switched);
    const talk = () => {
      if (!socket.destroyed) socket.write(Buffer.alloc(10_000), () => setImmediate(talk));
    };
    talk();
  };
  const { socket } = await upgrade(pod("web", "exec?container=a&command=x"));
  socket?.destroy();
  await eventually("the backend's connection is closed", () => state.closed > before);
});

test("a node whose address is another's is not spoken to", async () => {
  state.seen.length = 0;
  const answer = await harness().send("GET", pod("astray", "log?container=a"));
  assert.equal(answer.status, 503);
  assert.match(answer.text, /the certificate is of system:node:n1, not of system:node:n2/);
  assert.equal(
    (await upgrade(pod("astray", "exec?container=a&command=x&insecureSkipTLSVerifyBackend=true"))).status,
    503,
  );
  const own = Number(new URL(harness().url).port);
  await makeNode("n3", own);
  assert.equal((await harness().send("GET", "/api/v1/nodes/n3/proxy/api/v1/secrets")).status, 503);
  assert.equal(state.seen.length, 0);
  const lenient = await harness().send("GET", pod("astray", "log?container=a&insecureSkipTLSVerifyBackend=true"));
  assert.deepEqual([lenient.status, lenient.text], [200, "said\n"]);
});

test("a body arrives as one, whatever the method", async () => {
  const heard: string[] = [];
  state.answer = (request, response) => {
    void (async () => {
      let body = "";
      for await (const chunk of request) body += String(chunk);
      heard.push(`${request.method} ${body}`);
      response.end();
    })();
  };
  const { url, tls } = harness();
  for (const method of ["GET", "DELETE", "POST"]) {
    for (const headers of [{ "transfer-encoding": "chunked" }, { "content-length": 5 }, {}]) {
      const body = Object.keys(headers).length > 0 ? "a\r\nb\n" : "";
      await new Promise<void>((resolve, reject) => {
        const options = { ...tls, agent: false, method, headers };
        const request = httpsRequest(new URL("/api/v1/nodes/n1/proxy/x", url), options, (response) => {
          response.resume().on("end", resolve);
        });
        request.on("error", reject);
        request.end(body);
      });
      assert.equal(heard.at(-1), `${method} ${body}`);
    }
  }
  assert.equal(heard.length, 9);
  state.answer = (_, response) => response.end("said\n");
});

test("a redirect of a proxied API leads back through the proxy, and is not followed", async () => {
  state.answer = (_, response) => response.writeHead(302, { location: "/next" }).end();
  const answer = await harness().send("GET", "/api/v1/nodes/n1/proxy/x");
  assert.equal(answer.status, 302);
  assert.equal(answer.headers["location"], "/api/v1/nodes/n1/proxy/next");
  state.answer = (_, response) => response.end("said\n");
});

test("exec without an upgrade, a node or a command is refused", async () => {
  assert.equal((await harness().send("POST", pod("web", "exec?container=a&command=x"))).status, 400);
  assert.equal((await upgrade(pod("idle", "exec?container=a&command=x"))).status, 400);
  assert.equal((await upgrade(pod("web", "exec?container=a"))).status, 400);
});

for (const code of [200, 302]) {
  test(`an upgrade answered ${code} is an error, and the backend's connection is destroyed`, async () => {
    const before = state.closed;
    state.upgrade = (socket) => {
      socket.write(`HTTP/1.1 ${code} Sure\r\nlocation: https://127.0.0.1/\r\ncontent-length: 5\r\n\r\nhello`);
    };
    const { status, socket } = await upgrade(pod("web", "exec?container=a&command=x"));
    assert.ok(status >= 500);
    assert.equal(socket, undefined);
    await eventually("the backend's connection is closed", () => state.closed > before);
  });
}

test("a whole API is behind a node's proxy path, its path and query as the client wrote them", async () => {
  state.seen.length = 0;
  const redirect = await harness().send("GET", "/api/v1/nodes/n1/proxy?x=1");
  assert.equal(redirect.status, 301);
  assert.equal(redirect.headers["location"], "/api/v1/nodes/n1/proxy/?x=1");
  const answer = await harness().send("GET", "/api/v1/nodes/n1/proxy/a%2Fb/c?x=%20");
  assert.equal(answer.text, "said\n");
  assert.equal(state.seen[0]?.url, "/a%2Fb/c?x=%20");
});

test("a pod or service that claims this host's own address is not spoken to", async () => {
  const plain: HttpServer = createPlain((_, response) => response.end("inside"));
  await new Promise<void>((resolve) => plain.listen(0, "127.0.0.1", resolve));
  const { port } = plain.address() as AddressInfo;
  const { json } = await harness().send("GET", "/api/v1/namespaces/default/pods/web");
  const status = { phase: "Running", podIP: "127.0.0.1", podIPs: [{ ip: "127.0.0.1" }] };
  await harness().send("PUT", pod("web", "status"), { body: { ...json, status } });
  const answer = await harness().send("GET", `/api/v1/namespaces/default/pods/http:web:${port}/proxy/`);
  assert.equal(answer.status, 400);
  assert.match(answer.text, /address not allowed/);
  plain.close();
});

test("a service without ready endpoints is unavailable", async () => {
  const body = {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "s" },
    spec: { ports: [{ name: "http", port: 80 }] },
  };
  await harness().send("POST", "/api/v1/namespaces/default/services", { body });
  const none = await harness().send("GET", "/api/v1/namespaces/default/services/s:http/proxy/");
  assert.equal(none.status, 503);
  assert.match(none.text, /no endpoints available for service/);
  const unknown = await harness().send("GET", "/api/v1/namespaces/default/services/s:81/proxy/");
  assert.match(unknown.text, /no service port/);
});

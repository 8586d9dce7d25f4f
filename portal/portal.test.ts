/** The portal as an enemy meets it: without a page, over bare TLS. */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import type { IncomingHttpHeaders } from "node:http";
import { createServer, request as httpsRequest } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { ConfigMap } from "@atoll/client/builtin";
import { Client } from "@atoll/client/client";
import { makeNamespace, transportTo } from "@atoll/harness/client";
import { type Harness, startHarness } from "@atoll/harness/server";
import { type Clock, systemClock } from "@atoll/machinery/clock";
import { selfSigned } from "@atoll/runtime/certificates/selfsigned";
import { silent } from "@atoll/runtime/log";
import { WebSocket } from "ws";
import { offerLink } from "./links.ts";
import { type Portal, startPortal } from "./portal.ts";

const hourMs = 3600_000;
const own = { "x-atoll-console": "1" };

let harness: Harness;
let portal: Portal;
let folder: string;
let client: Client;
/** The portal's time runs ahead by this. */
let aheadMs = 0;
const clock: Clock = { ...systemClock, nowMs: () => systemClock.nowMs() + aheadMs };

before(async () => {
  harness = await startHarness();
  client = new Client({ transport: transportTo(harness), clock: systemClock, userAgent: "test" });
  folder = await mkdtemp(join(tmpdir(), "atoll-portal-"));
  await writeFile(join(folder, "index.html"), "<!doctype html><title>Atoll</title>");
  portal = await startPortal({
    hub: { server: harness.url, ca: harness.tls.ca },
    client,
    clock,
    log: silent,
    tls: await selfSigned("portal", ["127.0.0.1"], systemClock.nowMs()),
    bind: "127.0.0.1",
    port: 0,
    assets: folder,
  });
});
after(async () => {
  await portal.close();
  await harness.close();
  await rm(folder, { recursive: true, force: true });
});

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

interface Asked {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

function ask(path: string, { method = "GET", headers = {}, body }: Asked = {}): Promise<Answer> {
  return new Promise((done, fail) => {
    const options = { host: "127.0.0.1", port: portal.port, path, method, headers, rejectUnauthorized: false };
    const sent = httpsRequest(options, (answer) => {
      const chunks: Buffer[] = [];
      answer.on("data", (chunk: Buffer) => chunks.push(chunk));
      answer.on("end", () => {
        const text = Buffer.concat(chunks).toString();
        done({ status: answer.statusCode ?? 0, headers: answer.headers, text });
      });
    });
    sent.on("error", fail);
    sent.end(body);
  });
}

const origin = (): string => `https://127.0.0.1:${portal.port}`;

/** Signs the admin in. @returns the cookie as browsers send it, and as it was set */
async function signIn(): Promise<{ cookie: string; set: string }> {
  const { cert, key } = harness.tls;
  const link = await offerLink(client, { kind: "certificate", cert, key });
  const answer = await ask("/auth/link", {
    method: "POST",
    headers: { ...own, origin: origin(), "content-type": "application/json" },
    body: JSON.stringify({ link }),
  });
  assert.equal(answer.status, 200, answer.text);
  const [set = ""] = answer.headers["set-cookie"] ?? [];
  return { cookie: set.split(";")[0] ?? "", set };
}

const session = (cookie: string): Promise<Answer> => ask("/auth/session", { headers: { ...own, cookie } });

/** How an attempt to open a WebSocket ends. */
function socket(path: string, headers: Readonly<Record<string, string>>): Promise<"open" | number> {
  return new Promise((done) => {
    const made = new WebSocket(`wss://127.0.0.1:${portal.port}${path}`, { rejectUnauthorized: false, headers });
    made.on("open", () => {
      made.close();
      done("open");
    });
    made.on("unexpected-response", (_, answer) => done(answer.statusCode ?? 0));
    made.on("error", () => undefined);
  });
}

test("the session's cookie is for this host, for TLS, for no script, and for no other site", async () => {
  const { set } = await signIn();
  assert.match(set, /^__Host-atoll=[\w-]{43}; Path=\/; Secure; HttpOnly; SameSite=Strict$/);
});

test("a cookie that was made up, cut, lengthened or changed is nobody's", async () => {
  const { cookie } = await signIn();
  assert.equal((await session(cookie)).status, 200);
  const [name = "", id = ""] = cookie.split("=");
  const other = id.startsWith("A") ? "B" : "A";
  const forged = ["", id.slice(0, -1), `${id}A`, other + id.slice(1), id.toLowerCase(), "__proto__", "A".repeat(43)];
  for (const each of forged) assert.equal((await session(`${name}=${each}`)).status, 401, each);
  assert.equal((await session(`atoll=${id}`)).status, 401);
  assert.equal((await session(`x${name}=${id}`)).status, 401);
});

test("a session is over after an hour of nothing, and after twelve hours whatever was done", async (t) => {
  t.after(() => {
    aheadMs = 0;
  });
  const idle = (await signIn()).cookie;
  aheadMs += hourMs + 1;
  assert.equal((await session(idle)).status, 401);
  const { cookie } = await signIn();
  for (let half = 0; half < 24; half++) {
    assert.equal((await session(cookie)).status, 200, `after ${half / 2} hours`);
    aheadMs += hourMs / 2;
  }
  aheadMs += 1;
  assert.equal((await session(cookie)).status, 401);
});

test("signing out ends the session for everybody who has its cookie, with its live connections", async () => {
  const { cookie } = await signIn();
  const live = new WebSocket(`wss://127.0.0.1:${portal.port}/live`, {
    rejectUnauthorized: false,
    headers: { cookie, origin: origin() },
  });
  await new Promise((open) => live.once("open", open));
  const closed = new Promise<number>((done) => live.once("close", done));
  await ask("/auth/sign-out", { method: "POST", headers: { ...own, cookie, origin: origin() } });
  assert.equal(await closed, 4401);
  assert.equal((await session(cookie)).status, 401);
});

test("no call is answered without the console's header, nor a write from another origin, or from none", async () => {
  const { cookie } = await signIn();
  const path = "/hub/api/v1/namespaces/default/configmaps";
  const body = JSON.stringify({ metadata: { name: "forged" } });
  const json = { cookie, "content-type": "application/json" };
  assert.equal((await ask("/hub/api/v1/namespaces", { headers: { cookie } })).status, 403);
  assert.equal((await ask("/auth/session", { headers: { cookie } })).status, 403);
  const foreign = ["https://evil.example", origin().replace("https", "http"), `${origin()}.evil.example`, "null"];
  for (const each of foreign) {
    const answer = await ask(path, { method: "POST", headers: { ...json, ...own, origin: each }, body });
    assert.equal(answer.status, 403, each);
    assert.equal((await ask("/hub/api", { headers: { cookie, ...own, origin: each } })).status, 403, each);
  }
  assert.equal((await ask(path, { method: "POST", headers: { ...json, ...own }, body })).status, 403);
  assert.equal((await ask(path, { method: "POST", headers: { ...json, origin: origin() }, body })).status, 403);
  const right = await ask(path, { method: "POST", headers: { ...json, ...own, origin: origin() }, body });
  assert.equal(right.status, 201);
});

test("no WebSocket is opened from another origin, without a session, or to what is no stream", async () => {
  const { cookie } = await signIn();
  assert.equal(await socket("/live", { cookie, origin: origin() }), "open");
  assert.equal(await socket("/live", { cookie, origin: "https://evil.example" }), 403);
  assert.equal(await socket("/live", { cookie }), 403);
  assert.equal(await socket("/live", { origin: origin() }), 403);
  for (const path of ["/hub/api/v1/pods?watch=1", "/hub/api/v1/namespaces/a/pods/b/portforward?ports=1", "/else"]) {
    assert.equal(await socket(path, { cookie, origin: origin() }), 403, path);
  }
});

test("what the browser says of itself does not reach the API server: nobody is impersonated, no token is taken", async () => {
  const { cookie } = await signIn();
  const headers = {
    ...own,
    cookie,
    origin: origin(),
    "content-type": "application/json",
    authorization: "Bearer forged",
    "impersonate-user": "mallory",
    "x-remote-user": "mallory",
  };
  const body = JSON.stringify({ apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview" });
  const path = "/hub/apis/authentication.k8s.io/v1/selfsubjectreviews";
  const answer = await ask(path, { method: "POST", headers, body });
  assert.equal(answer.status, 201, answer.text);
  const { status } = JSON.parse(answer.text) as { status: { userInfo: { username: string } } };
  assert.notEqual(status.userInfo.username, "mallory");
  assert.equal(answer.headers["set-cookie"], undefined);
});

test("a body of more than 3 MiB is refused and not passed on; one that is no link says so", async () => {
  const { cookie } = await signIn();
  const headers = { ...own, cookie, origin: origin(), "content-type": "application/json" };
  const large = Buffer.alloc(3 * 1024 * 1024 + 1, 0x20);
  const path = "/hub/api/v1/namespaces/default/configmaps";
  assert.equal((await ask(path, { method: "POST", headers, body: large })).status, 413);
  assert.equal((await ask("/auth/link", { method: "POST", headers, body: large })).status, 413);
  for (const body of [JSON.stringify({ link: "A".repeat(43) }), JSON.stringify({ link: {} }), "null", "{", ""]) {
    assert.equal((await ask("/auth/link", { method: "POST", headers, body })).status, 401, body);
  }
});

test("every answer bears a policy that lets nothing in from elsewhere, and is not to be framed or guessed at", async () => {
  const { cookie } = await signIn();
  for (const path of ["/", "/k/pods", "/assets/none.js", "/auth/session", "/hub/api", "/hub/api/v1/none"]) {
    const { headers } = await ask(path, { headers: { ...own, cookie } });
    const directives = String(headers["content-security-policy"]).split("; ");
    assert.ok(directives.includes("default-src 'none'"), path);
    assert.ok(directives.includes("script-src 'self'"), path);
    assert.ok(directives.includes("frame-ancestors 'none'"), path);
    assert.ok(!directives.join().includes("http"), path);
    assert.equal(headers["x-content-type-options"], "nosniff", path);
    assert.equal(headers["cross-origin-opener-policy"], "same-origin", path);
  }
});

test("a live connection that asks what it may not, or too much, is closed", async () => {
  const { cookie } = await signIn();
  const closing = async (...messages: readonly string[]): Promise<number> => {
    const made = new WebSocket(`wss://127.0.0.1:${portal.port}/live`, {
      rejectUnauthorized: false,
      headers: { cookie, origin: origin() },
    });
    await new Promise((open) => made.once("open", open));
    const closed = new Promise<number>((done) => made.once("close", done));
    for (const each of messages) made.send(each);
    return await closed;
  };
  const view = { words: "", sort: "", troubled: false, countBy: [], from: 0, to: 10 };
  const path = "/api/v1/pods";
  assert.equal(await closing("no json"), 1007);
  assert.equal(await closing(JSON.stringify({ id: 1, watch: "https://evil.example/" })), 1007);
  assert.equal(await closing(JSON.stringify({ id: 1, watch: "/api/../metrics" })), 1007);
  assert.equal(await closing(JSON.stringify({ id: 1, watch: path, view: { ...view, to: "all" } })), 1007);
  assert.equal(
    await closing(JSON.stringify({ id: 1, watch: path, view: { ...view, countBy: Array(9).fill("a") } })),
    1007,
  );
  const many = Array.from({ length: 65 }, (_, id) => JSON.stringify({ id, watch: path, view }));
  assert.equal(await closing(...many), 1008);
  assert.equal(await closing("x".repeat(1024 * 1024 + 1)), 1009);
});

test("who is signed in is told the agent's image by the gateway that the hub names, and why there is none", async () => {
  const asked = async (cookie: string) => {
    const { status, text } = await ask("/gateway/agent-image", { headers: { ...own, cookie } });
    return [status, text] as const;
  };
  assert.equal((await ask("/gateway/agent-image")).status, 403);
  assert.equal((await asked(""))[0], 401);
  const { cookie } = await signIn();
  assert.deepEqual((await asked(cookie))[0], 404);
  const tls = await selfSigned("gateway", ["127.0.0.1"], systemClock.nowMs());
  let served: unknown = { image: "atoll/fleet-agent@sha256:1" };
  const gateway = createServer(tls, (request, response) => {
    response.writeHead(served === undefined ? 500 : 200);
    response.end(request.url === "/agent-image" ? JSON.stringify(served) : "");
  });
  await new Promise<void>((done) => gateway.listen(0, "127.0.0.1", done));
  const host = `127.0.0.1:${(gateway.address() as AddressInfo).port}`;
  await makeNamespace(client, "atoll-fleet");
  const metadata = { name: "gateway", namespace: "atoll-fleet" };
  await client.create(ConfigMap, { metadata, data: { url: `https://${host}`, "ca.crt": tls.cert } });
  assert.deepEqual(await asked(cookie), [200, JSON.stringify({ image: `${host}/atoll/fleet-agent@sha256:1` })]);
  served = undefined;
  const [status, text] = await asked(cookie);
  assert.equal(status, 502);
  assert.match(text, /has no image of the agent \(status 500\)/);
  await new Promise((done) => gateway.close(done));
  assert.match((await asked(cookie))[1], /does not answer/);
});

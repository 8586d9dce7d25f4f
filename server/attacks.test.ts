/**
 * Attempts at what one may not do, each by a person who has some rights and wants more. The cases are those of the
 * project's catalogue that are about identity and rights; those about bodies are in e2e/hostile.test.ts.
 */
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { connect as connectHttp2 } from "node:http2";
import { Agent } from "node:https";
import { after, test } from "node:test";
import { connect, type TLSSocket } from "node:tls";
import { type As, type Answer, sendThrough, startHarness } from "@atoll/harness/server";
import { systemClock } from "@atoll/machinery/clock";
import { issue, newAuthority } from "./pki/authority.ts";

const rbac = "/apis/rbac.authorization.k8s.io/v1";
const shop = "/api/v1/namespaces/shop";
const lines: string[] = [];
const failures: string[] = [];

const harness = await startHarness({
  onError: (fields, text) => failures.push(`${text} ${JSON.stringify(fields)}`),
  server: { audit: { sink: { write: (line) => void lines.push(line) } } },
});
for (const name of ["shop", "bank"]) await harness.make("/api/v1/namespaces", { metadata: { name } });
await harness.make(`${shop}/serviceaccounts`, { metadata: { name: "default" } });
await harness.make("/api/v1/namespaces/bank/secrets", { metadata: { name: "gold" }, stringData: { key: "hidden" } });
await harness.make(`${shop}/secrets`, { metadata: { name: "own" }, stringData: { key: "known" } });

after(async () => {
  await harness.close();
  assert.deepEqual(failures, []);
});

const rule = (verbs: string[], resources: string[], more: object = {}) => ({
  verbs,
  apiGroups: ["*"],
  resources,
  ...more,
});

/** Somebody with rights in `shop`. */
async function someone(name: string, ...rules: object[]): Promise<As> {
  await harness.make(`${rbac}/namespaces/shop/roles`, { metadata: { name }, rules });
  const subjects = [{ kind: "User", name }];
  await harness.make(`${rbac}/namespaces/shop/rolebindings`, {
    metadata: { name },
    roleRef: { kind: "Role", name },
    subjects,
  });
  return await harness.user(name);
}

const pod = (name: string) => ({ metadata: { name }, spec: { containers: [{ name: "c", image: "i" }] } });
const mergePatch = "application/merge-patch+json";

async function codeOf(answer: Promise<Answer>, code: number): Promise<Answer> {
  const given = await answer;
  assert.equal(given.status, code, given.text.slice(0, 300));
  return given;
}

test("a path that is escaped twice, or walks, is not the path it hides", async () => {
  const reader = await someone("reader", rule(["get", "list"], ["secrets"]));
  await codeOf(reader.send("GET", `${shop}/secrets/own`), 200);
  for (const path of [
    "/api/v1/namespaces/shop/../bank/secrets/gold",
    "/api/v1/namespaces/shop/%2e%2e/bank/secrets/gold",
    "/api/v1/namespaces/shop%2f..%2fbank/secrets/gold",
    "/api/v1/namespaces/shop/secrets/..%2f..%2fbank%2fsecrets%2fgold",
    "/api/v1/namespaces/shop/secrets/%252e%252e%252fgold",
    "/api/v1/namespaces/shop/secrets/%256fwn",
    "/api/v1//namespaces/bank/secrets/gold",
    "//api/v1/namespaces/bank/secrets/gold",
    "/api/v1/namespaces/bank/secrets/gold;x=/namespaces/shop",
    "/api/v1/namespaces//secrets/gold",
    "/API/v1/namespaces/bank/secrets/gold",
    "/livez/../api/v1/namespaces/bank/secrets/gold",
    "/livez%2f..%2fapi/v1/namespaces/bank/secrets/gold",
  ]) {
    const { status, text } = await reader.send("GET", path);
    assert.ok([400, 403, 404].includes(status), `${path}: ${status} ${text.slice(0, 100)}`);
    assert.doesNotMatch(text, /aGlkZGVu|a25vd24/, path);
  }
});

test("parameters that are given twice, or say a name twice, select no more than one is allowed", async () => {
  const one = await someone("one", rule(["list", "watch", "get"], ["secrets"], { resourceNames: ["own"] }));
  await codeOf(one.send("GET", `${shop}/secrets?fieldSelector=metadata.name%3Down`), 200);
  for (const query of [
    "fieldSelector=metadata.name%3Down&fieldSelector=",
    "fieldSelector=metadata.name%3Down,metadata.name%3Dother",
    "fieldSelector=metadata.name%3D%3Down&labelSelector=",
  ]) {
    const { status, json } = await one.send("GET", `${shop}/secrets?${query}`);
    const names = ((json?.["items"] ?? []) as { metadata: { name: string } }[]).map(({ metadata }) => metadata.name);
    assert.ok(status !== 200 || names.every((name) => name === "own"), `${query}: ${names.join()}`);
  }
  for (const query of ["", "fieldSelector=&fieldSelector=metadata.name%3Down", "fieldSelector=metadata.name!%3Down"]) {
    await codeOf(one.send("GET", `${shop}/secrets?${query}`), 403);
  }
  await codeOf(one.send("DELETE", `${shop}/secrets?fieldSelector=metadata.name%3Down`), 403);
});

test("the body cannot lead where the path does not", async () => {
  const maker = await someone("maker", rule(["*"], ["*"]));
  const elsewhere = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "x", namespace: "bank" } };
  await codeOf(maker.send("POST", `${shop}/configmaps`, { body: elsewhere }), 400);
  await codeOf(maker.send("POST", `${shop}/configmaps`, { body: { ...elsewhere, metadata: { name: "y" } } }), 201);
  const renamed = { ...elsewhere, metadata: { name: "other", namespace: "shop" } };
  await codeOf(maker.send("PUT", `${shop}/configmaps/y`, { body: renamed }), 400);
  const moved = { metadata: { namespace: "bank" } };
  await codeOf(maker.send("PATCH", `${shop}/configmaps/y`, { body: moved, contentType: mergePatch }), 400);
  await codeOf(maker.send("POST", `${shop}/pods`, { body: pod("p1") }), 201);
  await codeOf(maker.send("POST", `${shop}/pods`, { body: pod("p2") }), 201);
  const binding = { metadata: { name: "p2" }, target: { kind: "Node", name: "n" } };
  await codeOf(maker.send("POST", `${shop}/pods/p1/binding`, { body: binding }), 400);
  const eviction = { apiVersion: "policy/v1", kind: "Eviction", metadata: { name: "p2" } };
  await codeOf(maker.send("POST", `${shop}/pods/p1/eviction`, { body: eviction }), 400);
});

test("who may only write a status changes nothing else", async () => {
  const teller = await someone("teller", rule(["patch", "update", "get"], ["pods/status"]));
  await harness.make(`${shop}/pods`, pod("told"));
  const body = {
    spec: { activeDeadlineSeconds: 1, containers: [{ name: "c", image: "evil" }] },
    metadata: { ownerReferences: [{ apiVersion: "v1", kind: "Pod", name: "x", uid: "y" }] },
    status: { message: "hello" },
  };
  await codeOf(
    teller.send("PATCH", `${shop}/pods/told/status`, { body, contentType: "application/strategic-merge-patch+json" }),
    200,
  );
  const { json } = await harness.send("GET", `${shop}/pods/told`);
  const { managedFields: _, ...metadata } = (json?.["metadata"] ?? {}) as Record<string, unknown>;
  const text = JSON.stringify({ metadata, spec: json?.["spec"], status: json?.["status"] });
  assert.match(text, /hello/);
  assert.doesNotMatch(text, /evil|activeDeadlineSeconds|ownerReferences/);
});

test("who may patch but not create makes nothing by applying", async () => {
  const patcher = await someone("patcher", rule(["patch", "get"], ["configmaps"]));
  const body = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "new" } };
  const path = `${shop}/configmaps/new?fieldManager=x`;
  await codeOf(patcher.send("PATCH", path, { body, contentType: "application/apply-patch+yaml" }), 403);
  await codeOf(patcher.send("PATCH", `${path}&dryRun=All`, { body, contentType: "application/apply-patch+yaml" }), 403);
  const updater = await someone("updater", rule(["update"], ["leases", "configmaps"]));
  const lease = { apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata: { name: "l" }, spec: {} };
  const { status } = await updater.send("PUT", "/apis/coordination.k8s.io/v1/namespaces/shop/leases/l", {
    body: lease,
  });
  assert.ok(status === 403 || status === 404, `${status}`);
});

test("somebody is added to a binding only by who holds what it grants", async () => {
  const clerk = await someone("clerk", rule(["get", "update", "patch"], ["rolebindings"]));
  await harness.make(`${rbac}/namespaces/shop/roles`, { metadata: { name: "all" }, rules: [rule(["*"], ["*"])] });
  const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "all" };
  const object = { metadata: { name: "all" }, roleRef, subjects: [] };
  await harness.make(`${rbac}/namespaces/shop/rolebindings`, object);
  const subjects = [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: "clerk" }];
  const path = `${rbac}/namespaces/shop/rolebindings/all`;
  const head = { apiVersion: "rbac.authorization.k8s.io/v1", kind: "RoleBinding" };
  await codeOf(clerk.send("PUT", path, { body: { ...head, ...object, subjects } }), 403);
  await codeOf(clerk.send("PATCH", path, { body: { subjects }, contentType: mergePatch }), 403);
  await codeOf(
    clerk.send("PATCH", path, {
      body: [{ op: "add", path: "/subjects", value: subjects }],
      contentType: "application/json-patch+json",
    }),
    403,
  );
  await codeOf(
    clerk.send("PATCH", `${path}?fieldManager=x&force=true`, {
      body: { ...head, ...object, subjects },
      contentType: "application/apply-patch+yaml",
    }),
    403,
  );
});

test("a label gathers no rights into a role that its writer does not hold", async () => {
  await harness.make(`${rbac}/clusterroles`, {
    metadata: { name: "labeller" },
    rules: [rule(["create", "update", "patch", "get"], ["clusterroles"])],
  });
  await harness.make(`${rbac}/clusterrolebindings`, {
    metadata: { name: "labeller" },
    roleRef: { kind: "ClusterRole", name: "labeller" },
    subjects: [{ kind: "User", name: "labeller" }],
  });
  const labeller = await harness.user("labeller");
  const gathered = (name: string, verbs: string[]) => ({
    metadata: { name, labels: { "rbac.authorization.k8s.io/aggregate-to-edit": "true" } },
    rules: [rule(verbs, ["secrets"])],
  });
  await codeOf(labeller.send("POST", `${rbac}/clusterroles`, { body: gathered("g1", ["get"]) }), 403);
  // Nor is another's role, once labelled, one's own to widen.
  await harness.make(`${rbac}/clusterroles`, { metadata: { name: "g2" }, rules: [rule(["get"], ["secrets"])] });
  const labels = { metadata: { labels: { "rbac.authorization.k8s.io/aggregate-to-edit": "true" } } };
  await codeOf(labeller.send("PATCH", `${rbac}/clusterroles/g2`, { body: labels, contentType: mergePatch }), 403);
});

const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");

test("a token with a forged head, body or signature is nobody's", async () => {
  const path = `${shop}/serviceaccounts/default/token`;
  const { json } = await harness.send("POST", path, { body: { spec: {} } });
  const { token = "" } = (json?.["status"] ?? {}) as { token?: string };
  const ask = async (given: string) =>
    (await harness.nobody().send("GET", "/api", { headers: { authorization: `Bearer ${given}` } })).status;
  assert.equal(await ask(token), 200);
  const [head = "", body = "", signature = ""] = token.split(".");
  const { kid } = JSON.parse(Buffer.from(head, "base64url").toString()) as { kid: string };
  const claims = JSON.parse(Buffer.from(body, "base64url").toString()) as Record<string, unknown>;
  const keys = await harness.send("GET", "/openid/v1/jwks");
  const hmac = (key: string, alg: string) => {
    const text = `${base64({ alg, kid, typ: "JWT" })}.${body}`;
    return `${text}.${createHmac("sha256", key).update(text).digest("base64url")}`;
  };
  const nested = Buffer.from("[".repeat(8_000)).toString("base64url");
  const forged: Readonly<Record<string, string>> = {
    "no algorithm": `${base64({ alg: "none", kid })}.${body}.`,
    "no algorithm, with a signature": `${base64({ alg: "none", kid })}.${body}.${signature}`,
    "HS256 with the public key": hmac(keys.text, "HS256"),
    "HS256 with the key's id": hmac(kid, "HS256"),
    "another algorithm": `${base64({ alg: "RS256", kid })}.${body}.${signature}`,
    "a key's path": `${base64({ alg: "ES256", kid: "../../../../dev/null" })}.${body}.${signature}`,
    "a key's name that all objects have": `${base64({ alg: "ES256", kid: "__proto__" })}.${body}.${signature}`,
    "a key brought along": `${base64({ alg: "ES256", kid, jwk: { kty: "EC" }, jku: "http://x" })}.${body}.${signature}`,
    "other claims": `${head}.${base64({ ...claims, sub: "system:serviceaccount:kube-system:default" })}.${signature}`,
    "a signature of zeros": `${head}.${body}.${Buffer.alloc(64).toString("base64url")}`,
    "an empty signature": `${head}.${body}.`,
    "four parts": `${token}.x`,
    nesting: `${nested}.${body}.${signature}`,
    "huge claims": `${head}.${base64({ ...claims, pad: "x".repeat(9_000) })}.${signature}`,
  };
  for (const [what, given] of Object.entries(forged)) assert.equal(await ask(given), 401, what);
  assert.equal(await ask("x".repeat(30_000)), 431);
});

test("a certificate of another authority, of another time or for another use is nobody's", async () => {
  const nowMs = systemClock.nowMs();
  const wish = { commonName: "kubernetes-admin", organizations: ["system:masters"], days: 1 };
  const other = await newAuthority("kubernetes", nowMs);
  const dayMs = 24 * 60 * 60 * 1000;
  const forged = {
    "another authority": await issue(other, { ...wish, usage: "client" }, nowMs),
    "a time that is over": await issue(harness.pki.ca, { ...wish, usage: "client" }, nowMs - 3 * dayMs),
    "a time to come": await issue(harness.pki.ca, { ...wish, usage: "client" }, nowMs + dayMs),
    servers: await issue(harness.pki.ca, { ...wish, usage: "server" }, nowMs),
  };
  for (const [what, pair] of Object.entries(forged)) {
    const agent = new Agent({ ca: harness.tls.ca, ...pair });
    const target = { agent, port: harness.server.port, method: "GET", path: `${shop}/secrets` };
    assert.equal((await sendThrough(target, {})).status, 401, what);
    agent.destroy();
  }
  // A certificate of one's own that is good for nobody does not spoil what else one shows, nor the other way round.
  const valid = await issue(harness.pki.ca, { ...wish, organizations: [], commonName: "x", usage: "client" }, nowMs);
  const agent = new Agent({ ca: harness.tls.ca, ...valid });
  const headers = { authorization: "Bearer forged" };
  const target = { agent, port: harness.server.port, method: "GET", path: `${shop}/secrets` };
  assert.equal((await sendThrough(target, { headers })).status, 403, "it is x who may not");
  agent.destroy();
});

const bombs: Readonly<Record<string, string>> = {
  "loops in loops": "object.data.all(a, object.data.all(b, object.data.all(c, a + b + c != 'x')))",
  "lists of lists": "lists.range(1000000).map(x, lists.range(1000)).size() > 0",
  "a text that doubles": `${"[".repeat(25)}'aaaaaaaaaa'${"].map(x, x + x)[0]".repeat(25)}.size() > 0`,
  "a text that replaces itself": `object.data.k0${".replace('a', object.data.k1)".repeat(4)}.size() > 0`,
  "a pattern others explode on": `!object.data.all(a, !('${"a".repeat(5_000)}!' + a).matches('^(a+)+$'))`,
};

test("expressions that would take forever end at their limits, and the server goes on", async () => {
  const policies = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies";
  const resourceRules = [{ apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE"], resources: ["configmaps"] }];
  const data = Object.fromEntries(Array.from({ length: 1_000 }, (_, i) => [`k${i}`, "a".repeat(200)]));
  for (const [what, expression] of Object.entries(bombs)) {
    const spec = { failurePolicy: "Fail", matchConstraints: { resourceRules }, validations: [{ expression }] };
    const { status } = await harness.send("POST", policies, { body: { metadata: { name: "bomb" }, spec } });
    if (status === 422) continue;
    assert.equal(status, 201, what);
    await harness.make(`${policies.replace("policies", "policybindings")}`, {
      metadata: { name: "bomb" },
      spec: { policyName: "bomb", validationActions: ["Deny"] },
    });
    await codeOf(harness.send("POST", `${shop}/configmaps`, { body: { metadata: { name: "bomb" }, data } }), 422);
    await codeOf(harness.send("DELETE", `${policies}/bomb`), 200);
    await codeOf(harness.send("DELETE", `${policies.replace("policies", "policybindings")}/bomb`), 200);
  }
  assert.equal((await harness.send("GET", "/livez")).status, 200);
});

/** The statuses that a raw request gets over a connection that shows no certificate; -1 for one that is cut. */
function raw(text: string): Promise<number[]> {
  return new Promise((resolve) => {
    const socket: TLSSocket = connect({ host: "127.0.0.1", port: harness.server.port, ca: harness.tls.ca }, () =>
      socket.write(text),
    );
    let answer = "";
    socket.on("data", (chunk: Buffer) => (answer += chunk.toString("latin1")));
    socket.on("error", () => {});
    socket.on("close", () => {
      const codes = [...answer.matchAll(/^HTTP\/1\.1 (\d+)/gm)].map(([, code]) => Number(code));
      resolve(codes.length === 0 ? [-1] : codes);
    });
    socket.setTimeout(1_000, () => socket.destroy());
  });
}

const smuggled = "GET /livez HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
const post = (headers: string, body: string) => `POST /api HTTP/1.1\r\nhost: x\r\n${headers}\r\n\r\n${body}`;
const framings: Readonly<Record<string, string>> = {
  "two lengths": post("content-length: 4\r\ncontent-length: 0", `abcd${smuggled}`),
  "a length and chunks": post("content-length: 5\r\ntransfer-encoding: chunked", `0\r\n\r\n${smuggled}`),
  "chunks named oddly": post("transfer-encoding: xchunked\r\ncontent-length: 0", smuggled),
  "a space before the colon": post("content-length : 4", `abcd${smuggled}`),
  "a header on two lines": post("x: a\r\n content-length: 50", smuggled),
  "bare line feeds": `GET /api HTTP/1.1\nhost: x\n\n${smuggled}`,
  "a bare carriage return in a value": post("x: a\rcontent-length: 50", smuggled),
  "a negative length": post("content-length: -1", smuggled),
  "a length with a sign": post("content-length: +4", `abcd${smuggled}`),
  "a chunk with an odd size": post("transfer-encoding: chunked", `0x4\r\nabcd\r\n0\r\n\r\n${smuggled}`),
  "a null in a header": post("x: a\u0000b", smuggled),
  "no host": `GET /api HTTP/1.1\r\n\r\n${smuggled}`,
};
for (const [what, text] of Object.entries(framings)) {
  test(`a request with ${what} ends the connection, and hides no other`, async () => {
    const codes = await raw(text);
    assert.ok(codes.length === 1 && (codes[0] === 400 || codes[0] === -1), codes.join());
  });
}

test("an upgrade that nobody wants is answered once, and hides no other request", async () => {
  for (const protocol of ["foo", "h2c", "websocket"]) {
    const upgrade = `GET /api HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: ${protocol}\r\n\r\n`;
    assert.deepEqual(await raw(`${upgrade}${smuggled}`), [401]);
  }
  const within = `GET /livez HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: ${smuggled.length}\r\n\r\n`;
  assert.deepEqual(await raw(`${within}${smuggled}`), [200]);
});

test("2,001 headers are too many", async () => {
  const headers = Array.from({ length: 2_001 }, (_, i) => `a${i}: b`).join("\r\n");
  assert.deepEqual(await raw(post(headers, "")), [431]);
});

test("window updates that overflow end an HTTP/2 connection, and nobody else's", async () => {
  const client = connectHttp2(harness.url, { ca: harness.tls.ca });
  client.on("error", () => {});
  await new Promise((resolve) => client.once("connect", resolve));
  const closed = new Promise((resolve) => client.once("close", resolve));
  const frame = Buffer.from([0, 0, 4, 8, 0, 0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff]);
  const socket = connect({ host: "127.0.0.1", port: harness.server.port, ca: harness.tls.ca, ALPNProtocols: ["h2"] });
  socket.on("error", () => {}).resume();
  const ended = new Promise((resolve) => socket.once("close", resolve));
  socket.on("secureConnect", () => {
    socket.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    socket.write(Buffer.concat([Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]), frame, frame]));
  });
  await ended;
  assert.ok(!client.closed);
  client.close();
  await closed;
  assert.equal((await harness.send("GET", "/livez")).status, 200);
});

test("what is refused or wrong about a Secret does not tell what is in it", async () => {
  const secret = "c3VwZXJnZWhlaW0="; // "supergeheim"
  const bodies = [
    { metadata: { name: "s" }, type: "kubernetes.io/dockerconfigjson", data: { ".dockerconfigjson": secret } },
    { metadata: { name: "s" }, type: "kubernetes.io/dockercfg", data: { ".dockercfg": secret } },
    { metadata: { name: "s" }, type: "kubernetes.io/tls", data: { "tls.crt": secret } },
    { metadata: { name: "S_" }, data: { k: secret } },
    { metadata: { name: "s" }, data: { "bad key": secret } },
    { metadata: { name: "s" }, data: { k: "supergeheim!" } },
    { metadata: { name: "s" }, data: { k: { a: "supergeheim" } } },
    { metadata: { name: "s" }, stringData: { k: ["supergeheim"] } },
    { metadata: { name: "s" }, type: 5, stringData: { k: "supergeheim" } },
    { metadata: { name: "s", labels: { a: 1 } }, stringData: { k: "supergeheim" } },
  ];
  const texts: string[] = [];
  for (const body of bodies) {
    const { status, text } = await harness.send("POST", `${shop}/secrets`, { body });
    assert.ok(status === 400 || status === 422, `${JSON.stringify(body)}: ${status}`);
    texts.push(text);
  }
  await harness.make(`${shop}/secrets`, { metadata: { name: "fixed" }, data: { k: secret }, immutable: true });
  const change = { data: { k: Buffer.from("supergeheim2").toString("base64") } };
  const refused = await harness.send("PATCH", `${shop}/secrets/fixed`, { body: change, contentType: mergePatch });
  assert.equal(refused.status, 422);
  texts.push(refused.text, (await harness.send("GET", "/metrics")).text, ...lines, ...failures);
  for (const text of texts) assert.doesNotMatch(text, /c3VwZXJnZWhlaW|supergeheim/, text.slice(0, 300));
});

test("nothing that a client says breaks a line of the audit log", async () => {
  const before = lines.length;
  const evil = 'x"}\\n{"level":"None"} \u00e9\u2028';
  const headers = { "user-agent": Buffer.from(evil).toString("latin1") };
  await harness.send("POST", `${shop}/configmaps?a=%0a%22%7d`, {
    body: { metadata: { name: "evil\n{}" } },
    headers,
  });
  await harness.send("DELETE", `${shop}/configmaps/%0a%7b%22a%22:1%7d`, { headers });
  const added = lines.slice(before);
  assert.ok(added.length >= 2, `${added.length}`);
  for (const line of added) {
    assert.equal(line.trimEnd().split("\n").length, 1);
    const { kind, auditID } = JSON.parse(line) as Record<string, unknown>;
    assert.equal(kind, "Event");
    assert.equal(typeof auditID, "string");
  }
});

test("metrics count who was recognized and what was decided, without names", async () => {
  const someoneElse = await someone("bob@example.com", rule(["get"], ["pods"]));
  await codeOf(someoneElse.send("GET", `${shop}/pods/none`), 404);
  await codeOf(someoneElse.send("GET", `${shop}/secrets`), 403);
  await codeOf(harness.nobody().send("GET", "/api"), 401);
  const { text } = await harness.send("GET", "/metrics");
  for (const line of [
    /^authenticated_user_requests\{username="email_id"\} [1-9]/m,
    /^authentication_attempts\{result="success"\} [1-9]/m,
    /^authentication_attempts\{result="failure"\} [1-9]/m,
    /^authorization_attempts_total\{result="allowed"\} [1-9]/m,
    /^authorization_attempts_total\{result="no-opinion"\} [1-9]/m,
    /^apiserver_authorization_decisions_total\{type="RBAC",name="rbac",decision="allowed"\} [1-9]/m,
  ])
    assert.match(text, line);
  assert.doesNotMatch(text, /bob@/);
});

test("somebody's word for who they are counts for nothing, whatever the header", async () => {
  const mallory = await someone("mallory");
  for (const headers of [
    { "impersonate-user": "admin" },
    { "impersonate-group": "system:masters" },
    { "impersonate-uid": "1" },
    { "impersonate-extra-a": "b" },
    { "impersonate-user": "system:admin", "impersonate-group": "system:masters" },
    { "impersonate-user": "system:node:a", "impersonate-group": "system:nodes" },
    { "impersonate-user": "" },
    { "Impersonate-User": "mallory", connection: "impersonate-user" },
  ]) {
    const { status, text } = await mallory.send("GET", `${shop}/secrets`, { headers });
    assert.ok([400, 403, 500].includes(status), `${JSON.stringify(headers)}: ${status} ${text.slice(0, 200)}`);
  }
  const proxied = { "x-remote-user": "system:admin", "x-remote-group": "system:masters" };
  await codeOf(mallory.send("GET", `${shop}/secrets`, { headers: proxied }), 403);
  await codeOf(harness.nobody().send("GET", `${shop}/secrets`, { headers: proxied }), 401);
});

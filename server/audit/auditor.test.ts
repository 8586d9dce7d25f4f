import assert from "node:assert/strict";
import { request } from "node:https";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { eventually } from "@atoll/harness/client";
import { startHarness } from "@atoll/harness/server";
import { systemClock } from "@atoll/machinery/clock";
import { Followed } from "../configuration/followed.ts";
import { type AuditPolicy, readAuditPolicy } from "./policy.ts";

interface Event {
  readonly level: string;
  readonly stage: string;
  readonly auditID: string;
  readonly verb: string;
  readonly requestURI: string;
  readonly user: { readonly username: string; readonly groups?: readonly string[] };
  readonly impersonatedUser?: { readonly username: string };
  readonly sourceIPs: readonly string[];
  readonly objectRef?: Readonly<Record<string, string>>;
  readonly responseStatus?: { readonly code: number; readonly message?: string; readonly reason?: string };
  readonly requestObject?: { readonly metadata?: Readonly<Record<string, unknown>>; readonly data?: object };
  readonly responseObject?: { readonly metadata?: Readonly<Record<string, unknown>>; readonly data?: object };
  readonly annotations?: Readonly<Record<string, string>>;
}

async function setUp(t: TestContext, policy?: AuditPolicy) {
  const lines: string[] = [];
  const sink = { write: (line: string) => void lines.push(line) };
  const folder = await mkdtemp(join(tmpdir(), "atoll-audit-"));
  const path = join(folder, "policy.yaml");
  await writeFile(path, JSON.stringify({ apiVersion: "audit.k8s.io/v1", kind: "Policy", ...policy }));
  const log = { info: () => {}, error: () => {} };
  const followed =
    policy === undefined ? undefined : await Followed.open({ path, parse: readAuditPolicy, clock: systemClock, log });
  const harness = await startHarness({ server: { audit: { sink, policy: followed } } });
  t.after(async () => {
    followed?.close();
    await harness.close();
    await rm(folder, { recursive: true });
  });
  const events = () => lines.map((line) => JSON.parse(line) as Event);
  const last = () => events().at(-1);
  return { harness, lines, events, last };
}

const everything: AuditPolicy = { rules: [{ level: "RequestResponse", omitManagedFields: true }] };
const maps = "/apis/apps/v1/namespaces/default/controllerrevisions";
const revision = {
  apiVersion: "apps/v1",
  kind: "ControllerRevision",
  metadata: { name: "r" },
  data: { a: 1 },
  revision: 1,
};

test("a change is told once, with who made it, of what, from where, and what came of it", async (t) => {
  const { harness, events } = await setUp(t);
  await harness.send("GET", maps);
  const answer = await harness.send("POST", maps, { body: revision, headers: { "user-agent": "me/1" } });
  assert.equal(answer.status, 201, answer.text);
  const [event, ...others] = events();
  assert.deepEqual(others, []);
  const { requestReceivedTimestamp, stageTimestamp, auditID, annotations, ...told } = event as unknown as Record<
    string,
    string
  >;
  assert.deepEqual(told, {
    kind: "Event",
    apiVersion: "audit.k8s.io/v1",
    level: "Metadata",
    stage: "ResponseComplete",
    requestURI: maps,
    verb: "create",
    user: { username: "kubernetes-admin", groups: ["system:masters", "system:authenticated"] },
    sourceIPs: ["127.0.0.1"],
    userAgent: "me/1",
    objectRef: { resource: "controllerrevisions", namespace: "default", name: "r", apiGroup: "apps", apiVersion: "v1" },
    responseStatus: { metadata: {}, code: 201 },
  });
  assert.equal(auditID, answer.headers["audit-id"]);
  assert.equal((annotations as unknown as Record<string, string>)["authorization.k8s.io/decision"], "allow");
  assert.ok(String(requestReceivedTimestamp) <= String(stageTimestamp));
});

test("bodies are told at the levels that ask for them, without managed fields", async (t) => {
  const { harness, events } = await setUp(t, everything);
  await harness.send("POST", maps, { body: revision });
  const [received, complete] = events();
  assert.equal(received?.stage, "RequestReceived");
  assert.equal(received?.requestObject, undefined);
  assert.deepEqual(complete?.requestObject?.data, { a: 1 });
  assert.deepEqual(complete?.responseObject?.data, { a: 1 });
  assert.equal(complete?.responseObject?.metadata?.["name"], "r");
  assert.equal(complete?.responseObject?.metadata?.["managedFields"], undefined);
});

test("a body in protobuf is told as the object it is", async (t) => {
  const { harness, last } = await setUp(t, everything);
  const field = (number: number, content: string | Buffer) =>
    Buffer.concat([Buffer.from([number * 8 + 2, content.length]), Buffer.from(content)]);
  const type = field(1, Buffer.concat([field(1, "v1"), field(2, "Namespace")]));
  const body = Buffer.concat([Buffer.from("k8s\0"), type, field(2, field(1, field(1, "told")))]);
  const contentType = "application/vnd.kubernetes.protobuf";
  assert.equal((await harness.send("POST", "/api/v1/namespaces", { body, contentType })).status, 201);
  assert.equal(last()?.requestObject?.metadata?.["name"], "told");
});

test("no secret is ever told, whatever the policy asks for", async (t) => {
  const { harness, lines, events } = await setUp(t, everything);
  const word = "hunter2-of-the-audit";
  const base64 = Buffer.from(word).toString("base64");
  const path = "/api/v1/namespaces/default/secrets";
  const secret = { apiVersion: "v1", kind: "Secret", metadata: { name: "s" }, stringData: { word } };
  await harness.send("POST", path, { body: secret });
  await harness.send("GET", `${path}/s`);
  await harness.send("GET", path);
  await harness.send("PATCH", `${path}/s`, {
    body: { stringData: { b: word } },
    contentType: "application/merge-patch+json",
  });
  await harness.send("PUT", `${path}/s`, { body: { ...secret, type: word } });
  await harness.send("POST", path, {
    body: { ...secret, metadata: { name: "t" }, data: { [`${word} bad key`]: base64 } },
  });
  await harness.send("POST", "/api/v1/namespaces/default/configmaps", {
    body: { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "m" }, data: { token: word } },
  });
  const made = await harness.send("POST", "/api/v1/namespaces/default/serviceaccounts", {
    body: { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "sa" } },
  });
  assert.equal(made.status, 201);
  const tokenKind = { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: {} };
  const asked = await harness.send("POST", "/api/v1/namespaces/default/serviceaccounts/sa/token", { body: tokenKind });
  const { token = "" } = (asked.json?.["status"] ?? {}) as { token?: string };
  const review = { apiVersion: "authentication.k8s.io/v1", kind: "TokenReview", spec: { token } };
  await harness.send("POST", "/apis/authentication.k8s.io/v1/tokenreviews", { body: review });
  assert.ok(token !== "" && events().length >= 18);
  for (const line of lines) {
    assert.ok(!line.includes(word) && !line.includes(base64) && !line.includes(token), line);
  }
});

test("a refusal is told with its reason, and who could not say who they are is told, too", async (t) => {
  const { harness, last } = await setUp(t);
  await harness.send("DELETE", `${maps}/absent`);
  assert.equal(last()?.responseStatus?.code, 404);
  assert.equal(last()?.responseStatus?.reason, "NotFound");
  const { port } = harness.server;
  const headers = { authorization: "Bearer of-nothing" };
  const status = await new Promise((resolve, reject) => {
    const path = "/api/v1/nodes";
    const sent = request({ host: "127.0.0.1", port, path, ca: harness.tls.ca, headers, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    sent.on("error", reject).end();
  });
  assert.equal(status, 401);
  await eventually("the event", () => last()?.responseStatus?.code === 401);
  assert.equal(last()?.user.username, "");
  assert.equal(last()?.responseStatus?.message, "Authentication failed, attempted: bearer");
});

test("a watch is told when it starts and when it ends", async (t) => {
  const { harness, events } = await setUp(t, { omitStages: ["RequestReceived"], rules: [{ level: "Metadata" }] });
  await harness.send("GET", `${maps}?watch=true&timeoutSeconds=1`);
  await eventually("it ends", () => events().length === 2);
  assert.deepEqual(
    events().map(({ stage, verb, responseStatus }) => [stage, verb, responseStatus?.code]),
    [
      ["ResponseStarted", "watch", 200],
      ["ResponseComplete", "watch", 200],
    ],
  );
});
